"""Chat completions through the stock OpenAI clients."""

import json

import pytest

from conftest import CANARY
from stock import GPT, SAY_HI, simulate


def text_of(chunks, index=0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


def test_plain_answer(gpt):
    answer = gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI))
    assert answer.object == "chat.completion" and answer.model == GPT
    assert answer.choices[0].message.role == "assistant" and answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_streamed_answer_shows_no_usage_that_was_not_asked_for(gpt, simulator):
    chunks = gpt.items(gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, stream=True)))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(text_of(chunks).split()) >= 10
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    # Weir itself asks for it, for its ledger.
    assert simulator.last().json["stream_options"] == {"include_usage": True}


def test_streamed_answer_ends_with_the_usage_that_was_asked_for(gpt):
    chunks = gpt.items(
        gpt.wait(
            gpt.client.chat.completions.create(
                model=GPT, messages=SAY_HI, stream=True, stream_options={"include_usage": True}
            )
        )
    )
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_stream_helper_puts_the_answer_together(gpt):
    with gpt.entered(gpt.client.chat.completions.stream(model=GPT, messages=SAY_HI)) as stream:
        events = gpt.items(stream)
        answer = gpt.wait(stream.get_final_completion())
    deltas = [event.delta for event in events if event.type == "content.delta"]
    assert answer.choices[0].message.content == "".join(deltas) != ""


def test_several_choices_plain(gpt):
    answer = gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, n=2))
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.content != answer.choices[1].message.content


def test_several_choices_streamed(gpt):
    chunks = gpt.items(gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, n=2, stream=True)))
    texts = [text_of(chunks, 0), text_of(chunks, 1)]
    assert all(texts) and texts[0] != texts[1]
    assert sorted(c.index for chunk in chunks for c in chunk.choices if c.finish_reason) == [0, 1]


def test_answer_cut_at_its_limit(gpt):
    answer = gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, max_completion_tokens=5))
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 5


def test_response_format_reaches_the_provider(gpt, simulator):
    schema = {"type": "object", "properties": {"b": {"type": "number"}, "a": {"type": "string"}}, "required": ["b"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "shape", "strict": True, "schema": schema}}
    gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, response_format=wanted))
    seen = simulator.last().json["response_format"]
    assert json.dumps(seen) == json.dumps(wanted)  # the order of the keys too


def test_logprobs_stay_null(gpt, simulator):
    raw = gpt.wait(gpt.client.chat.completions.with_raw_response.create(model=GPT, messages=SAY_HI, logprobs=True))
    assert raw.parse().choices[0].logprobs is None and '"logprobs":null' in raw.text
    assert simulator.last().json["logprobs"] is True


def test_text_beyond_ascii_survives_both_ways(gpt, simulator):
    prompt = [{"role": "user", "content": f"Zürich, 東京, 🙂, \u2028, \x7f, \"quoted\" \\ {CANARY}"}]
    how = simulate("utf8,split,tokens=12")
    chunks = gpt.items(gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=prompt, stream=True, **how)))
    assert simulator.last().json["messages"] == prompt
    assert not text_of(chunks).isascii() and "\ufffd" not in text_of(chunks)


def test_alias_goes_to_its_target_and_nothing_else_changes(gpt, simulator):
    raw = gpt.wait(gpt.client.chat.completions.with_raw_response.create(model="fast", messages=SAY_HI, seed=7))
    assert simulator.last().body == raw.http_request.content.replace(b'"fast"', b'"gpt-4o-mini"')
    assert raw.parse().model == GPT


def test_body_reaches_the_provider_byte_for_byte(gpt, simulator):
    future = {"future_field": {"z": [1, 2.50, 1e300], "a": None, "ü": "\u2603"}, "service_tier": "flex"}
    raw = gpt.wait(
        gpt.client.chat.completions.with_raw_response.create(
            model=GPT, messages=SAY_HI, temperature=0.30000000000000004, extra_body=future
        )
    )
    seen = simulator.last()
    assert seen.body == raw.http_request.content
    assert seen.json["future_field"] == future["future_field"]


def test_headers_and_query_reach_the_provider_but_no_key_does(gpt, simulator, weir):
    gpt.wait(
        gpt.client.with_options(organization="org-1", project="proj-1").chat.completions.create(
            model=GPT,
            messages=SAY_HI,
            extra_headers={"X-Trace": "t-1", "Idempotency-Key": "i-1", "X-Weir-Tags": "a,b", "Cookie": "c=1"},
            extra_query={"api-version": "2026-01-01"},
        )
    )
    seen = simulator.last()
    assert seen.uri == "/v1/chat/completions?api-version=2026-01-01"
    assert seen.headers["x-trace"] == "t-1" and seen.headers["idempotency-key"] == "i-1"
    assert seen.headers["openai-organization"] == "org-1" and seen.headers["openai-project"] == "proj-1"
    assert seen.headers["user-agent"].startswith(("OpenAI/Python", "AsyncOpenAI/Python"))
    assert not {"authorization", "x-api-key", "cookie", "x-weir-tags", "x-weir-namespace"} & seen.headers.keys()
    assert weir.alice not in str(seen.headers)


@pytest.mark.cold
def test_answer_headers_are_the_providers_and_ours(gpt):
    raw = gpt.wait(gpt.client.chat.completions.with_raw_response.create(model=GPT, messages=SAY_HI))
    assert raw.headers["x-request-id"] == raw.parse()._request_id
    assert raw.headers["x-weir-request-id"].startswith("req_")
    assert raw.headers["x-weir-request-id"] != raw.headers["x-request-id"]
    assert raw.headers["x-ratelimit-limit-requests"] == "10000"
    assert int(raw.headers["x-ratelimit-remaining-requests"]) > 0
    assert raw.headers["openai-processing-ms"] and "weir;dur=" in raw.headers["server-timing"]
    assert float(raw.headers["x-weir-cost"]) > 0


@pytest.mark.cold
def test_every_framing_of_events_gives_the_same_text(gpt):
    def ask(behaviour):
        how = simulate(f"{behaviour},tokens=12".removeprefix(","))
        stream = gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, stream=True, **how)
        return text_of(gpt.items(gpt.wait(stream)))

    plain = ask("")
    for behaviour in ("split", "crlf", "comments", "missing-blank", "no-usage", "usage-delta", "no-done", "gzip=force"):
        assert ask(behaviour) == plain, behaviour
