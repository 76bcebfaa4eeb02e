"""Tools and thinking through the stock Anthropic clients."""

import json

from stock import CLAUDE

THINKING = {"type": "enabled", "budget_tokens": 1_024}


def tool(name: str) -> dict:
    properties = {"city": {"type": "string"}, "days": {"type": "integer"}}
    return {"name": name, "input_schema": {"type": "object", "properties": properties}}


TOOLS = [tool("get_weather"), tool("get_forecast")]
ASK_ONE = [{"role": "user", "content": "What is the weather in Oslo?"}]
ASK_BOTH = [{"role": "user", "content": "Call both tools about the weather."}]


def ask(claude, messages, **changes):
    arguments = {"model": CLAUDE, "max_tokens": 2_048, "messages": messages, "tools": TOOLS}
    return claude.client.messages.create(**(arguments | changes))


def test_tool_is_called_and_its_result_answered(claude):
    answer = claude.wait(ask(claude, ASK_ONE))
    [call] = answer.content
    assert answer.stop_reason == "tool_use" and call.name == "get_weather" and call.id.startswith("toolu_")
    assert call.input.keys() == {"city", "days"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "-3 degrees"}
    turns = [*ASK_ONE, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    answer = claude.wait(ask(claude, turns))
    assert answer.stop_reason == "end_turn" and answer.content[0].text


def test_parallel_calls(claude):
    answer = claude.wait(ask(claude, ASK_BOTH))
    assert [call.name for call in answer.content] == ["get_weather", "get_forecast"]
    assert len({call.id for call in answer.content}) == 2


def test_tool_choice_names_the_tool(claude):
    answer = claude.wait(ask(claude, ASK_ONE, tool_choice={"type": "tool", "name": "get_forecast"}))
    assert answer.content[0].name == "get_forecast"


def test_streamed_parallel_calls_come_in_pieces(claude):
    events = claude.items(claude.wait(ask(claude, ASK_BOTH, stream=True)))
    names = {event.index: event.content_block.name for event in events if event.type == "content_block_start"}
    pieces = {}
    for event in events:
        if event.type == "content_block_delta":
            assert event.delta.type == "input_json_delta"
            pieces.setdefault(event.index, []).append(event.delta.partial_json)
    assert names == {0: "get_weather", 1: "get_forecast"}
    assert all(len(parts) > 2 and json.loads("".join(parts))["city"] for parts in pieces.values())
    assert events[-2].delta.stop_reason == "tool_use"


def test_stream_helper_puts_the_calls_together(claude):
    arguments = {"model": CLAUDE, "max_tokens": 100, "messages": ASK_BOTH, "tools": TOOLS}
    with claude.entered(claude.client.messages.stream(**arguments)) as stream:
        message = claude.wait(stream.get_final_message())
    assert [call.name for call in message.content] == ["get_weather", "get_forecast"]
    assert all(call.input["city"] for call in message.content)


def test_thinking_plain(claude):
    thought, text = claude.wait(ask(claude, [{"role": "user", "content": "Think."}], thinking=THINKING)).content
    assert (thought.type, text.type) == ("thinking", "text")
    assert thought.thinking and thought.signature and text.text


def test_thinking_streamed_keeps_its_signature(claude):
    arguments = {"model": CLAUDE, "max_tokens": 2_048, "messages": [{"role": "user", "content": "Think."}]}
    with claude.entered(claude.client.messages.stream(**arguments, thinking=THINKING)) as stream:
        events = claude.items(stream)
        message = claude.wait(stream.get_final_message())
    thought, text = message.content
    assert "".join(event.thinking for event in events if event.type == "thinking") == thought.thinking
    assert [event.signature for event in events if event.type == "signature"] == [thought.signature]
    assert text.text


def test_thinking_goes_back_as_it_came(claude, simulator):
    question = [{"role": "user", "content": "Think."}]
    answer = claude.wait(ask(claude, question, thinking=THINKING))
    turns = [*question, {"role": "assistant", "content": answer.content}, {"role": "user", "content": "Go on."}]
    assert claude.wait(ask(claude, turns, thinking=THINKING)).content
    seen = simulator.last().json["messages"][1]["content"][0]
    assert (seen["thinking"], seen["signature"]) == (answer.content[0].thinking, answer.content[0].signature)
