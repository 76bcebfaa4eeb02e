"""Messages through the stock Anthropic clients."""

import pytest

from conftest import CANARY
from stock import CLAUDE, GPT, SAY_HI, simulate

CACHED = {"cache_control": {"type": "ephemeral"}}


def ask(claude, **changes):
    return claude.client.messages.create(**({"model": CLAUDE, "max_tokens": 100, "messages": SAY_HI} | changes))


def test_plain_answer(claude):
    answer = claude.wait(ask(claude))
    assert answer.id.startswith("msg_") and answer.type == "message" and answer.model == CLAUDE
    assert [block.type for block in answer.content] == ["text"] and answer.content[0].text
    assert answer.stop_reason == "end_turn" and answer.usage.output_tokens > 0


def test_answer_cut_at_its_limit(claude):
    answer = claude.wait(ask(claude, max_tokens=5))
    assert answer.stop_reason == "max_tokens" and answer.usage.output_tokens == 5


def test_streamed_answer_has_every_event_in_order(claude):
    events = claude.items(claude.wait(ask(claude, stream=True)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert events[-2].delta.stop_reason == "end_turn" and events[-2].usage.output_tokens > 0


def test_stream_helper_gives_text_and_the_whole_message(claude):
    arguments = {"model": CLAUDE, "max_tokens": 100, "messages": SAY_HI}
    with claude.entered(claude.client.messages.stream(**arguments)) as stream:
        texts = claude.items(stream.text_stream)
        message = claude.wait(stream.get_final_message())
    assert len(texts) > 10 and message.content[0].text == "".join(texts)
    assert message.stop_reason == "end_turn" and message.usage.output_tokens == len(texts)


@pytest.mark.cold
def test_every_framing_of_events_gives_the_same_text(claude):
    def text(behaviour):
        how = simulate(f"{behaviour},tokens=12".removeprefix(","))
        events = claude.items(claude.wait(ask(claude, stream=True, **how)))
        return "".join(event.delta.text for event in events if event.type == "content_block_delta")

    plain = text("")
    for behaviour in ("split", "crlf", "comments", "missing-blank", "gzip=force"):
        assert text(behaviour) == plain, behaviour


def test_text_beyond_ascii_survives_both_ways(claude, simulator):
    prompt = [{"role": "user", "content": f"Zürich, 東京, 🙂, \u2028, \"quoted\" \\ {CANARY}"}]
    events = claude.items(claude.wait(ask(claude, messages=prompt, stream=True, **simulate("utf8,split,tokens=12"))))
    text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    assert simulator.last().json["messages"] == prompt
    assert not text.isascii() and "\ufffd" not in text


def test_system_blocks_with_cache_control_are_byte_exact(claude, simulator):
    system = [
        {"type": "text", "text": "x-anthropic-billing-header: v=1; be \u201cbrief\u201d\n"},
        {"type": "text", "text": f"You answer in mode {claude.is_async}.", **CACHED},
    ]
    raw = claude.wait(
        claude.client.messages.with_raw_response.create(
            model=CLAUDE, max_tokens=100, messages=SAY_HI, system=system
        )
    )
    assert simulator.last().body == raw.http_request.content
    first = claude.wait(raw.parse()).usage
    # Asked anew, because this is about the provider's cache and not about Weir's.
    second = claude.wait(ask(claude, system=system, extra_headers={"Cache-Control": "no-cache"})).usage
    assert (first.cache_read_input_tokens, second.cache_creation_input_tokens) == (0, 0)
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens > 0


def test_unknown_fields_and_numbers_are_byte_exact(claude, simulator):
    extra = {"future_field": {"z": [1, 2.50, 1e300], "a": None}, "temperature": 0.30000000000000004}
    raw = claude.wait(
        claude.client.messages.with_raw_response.create(
            model=CLAUDE, max_tokens=100, messages=SAY_HI, extra_body=extra
        )
    )
    assert simulator.last().body == raw.http_request.content
    assert simulator.last().json["future_field"] == extra["future_field"]


def test_alias_goes_to_its_target_and_nothing_else_changes(claude, simulator):
    raw = claude.wait(
        claude.client.messages.with_raw_response.create(model="deep", max_tokens=100, messages=SAY_HI)
    )
    assert simulator.last().body == raw.http_request.content.replace(b'"deep"', f'"{CLAUDE}"'.encode())
    assert claude.wait(raw.parse()).model == CLAUDE


def test_betas_reach_the_provider_unchanged(claude, simulator):
    betas = ["context-1m-2025-08-07", "never-heard-of-2031-01-01"]
    raw = claude.wait(
        claude.client.beta.messages.with_raw_response.create(
            model=CLAUDE, max_tokens=100, messages=SAY_HI, betas=betas
        )
    )
    seen = simulator.last()
    assert seen.uri == raw.http_request.url.raw_path.decode() and claude.wait(raw.parse()).content[0].text
    assert seen.headers["anthropic-beta"] == ",".join(betas)


def test_headers_reach_the_provider_but_no_key_does(claude, simulator, weir):
    raw = claude.wait(
        claude.client.messages.with_raw_response.create(
            model=CLAUDE, max_tokens=100, messages=SAY_HI, extra_headers={"X-Trace": "t-1", "X-Weir-Tags": "a"}
        )
    )
    seen = simulator.last()
    assert seen.headers["anthropic-version"] == raw.http_request.headers["anthropic-version"]
    assert seen.headers["x-trace"] == "t-1" and "Anthropic/Python" in seen.headers["user-agent"]
    assert not {"authorization", "x-api-key", "x-weir-tags", "x-weir-namespace"} & seen.headers.keys()
    assert weir.alice not in str(seen.headers)


@pytest.mark.cold
def test_answer_headers_are_the_providers_and_ours(claude):
    raw = claude.wait(
        claude.client.messages.with_raw_response.create(model=CLAUDE, max_tokens=100, messages=SAY_HI)
    )
    assert raw.headers["request-id"] == claude.wait(raw.parse())._request_id
    assert raw.headers["x-weir-request-id"].startswith("req_")
    assert raw.headers["anthropic-ratelimit-requests-limit"] == "10000"
    assert float(raw.headers["x-weir-cost"]) > 0


def test_tokens_are_counted(claude):
    short = claude.wait(claude.client.messages.count_tokens(model=CLAUDE, messages=SAY_HI))
    long = claude.wait(claude.client.messages.count_tokens(model=CLAUDE, messages=SAY_HI, system="word " * 100))
    assert 0 < short.input_tokens < long.input_tokens


def test_models(claude):
    models = {model.id: model for model in claude.items(claude.client.models.list())}
    assert {"claude-haiku-4-5-20251001", "deep", GPT} <= models.keys()
    one = claude.wait(claude.client.models.retrieve("claude-haiku-4-5-20251001"))
    assert one.type == "model" and one.created_at == models[one.id].created_at and one.created_at.year == 2025
