"""Plain HTTP without a client library: the same bytes as from the provider, and both ways to send a key."""

import json

import pytest

from stock import CLAUDE, GPT, SAY_HI

USAGE = {"stream": True, "stream_options": {"include_usage": True}}
CHAT = {"model": GPT, "messages": SAY_HI}
MESSAGES = {"model": CLAUDE, "max_tokens": 60, "messages": SAY_HI}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}

REQUESTS = {
    "chat": ("/v1/chat/completions", CHAT),
    "chat, two choices": ("/v1/chat/completions", CHAT | {"n": 2}),
    "chat streamed": ("/v1/chat/completions", CHAT | USAGE),
    "completion": ("/v1/completions", {"model": GPT, "prompt": "a"}),
    "completion streamed": ("/v1/completions", {"model": GPT, "prompt": "a"} | USAGE),
    "embedding": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}),
    "response": ("/v1/responses", {"model": GPT, "input": "a"}),
    "response streamed": ("/v1/responses", {"model": GPT, "input": "a", "stream": True}),
    "message": ("/v1/messages", MESSAGES),
    "message streamed": ("/v1/messages", MESSAGES | THINKING | {"stream": True}),
    "tokens": ("/v1/messages/count_tokens", {"model": CLAUDE, "messages": SAY_HI}),
    "error": ("/v1/chat/completions", {"model": GPT}),
}


STREAMS = [name for name in REQUESTS if name.endswith("streamed")]
ODDITIES = ["bad-utf8", "split,tokens=8", "crlf", "comments", "malformed", "long-line=200000", "missing-blank"]


@pytest.mark.parametrize(
    "name, behaviour",
    [(name, behaviour) for name in REQUESTS for behaviour in ("", "utf8")]
    + [(name, behaviour) for name in STREAMS for behaviour in ODDITIES],
)
def test_answer_is_the_providers_byte_for_byte(weir, simulator, namespace, name, behaviour):
    path, body = REQUESTS[name]
    headers = {"Authorization": f"Bearer {weir.alice}", "X-Simulate": behaviour} | namespace
    through = weir.request("POST", path, body, headers)
    direct = simulator.request("POST", path, body, headers)
    assert through.body == direct.body and len(direct.body) > 10
    assert through.status == direct.status
    assert through.headers["content-type"] == direct.headers["content-type"]


def test_compressed_answer_comes_unpacked(weir, simulator):
    headers = {"Authorization": f"Bearer {weir.alice}", "Accept-Encoding": "gzip", "Cache-Control": "no-cache"}
    plain = simulator.request("POST", "/v1/chat/completions", CHAT)
    for behaviour in ("gzip", "gzip=force"):
        through = weir.request("POST", "/v1/chat/completions", CHAT, headers | {"X-Simulate": behaviour})
        assert "content-encoding" not in through.headers and through.body == plain.body


def test_compressed_pass_through_is_whole(weir):
    """Some of these answers are read on their way, others are not: either way header and body agree."""
    headers = {"Authorization": f"Bearer {weir.alice}", "X-Simulate": "gzip=force"}
    boundary = headers | {"Content-Type": "multipart/form-data; boundary=b"}
    parts = ['name="purpose"\r\n\r\nbatch', 'name="file"; filename="f"\r\n\r\n{}']
    form = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + "--b--\r\n"
    made = weir.request("POST", "/v1/files", form.encode(), boundary)
    assert made.status == 200 and "content-encoding" not in made.headers
    assert made.json["bytes"] == 2
    listed = weir.request("GET", "/v1/files", headers=headers)
    assert "content-encoding" not in listed.headers and made.json["id"] in [item["id"] for item in listed.json["data"]]
    found = weir.request("GET", f"/v1/files/{made.json['id']}", headers=headers)
    assert found.headers["content-encoding"] == "gzip" and found.body[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("name", ["Authorization", "x-api-key"])
@pytest.mark.parametrize("path, body", [REQUESTS["chat"], REQUESTS["message"], ("/v1/models", None)])
def test_key_is_taken_either_way_on_every_route(strict_weir, name, path, body):
    def status(key):
        headers = {} if key is None else {name: f"Bearer {key}" if name == "Authorization" else key}
        return strict_weir.request("GET" if body is None else "POST", path, body, headers)

    assert status(strict_weir.alice).status == 200
    for wrong in (None, "", "sk-wrong", strict_weir.alice[:-1], strict_weir.alice + "x"):
        refused = status(wrong)
        assert refused.status == 401 and refused.headers["www-authenticate"] == "Bearer"
        kind = "error" if "messages" in path else None
        assert refused.json.get("type") == kind and refused.json["error"]["type"] == "authentication_error"


def test_without_a_key_loopback_may_use_the_ai_routes_and_nothing_else(weir):
    assert weir.request("POST", "/v1/chat/completions", CHAT).status == 200
    assert weir.request("GET", "/v1/files").status == 401
    assert weir.request("GET", "/keys").status == 401
    assert weir.request("POST", "/v1/chat/completions", CHAT, {"X-Forwarded-For": "10.0.0.1"}).status == 401


@pytest.mark.cold
def test_stream_is_sent_as_one(weir, namespace):
    answer = weir.request("POST", "/v1/chat/completions", CHAT | {"stream": True}, namespace)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["transfer-encoding"] == "chunked" and answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-cache" and answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "name, behaviour",
    [("chat streamed", "reset=3000"), ("message streamed", "reset=3000"), ("message streamed", "no-done")],
)
def test_broken_stream_has_no_false_end(weir, namespace, name, behaviour):
    answer = weir.request("POST", *REQUESTS[name], {"X-Simulate": behaviour} | namespace)
    *_, last, empty = answer.body.split(b"\n\n")
    assert empty == b"" and b"[DONE]" not in answer.body and b"message_stop" not in answer.body
    event = json.loads(last.split(b"data: ")[1])
    assert event["error"]["message"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"model":7}', b'{"model":"gpt-4o-mini"} x', b"\xff\xfe"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_broken_body_is_a_bad_request_in_the_routes_dialect(weir, path, text):
    answer = weir.request("POST", path, text)
    assert answer.status == 400 and answer.json["error"]["type"] == "invalid_request_error"
    assert answer.json["error"]["message"]
