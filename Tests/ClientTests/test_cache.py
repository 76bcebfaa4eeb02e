"""Asked again, the stock clients get the same answer, in whatever form they ask, and the provider is not asked."""

import pytest

from asking import QUESTIONS, STREAMED, Question, essence

pytestmark = pytest.mark.cold  # what is warm here, the tests warm themselves

USAGE = {"stream_options": {"include_usage": True}}
NO_USAGE = {"stream_options": {"include_usage": False}}


every_question = pytest.mark.parametrize("question", QUESTIONS, indirect=True)
every_stream = pytest.mark.parametrize("question", STREAMED, indirect=True)


@every_question
def test_second_answer_is_the_first(question, calls):
    first = question.ask("utf8")
    second = question.ask()
    assert first.status == "weir; fwd=miss; stored" and second.is_hit
    assert second.seen == first.seen and second.body == first.body
    assert calls() == 1
    assert int(second.headers["age"]) <= 5 and float(second.headers["x-weir-saved"]) > 0
    assert "age" not in first.headers and float(first.headers["x-weir-cost"]) > 0


@every_stream
def test_second_stream_is_the_first(question, calls):
    first = question.ask("utf8", stream=True)
    # The end of a stream is passed on before the whole is kept: until then others are its followers.
    second = question.ask(stream=True)
    assert first.status == "weir; fwd=miss" and (second.is_hit or second.status == "weir; fwd=miss; collapsed")
    question.wait_until_kept()
    third = question.ask(stream=True)
    assert third.is_hit and third.headers["content-type"].startswith("text/event-stream")
    assert third.seen == second.seen == first.seen and calls() == 1


@every_stream
def test_plain_answer_is_streamed_afterwards(question, calls):
    plain = question.ask("utf8").answer
    options = USAGE if question.name.startswith(("chat", "completion")) else {}
    assert essence(question.assemble(**options)) == essence_of_plain(question, plain)
    assert calls() == 1


@every_stream
def test_streamed_answer_is_plain_afterwards(question, calls):
    options = USAGE if question.name.startswith(("chat", "completion")) else {}
    streamed = question.assemble(**options)
    question.wait_until_kept()
    again = question.ask()
    assert again.is_hit and essence_of_plain(question, again.answer) == essence(streamed)
    assert calls() == 1


def essence_of_plain(question, plain):
    found = essence(plain)
    if question.name.startswith("chat"):
        # In a stream these count the calls.
        for choice in found["choices"]:
            for index, call in enumerate(choice["message"].get("tool_calls", [])):
                call["index"] = index
    return found


@pytest.mark.parametrize("question", ["chat", "chat tools", "completion"], indirect=True)
@pytest.mark.parametrize("first", [{}, {"stream": True}, {"stream": True} | USAGE, {"stream": True} | NO_USAGE])
def test_usage_is_streamed_to_those_who_ask_for_it(question, calls, first):
    question.ask("utf8", **first)
    question.wait_until_kept()
    usage = question.ask().answer.usage
    bare = question.ask(stream=True)
    refused = question.ask(stream=True, **NO_USAGE)
    wanted = question.ask(stream=True, **USAGE)
    assert calls() == 1 and bare.is_hit and refused.is_hit and wanted.is_hit
    assert wanted.answer[-1].choices == [] and wanted.answer[-1].usage == usage and usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in wanted.answer[:-1])
    for chunks in (bare.answer, refused.answer):
        assert all(chunk.choices and chunk.usage is None for chunk in chunks)
        assert [chunk.choices for chunk in chunks] == [chunk.choices for chunk in wanted.answer[:-1]]


@every_question
def test_what_changes_no_answer_is_no_other_question(question, calls):
    """The order of the fields, and who the user is."""
    first = question.ask("utf8").answer
    resource, arguments = QUESTIONS[question.name]
    body = dict(reversed(arguments.items()))
    if resource == "embeddings":
        body["encoding_format"] = "base64"  # which the client asks for by itself
    body |= {"metadata": {"user_id": "somebody"}} if resource == "messages" else {"user": "somebody"}
    path = "/v1/messages" if resource == "messages" else "/" + resource.replace(".", "/")
    again = question.stock.wait(question.stock.client.post(path, body=body, cast_to=object))
    assert again["model"] == first.model and again.get("id") == getattr(first, "id", None)
    assert calls() == 1


@every_question
def test_what_changes_an_answer_asks_again(question, calls):
    known = {"dimensions": 16} if question.name == "embedding" else {"top_p": 0.5}
    question.ask()
    assert not question.ask(extra_body=known).is_hit
    assert not question.ask(extra_body={"future_field": 1}).is_hit
    assert calls() == 3


@pytest.mark.parametrize("question", ["chat", "message"], indirect=True)
def test_answer_of_the_model_is_the_aliass_too(question, calls):
    alias = "fast" if question.name == "chat" else "deep"
    first = question.ask("utf8")
    assert question.ask(model=alias).seen == first.seen and calls() == 1


@every_question
def test_hit_has_a_request_id_for_the_client(question):
    first, second = question.ask().answer, question.ask().answer
    assert second._request_id.startswith("req_") and second._request_id != first._request_id


def test_tenants_share_nothing(gpt, other_gpt, calls):
    mine, theirs = Question("chat", gpt), Question("chat", other_gpt)
    mine.ask("utf8")
    assert not theirs.ask().is_hit and calls() == 2
    assert theirs.ask().seen != mine.ask().seen and calls() == 2


def test_namespaces_share_nothing(gpt, namespace, calls):
    first = Question("chat", gpt)
    second = Question("chat", gpt.sending({"X-Weir-Namespace": namespace["X-Weir-Namespace"] + "-b"}))
    assert first.ask("utf8").seen != second.ask().seen and calls() == 2
    assert first.ask().seen != second.ask().seen and calls() == 2
