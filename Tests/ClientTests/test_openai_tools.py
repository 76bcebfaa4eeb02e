"""Tools through the stock OpenAI clients: asked for, called, answered."""

import json

from stock import GPT


def function(name: str) -> dict:
    properties = {"city": {"type": "string"}, "days": {"type": "integer"}}
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}


TOOLS = [function("get_weather"), function("get_forecast")]
ASK_ONE = [{"role": "user", "content": "What is the weather in Oslo?"}]
ASK_BOTH = [{"role": "user", "content": "Call both tools about the weather."}]


def test_tool_is_called_and_its_result_answered(gpt):
    messages = list(ASK_ONE)
    answer = gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=messages, tools=TOOLS))
    assert answer.choices[0].finish_reason == "tool_calls" and answer.choices[0].message.content is None
    [call] = answer.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments).keys() == {"city", "days"}
    messages += [answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": '{"celsius":-3}'}]
    answer = gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=messages, tools=TOOLS))
    assert answer.choices[0].finish_reason == "stop" and answer.choices[0].message.content


def test_parallel_calls(gpt):
    answer = gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=ASK_BOTH, tools=TOOLS))
    calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_forecast"]
    assert len({call.id for call in calls}) == 2


def test_parallel_calls_can_be_switched_off(gpt):
    answer = gpt.wait(
        gpt.client.chat.completions.create(model=GPT, messages=ASK_BOTH, tools=TOOLS, parallel_tool_calls=False)
    )
    assert len(answer.choices[0].message.tool_calls) == 1


def test_tool_choice_names_the_tool(gpt):
    choice = {"type": "function", "function": {"name": "get_forecast"}}
    answer = gpt.wait(
        gpt.client.chat.completions.create(model=GPT, messages=ASK_ONE, tools=TOOLS, tool_choice=choice)
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "get_forecast"


def test_streamed_parallel_calls_come_in_pieces_by_index(gpt):
    chunks = gpt.items(
        gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=ASK_BOTH, tools=TOOLS, stream=True))
    )
    names, arguments, pieces = {}, {}, 0
    for delta in (call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []):
        if delta.id:
            assert delta.index not in names
            names[delta.index] = delta.function.name
        arguments[delta.index] = arguments.get(delta.index, "") + delta.function.arguments
        pieces += 1
    assert names == {0: "get_weather", 1: "get_forecast"} and pieces > 4
    assert all(json.loads(text).keys() == {"city", "days"} for text in arguments.values())
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_stream_helper_puts_the_calls_together(gpt):
    with gpt.entered(gpt.client.chat.completions.stream(model=GPT, messages=ASK_BOTH, tools=TOOLS)) as stream:
        gpt.items(stream)
        calls = gpt.wait(stream.get_final_completion()).choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_forecast"]
    assert all(json.loads(call.function.arguments)["city"] for call in calls)
