"""Responses through the stock OpenAI clients: made, streamed, kept, gone on with, deleted."""

import json

import openai
import pytest

from stock import GPT, simulate
from test_openai_tools import ASK_BOTH, ASK_ONE

# The provider keeps these answers under their ids, so Weir does not.
pytestmark = pytest.mark.cold

TOOLS = [
    {"type": "function", "name": name, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    for name in ("get_weather", "get_forecast")
]


def test_plain_answer(gpt):
    answer = gpt.wait(gpt.client.responses.create(model=GPT, input="Say hi.", instructions="Be brief."))
    assert answer.id.startswith("resp_") and answer.status == "completed"
    assert answer.output_text and answer.instructions == "Be brief."
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_streamed_answer(gpt):
    events = gpt.items(gpt.wait(gpt.client.responses.create(model=GPT, input="Say hi.", stream=True)))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text != ""
    assert events[-1].response.usage.output_tokens > 0


def test_stream_helper_puts_the_answer_together(gpt):
    with gpt.entered(gpt.client.responses.stream(model=GPT, input="Say hi.")) as stream:
        gpt.items(stream)
        answer = gpt.wait(stream.get_final_response())
    assert answer.status == "completed" and answer.output_text


def test_tools_plain_and_streamed(gpt):
    answer = gpt.wait(gpt.client.responses.create(model=GPT, input=ASK_BOTH, tools=TOOLS))
    assert [(item.type, item.name) for item in answer.output] == [
        ("function_call", "get_weather"),
        ("function_call", "get_forecast"),
    ]
    events = gpt.items(gpt.wait(gpt.client.responses.create(model=GPT, input=ASK_BOTH, tools=TOOLS, stream=True)))
    deltas = {}
    for event in events:
        if event.type == "response.function_call_arguments.delta":
            deltas[event.output_index] = deltas.get(event.output_index, "") + event.delta
    done = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert [deltas[event.output_index] for event in done] == [event.arguments for event in done]
    assert len(done) == 2 and all(json.loads(event.arguments)["city"] for event in done)


def test_tool_result_is_answered(gpt):
    first = gpt.wait(gpt.client.responses.create(model=GPT, input=ASK_ONE, tools=TOOLS))
    result = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": '{"celsius":-3}'}
    second = gpt.wait(
        gpt.client.responses.create(model=GPT, input=[result], tools=TOOLS, previous_response_id=first.id)
    )
    assert second.output_text and second.previous_response_id == first.id


def test_stored_response_is_found_again_and_deleted(gpt):
    made = gpt.wait(gpt.client.responses.create(model=GPT, input="Keep this.", metadata={"n": "1"}))
    found = gpt.wait(gpt.client.responses.retrieve(made.id))
    assert found.output_text == made.output_text and found.metadata == {"n": "1"}
    items = gpt.items(gpt.client.responses.input_items.list(made.id))
    assert items[0].content[0].text == "Keep this."
    gpt.wait(gpt.client.responses.delete(made.id))
    with pytest.raises(openai.NotFoundError):
        gpt.wait(gpt.client.responses.retrieve(made.id))


def test_streamed_response_is_found_again(gpt):
    events = gpt.items(gpt.wait(gpt.client.responses.create(model=GPT, input="Keep that.", stream=True)))
    made = events[-1].response
    assert gpt.wait(gpt.client.responses.retrieve(made.id)).output_text == made.output_text


def test_conversation_goes_on(gpt, simulator):
    first = gpt.wait(gpt.client.responses.create(model=GPT, input="One."))
    second = gpt.wait(gpt.client.responses.create(model="fast", input="Two.", previous_response_id=first.id))
    assert second.previous_response_id == first.id and second.model == GPT
    assert simulator.last().json["previous_response_id"] == first.id


def test_unknown_conversation_is_not_found(gpt):
    with pytest.raises(openai.NotFoundError):
        gpt.wait(gpt.client.responses.create(model=GPT, input="Two.", previous_response_id="resp_nobody"))


def test_another_tenants_response_is_not_found(gpt, other_gpt):
    made = gpt.wait(gpt.client.responses.create(model=GPT, input="Mine."))
    for refused in (
        lambda: other_gpt.client.responses.retrieve(made.id),
        lambda: other_gpt.client.responses.delete(made.id),
        lambda: other_gpt.client.responses.create(model=GPT, input="Two.", previous_response_id=made.id),
    ):
        with pytest.raises(openai.NotFoundError):
            other_gpt.wait(refused())
    assert gpt.wait(gpt.client.responses.retrieve(made.id)).id == made.id


def test_background_response_is_cancelled(gpt):
    made = gpt.wait(gpt.client.responses.create(model=GPT, input="Take your time.", background=True))
    assert made.status == "queued"
    assert gpt.wait(gpt.client.responses.cancel(made.id)).status == "cancelled"
    assert gpt.wait(gpt.client.responses.retrieve(made.id)).status == "cancelled"


def test_response_that_is_not_stored_is_not_found(gpt):
    made = gpt.wait(gpt.client.responses.create(model=GPT, input="Forget this.", store=False))
    with pytest.raises(openai.NotFoundError):
        gpt.wait(gpt.client.responses.retrieve(made.id))


def test_input_tokens_are_counted(gpt):
    assert gpt.wait(gpt.client.responses.input_tokens.count(model=GPT, input="How many?")).input_tokens > 0


def test_broken_stream_ends_with_an_error_event(gpt):
    stream = gpt.client.responses.create(model=GPT, input="Say hi.", stream=True, **simulate("reset=3000"))
    events = gpt.items(gpt.wait(stream))
    assert events[-1].type == "error" and events[-1].message
    assert not any(event.type == "response.completed" for event in events)
    # Numbered on, as the format wants: clients that resume a stream compare the numbers.
    assert [event.sequence_number for event in events] == list(range(len(events)))
