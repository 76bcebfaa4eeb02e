"""Weir in front of a simulated provider, started once a session, and the stock clients that talk to it."""

import asyncio
import os

import anthropic
import openai
import pytest

from servers import ADMIN_KEY, Simulator, Weir
from stock import Stock

# A prompt that must be found nowhere on the disk afterwards.
CANARY = "canary-8f2e61d0-prompt"

SETTINGS = """
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


def pytest_configure():
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "ANTHROPIC_")):
            del os.environ[name]


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


def serve(folder, name, simulator, flaky, anonymous):
    settings = SETTINGS.format(anonymous=anonymous, simulator=simulator.url, flaky=flaky.url)
    server = Weir(folder, name, settings)
    keys = [server.create_key("alice", "ai", "passthrough"), server.create_key("bob", "ai", "passthrough")]
    server.alice, server.bob = (key.secret for key in keys)
    yield server
    status = server.stop()
    assert status == 0, f"weir ended with status {status}:\n{server.tail()}"
    check_disk(server)


def check_disk(server):
    """No key and no prompt is in a log or a database."""
    files = [path for path in server.data.rglob("*") if path.is_file()] + [server.log]
    contents = {path.name: path.read_bytes() for path in files}
    for secret in (ADMIN_KEY, server.alice, server.bob, CANARY):
        holders = [name for name, content in contents.items() if secret.encode() in content]
        assert not holders, f"{holders} hold {secret}"
    # The search looks in the right places: what may be there is found.
    for name in ("weir.db", "requests.db", server.log.name):
        assert b"alice" in contents[name], f"{name} does not name its tenants"


@pytest.fixture(scope="session")
def weir(folder, simulator, flaky):
    yield from serve(folder, "weir", simulator, flaky, "loopback")


@pytest.fixture(scope="session")
def strict_weir(folder, simulator, flaky):
    """Serves nobody without a key."""
    yield from serve(folder, "strict", simulator, flaky, "none")


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


def connect(runner, client):
    stock = Stock(client, runner)
    yield stock
    stock.wait(client.close())


# The clients differ from stock use in base_url alone.


@pytest.fixture(scope="session")
def gpt(mode, weir, runner):
    client = openai.OpenAI if mode == "sync" else openai.AsyncOpenAI
    yield from connect(runner, client(base_url=f"{weir.url}/v1", api_key=weir.alice))


@pytest.fixture(scope="session")
def async_gpt(weir, runner):
    """For what only an asynchronous client can do."""
    yield from connect(runner, openai.AsyncOpenAI(base_url=f"{weir.url}/v1", api_key=weir.alice))


@pytest.fixture(scope="session")
def claude(mode, weir, runner):
    client = anthropic.Anthropic if mode == "sync" else anthropic.AsyncAnthropic
    yield from connect(runner, client(base_url=weir.url, api_key=weir.alice))


@pytest.fixture(scope="session")
def other_gpt(mode, weir, runner):
    """The client of another tenant."""
    client = openai.OpenAI if mode == "sync" else openai.AsyncOpenAI
    yield from connect(runner, client(base_url=f"{weir.url}/v1", api_key=weir.bob))
