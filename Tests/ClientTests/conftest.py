"""Weir in front of a simulated provider, started once a session, and the stock clients that talk to it.

The whole suite runs twice, with `--cache on` and `--cache off`: clients cannot tell but by headers. With the cache on,
each test asks in a namespace of its own, so that no other test has warmed it. Then it runs once more in the same one,
where answers are kept by now, unless it is marked `cold` or takes the provider to look at it.
"""

import asyncio
import gc
import hashlib
import inspect
import os
import re

import anthropic
import openai
import pytest

from asking import Question
from servers import ADMIN_KEY, Simulator, Weir
from stock import Stock

# A prompt that must be found nowhere on the disk afterwards but in the cache's files.
CANARY = "canary-8f2e61d0-prompt"

SETTINGS = """
[cache]
policy = "{policy}"
[auth]
admin-key = "env:ADMIN_KEY"
anonymous = "{anonymous}"
[gateway]
passthrough = "sim"
[log]
requests = "all"
[providers.sim]
dialect = "openai"
base-url = "{simulator}/v1"
models = ["gpt-*", "text-embedding-*"]
[providers.anth]
dialect = "anthropic"
base-url = "{simulator}"
models = ["claude-*"]
[providers.flaky]
dialect = "openai"
base-url = "{flaky}/v1"
models = ["flaky-*"]
[providers.flaky-anth]
dialect = "anthropic"
base-url = "{flaky}"
models = ["flaky-*"]
[models.fast]
targets = [{{provider = "sim", model = "gpt-4o-mini"}}]
[models.deep]
targets = [{{provider = "anth", model = "claude-sonnet-4-6"}}]
"""


def pytest_addoption(parser):
    parser.addoption("--cache", choices=["on", "off"], default="on", help="whether Weir may answer from its cache")


def pytest_report_header(config):
    return f"cache: {config.getoption('cache')}"


def pytest_configure(config):
    config.addinivalue_line("markers", "cold: about what only the provider shows, so not run again on a warm cache")
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "ANTHROPIC_")):
            del os.environ[name]
    gc.freeze()  # the clients' modules are some hundred thousand objects: not to be looked through again and again


def pytest_ignore_collect(collection_path, config):
    if collection_path.name.startswith("test_cache") and config.getoption("cache") == "off":
        return True


def pytest_generate_tests(metafunc):
    """Gives a test its two runs, the second with the answers of the first at hand."""
    taken = inspect.signature(metafunc.function).parameters
    is_cold = any(metafunc.definition.iter_markers("cold")) or "simulator" in taken or "flaky" in taken
    if "warmth" in metafunc.fixturenames and metafunc.config.getoption("cache") == "on" and not is_cold:
        metafunc.parametrize("warmth", ["cold", "warm"])


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weir")


@pytest.fixture(scope="session")
def simulator(folder):
    server = Simulator(folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def flaky(folder):
    """A provider that refuses every other call or so."""
    server = Simulator(folder, "flaky", "--fail", "429:0.5")
    yield server
    server.stop()


def serve(config, folder, name, simulator, flaky, anonymous):
    policy = "standard" if config.getoption("cache") == "on" else "off"
    settings = SETTINGS.format(policy=policy, anonymous=anonymous, simulator=simulator.url, flaky=flaky.url)
    server = Weir(folder, name, settings)
    keys = [server.create_key("alice", "ai", "passthrough"), server.create_key("bob", "ai", "passthrough")]
    server.alice, server.bob = (key.secret for key in keys)
    yield server
    status = server.stop()
    assert status == 0, f"weir ended with status {status}:\n{server.tail()}"
    check_disk(server)


def check_disk(server):
    """No key is in a log or a database, and a prompt only where answers are kept with their questions."""
    files = [path for path in server.data.rglob("*") if path.is_file()] + [server.log]
    contents = {path.name: path.read_bytes() for path in files}
    for secret in (ADMIN_KEY, server.alice, server.bob, CANARY):
        holders = [name for name, content in contents.items() if secret.encode() in content]
        if secret == CANARY:
            holders = [name for name in holders if not name.startswith("cache.")]
        assert not holders, f"{holders} hold {secret}"
    # The search looks in the right places: what may be there is found.
    for name in ("weir.db", "requests.db", server.log.name):
        assert b"alice" in contents[name], f"{name} does not name its tenants"


@pytest.fixture(scope="session")
def weir(pytestconfig, folder, simulator, flaky):
    yield from serve(pytestconfig, folder, "weir", simulator, flaky, "loopback")


@pytest.fixture(scope="session")
def strict_weir(pytestconfig, folder, simulator, flaky):
    """Serves nobody without a key."""
    yield from serve(pytestconfig, folder, "strict", simulator, flaky, "none")


@pytest.fixture(autouse=True)
def still_running(weir, simulator):
    """A process that died fails what follows at once; its log is shown at the end of the session."""
    assert weir.process.poll() is None and simulator.process.poll() is None, f"a server died, see {weir.log.parent}"


@pytest.fixture(scope="session")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session", params=["sync", "async"])
def mode(request):
    return request.param


@pytest.fixture
def warmth():
    return "cold"


@pytest.fixture
def namespace(request, warmth):
    """Headers of a part of the cache that this test has for itself, its warm run together with its cold one."""
    if request.config.getoption("cache") == "off":
        return {}
    name = re.sub(rf"\b{warmth}\b", "", request.node.nodeid)
    return {"X-Weir-Namespace": f"test-{hashlib.sha256(name.encode()).hexdigest()[:16]}"}


def connect(runner, client):
    yield client
    Stock(client, runner).wait(client.close())


# The clients differ from stock use in base_url alone, and with the cache on in the namespace. They keep their
# connections for the whole session.


@pytest.fixture(scope="session")
def session_gpt(mode, weir, runner):
    client = openai.OpenAI if mode == "sync" else openai.AsyncOpenAI
    yield from connect(runner, client(base_url=f"{weir.url}/v1", api_key=weir.alice))


@pytest.fixture(scope="session")
def session_async_gpt(weir, runner):
    yield from connect(runner, openai.AsyncOpenAI(base_url=f"{weir.url}/v1", api_key=weir.alice))


@pytest.fixture(scope="session")
def session_claude(mode, weir, runner):
    client = anthropic.Anthropic if mode == "sync" else anthropic.AsyncAnthropic
    yield from connect(runner, client(base_url=weir.url, api_key=weir.alice))


@pytest.fixture(scope="session")
def session_async_claude(weir, runner):
    yield from connect(runner, anthropic.AsyncAnthropic(base_url=weir.url, api_key=weir.alice))


@pytest.fixture
def gpt(session_gpt, namespace, runner):
    return Stock(session_gpt, runner).sending(namespace)


@pytest.fixture
def async_gpt(session_async_gpt, namespace, runner):
    """For what only an asynchronous client can do."""
    return Stock(session_async_gpt, runner).sending(namespace)


@pytest.fixture
def claude(session_claude, namespace, runner):
    return Stock(session_claude, runner).sending(namespace)


@pytest.fixture
def async_claude(session_async_claude, namespace, runner):
    return Stock(session_async_claude, runner).sending(namespace)


@pytest.fixture
def other_gpt(gpt, weir, runner):
    """The client of another tenant, in a namespace of the same name."""
    return Stock(gpt.client.with_options(api_key=weir.bob), runner)


@pytest.fixture
def question(request, gpt, claude):
    """One of asking.QUESTIONS, named by an indirect parameter."""
    return Question(request.param, claude if request.param.startswith("message") else gpt)


@pytest.fixture
def calls(simulator):
    """How often the provider was asked in this test."""
    before = simulator.calls()["total"]
    return lambda: simulator.calls()["total"] - before
