# Every target installs what it needs (Debian packages, with apt) and works from a new clone. Swift 6.3 must be there.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-clients bench release format

# An import that Package.swift does not declare for its target is an error.
BUILD := swift build --explicit-target-dependency-import-check error
CLIENTS := .build-clients

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo:  ## build, start a simulated provider and the appliance, and watch real requests pass (no key needed)
	.ci/setup build
	$(BUILD) -c release --product weir
	.build/release/weir demo

# ARGS="--filter Tidy" runs a part.
test:  ## unit, tidy and integration tests (debug build)
	.ci/setup build test
	$(BUILD) --build-tests
	swift test --skip-build --disable-xctest $(ARGS)

# Both runs must pass the same tests, but for those of the cache itself. ARGS="-k tools" runs a part.
test-clients:  ## the stock OpenAI and Anthropic Python clients against the built binary, with and without the cache
	.ci/setup build clients
	@test -d Tests/ClientTests || { echo "Tests/ClientTests is missing" >&2; exit 1; }
	$(BUILD) --product weir
	test -x $(CLIENTS)/bin/python || python3 -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/ClientTests/requirements.txt
	for cache in on off; do \
	    $(CLIENTS)/bin/python -m pytest -p no:cacheprovider Tests/ClientTests --cache $$cache $(ARGS); \
	done

bench:  ## load, cache and store benchmarks beside nginx (release build)
	.ci/setup build bench
	$(BUILD) -c release --product weir
	.build/release/weir bench load
	.build/release/weir bench cache
	.build/release/weir bench store

release:  ## .build-static/weir: one file that needs glibc only, proven in an empty chroot
	.ci/release

format:  ## format the sources in place
	swift format --in-place --recursive Sources Tests
