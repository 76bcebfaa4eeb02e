"""The built binary as two kinds of process: Weir itself, and the provider it simulates."""

import base64
import http.client
import json
import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

BINARY = Path(os.environ.get("WEIR_BINARY", Path(__file__).parents[2] / ".build/debug/weir"))
START_SECONDS = 20
STOP_SECONDS = 25

ADMIN_KEY = "weir-test-admin-5e1b7c"


class Server:
    """A process that serves on a port of its own choice, named in the first line it prints."""

    def __init__(self, folder: Path, name: str, *arguments: str):
        self.log = folder / f"{name}.log"
        command = [str(BINARY), *arguments, "--listen", "127.0.0.1:0"]
        # Nothing of the developer's environment: a proxy or a provider's key would change what is tested.
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ADMIN_KEY": ADMIN_KEY}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.banner = self._first_line()
        self.port = self._port()

    def _first_line(self) -> str:
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        return self.process.stdout.readline().strip() if ready else ""

    def _port(self) -> int:
        found = re.search(r" on http://127\.0\.0\.1:(\d+)", self.banner)
        if found is None:
            self.process.kill()
            raise RuntimeError(f"{BINARY} did not start: {self.banner!r}\n{self.tail()}")
        return int(found[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4_000:]

    def stop(self) -> int:
        """Asks it to end in order. Returns its exit status; -9 when it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()

    def request(
        self, method: str, path: str, body: bytes | dict | None = None, headers: dict | None = None
    ) -> "Answer":
        """One plain HTTP request on a new connection, no client library in between."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        fields = {"Content-Type": "application/json"} if body is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, fields | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Weir(Server):
    def __init__(self, folder: Path, name: str, settings: str):
        file = folder / f"{name}.conf"
        file.write_text(settings)
        self.data = folder / f"{name}-data"
        super().__init__(folder, name, "serve", "--config", str(file), "--data", str(self.data))

    def create_key(self, name: str, *scopes: str) -> "Key":
        answer = self.request(
            "POST", "/keys", {"name": name, "scopes": list(scopes)}, {"Authorization": f"Bearer {ADMIN_KEY}"}
        )
        assert answer.status == 201, answer.body
        return Key(answer.json["id"], answer.json["key"])

    def revoke_key(self, key: "Key"):
        answer = self.request("DELETE", f"/keys/{key.id}", headers={"Authorization": f"Bearer {ADMIN_KEY}"})
        assert answer.status == 200, answer.body


@dataclass
class Key:
    id: str
    secret: str


class Simulator(Server):
    def __init__(self, folder: Path, name: str = "simulator", *arguments: str):
        super().__init__(folder, name, "simulate", *arguments)

    def calls(self) -> dict:
        return self.request("GET", "/simulator/calls").json

    def reset(self):
        self.request("POST", "/simulator/reset", b"")

    def last(self) -> "Seen":
        seen = self.request("GET", "/simulator/last").json
        headers = {name.lower(): value for name, value in seen["headers"]}
        return Seen(seen["method"], seen["uri"], headers, base64.b64decode(seen["bodyBase64"]))

    def wait_until(self, condition, seconds: float = 5):
        """Waits for what the simulator counts: `condition` gets its counts."""
        deadline = time.monotonic() + seconds
        while not condition(counts := self.calls()):
            assert time.monotonic() < deadline, f"not within {seconds} s: {counts}"
            time.sleep(0.01)


@dataclass
class Seen:
    """A request as the provider got it; header names in lower case."""

    method: str
    uri: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)
