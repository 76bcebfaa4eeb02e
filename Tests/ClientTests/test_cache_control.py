"""What the stock clients ask of the cache with `default_headers={"Cache-Control": …}`, and what it never keeps."""

import anthropic
import openai
import pytest

from asking import QUESTIONS, STREAMED, Question

pytestmark = pytest.mark.cold

BOTH = pytest.mark.parametrize("question", ["chat", "response", "message", "embedding"], indirect=True)
TEXTS = pytest.mark.parametrize("question", ["chat", "response", "message"], indirect=True)

PROVIDERS_TOOLS = [{"type": "web_search"}, {"type": "code_interpreter", "container": {"type": "auto"}}]


def saying(question, directives: str) -> Question:
    """The same client with a `Cache-Control` of its own on every request."""
    return Question(question.name, question.stock.once.sending({"Cache-Control": directives}))


@BOTH
@pytest.mark.parametrize("directives", ["no-cache", "max-age=0"])
def test_no_cache_asks_again_and_keeps_the_new_answer(question, calls, directives):
    question.ask("tokens=10" if question.name != "embedding" else "")
    fresh = saying(question, directives).ask()
    assert not fresh.is_hit and calls() == 2
    kept = question.ask("tokens=10")
    assert kept.is_hit and kept.seen == fresh.seen and calls() == 2


@BOTH
def test_no_store_neither_uses_nor_keeps(question, calls):
    private = saying(question, "no-store")
    assert "hit" not in private.ask().status and not question.ask().is_hit
    assert "hit" not in private.ask().status and calls() == 3
    assert private.ask().status == "weir; fwd=bypass; detail=no_store"


@TEXTS
def test_max_age_opts_in_where_randomness_was_asked_for(question, calls):
    warm = {"extra_body": {"temperature": 0.7}}
    assert question.ask(**warm).status == question.ask(**warm).status == "weir; fwd=bypass; detail=randomness"
    assert calls() == 2
    patient = saying(question, "max-age=60")
    first = patient.ask("utf8", **warm)
    second = patient.ask(**warm)
    assert second.is_hit and second.seen == first.seen and calls() == 3
    # The others still get a new one each time.
    assert "hit" not in question.ask(**warm).status and calls() == 4


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_only_if_cached(question, calls, stream):
    options = {"stream": True} if stream and question.name in STREAMED else {}
    cautious = saying(question, "only-if-cached")
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
        cautious.ask(**options)
    assert caught.value.status_code == 504 and "only-if-cached" in caught.value.message and calls() == 0
    question.ask()
    assert cautious.ask(**options).is_hit and calls() == 1


@TEXTS
@pytest.mark.parametrize("behaviour", ["status=500", "reset=0", "html=200", "truncate"])
def test_failure_is_not_kept(question, calls, behaviour):
    question = Question(question.name, question.stock.once)
    with pytest.raises((openai.APIError, anthropic.APIError)):
        question.ask(behaviour)
    before = calls()  # with reset=0 perhaps 2: Weir sends again what a kept connection did not take
    assert not question.ask().is_hit and question.ask().is_hit and calls() == before + 1


@TEXTS
@pytest.mark.parametrize("behaviour", ["reset=600", "close=600", "error-mid=4", "error-first"])
def test_broken_stream_is_not_kept(question, calls, behaviour):
    question = Question(question.name, question.stock.once)
    try:
        broken = question.ask(behaviour, stream=True).answer
    except (openai.APIError, anthropic.APIError):
        broken = None
    # Responses have their errors as events.
    assert broken is None or question.name.startswith("response") and broken[-1].type in ("error", "response.failed")
    whole = question.ask()
    assert not whole.is_hit and question.ask().seen == whole.seen and calls() == 2


@TEXTS
def test_stream_that_is_left_is_not_kept(question, simulator, calls):
    before = simulator.calls()["cancelled"]
    arguments = QUESTIONS[question.name][1] | {"stream": True, "extra_headers": {"X-Simulate": "tps=20"}}
    stream = question.stock.wait(question.resource.create(**arguments))
    question.stock.take(stream, 1)
    question.stock.wait(stream.close())
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)
    whole = question.ask()
    assert not whole.is_hit and question.ask().seen == whole.seen and calls() == 2


@pytest.mark.parametrize("question", ["chat", "completion", "response", "message"], indirect=True)
def test_answer_cut_at_its_limit_is_not_kept(question, calls):
    name = {"chat": "max_completion_tokens", "response": "max_output_tokens"}.get(question.name, "max_tokens")
    for _ in range(2):
        assert question.ask(**{name: 16}).status == "weir; fwd=miss; detail=unfinished"
    assert calls() == 2


def test_answer_that_the_provider_keeps_is_not_kept_here(gpt, calls):
    question = Question("response", gpt)
    for store in (True, True, openai.omit, openai.omit):
        assert question.ask(store=store).status == "weir; fwd=bypass; detail=stored"
    assert calls() == 4


@pytest.mark.parametrize("tool", PROVIDERS_TOOLS, ids=lambda tool: tool["type"])
def test_tools_of_the_provider_are_used_each_time(gpt, calls, tool):
    question = Question("response", gpt)
    for _ in range(2):
        assert question.ask(tools=[tool]).status == "weir; fwd=bypass; detail=server_tool"
    assert calls() == 2


@pytest.mark.parametrize(
    "part, reason",
    [
        ({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}, "remote_url"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file_id"),
    ],
)
def test_what_may_change_elsewhere_is_asked_each_time(gpt, part, reason):
    question = Question("chat", gpt)
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}]
    for _ in range(2):
        assert question.ask(messages=messages).status == f"weir; fwd=bypass; detail={reason}"


def test_image_that_comes_with_the_question_is_no_obstacle(gpt, calls):
    question = Question("chat", gpt)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    first = question.ask("utf8", messages=messages)
    assert question.ask(messages=messages).seen == first.seen and calls() == 1


def test_several_choices_are_new_each_time_unless_kept_ones_will_do(gpt):
    question = Question("chat", gpt)
    assert question.ask(n=2).status == "weir; fwd=bypass; detail=several_choices"
    first = question.ask("utf8", cache_control="max-age=60", n=2)
    second = question.ask(cache_control="max-age=60", n=2)
    assert second.is_hit and second.seen == first.seen and len(first.answer.choices) == 2
