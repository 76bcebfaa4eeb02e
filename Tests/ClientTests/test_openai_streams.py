"""Streams that are left early or die, through the stock OpenAI clients."""

import asyncio

import openai
import pytest

from stock import GPT, SAY_HI, simulate
from test_openai_chat import text_of

pytestmark = pytest.mark.cold


def stream(gpt, behaviour, **options):
    arguments = {"model": GPT, "messages": SAY_HI, "stream": True} | simulate(behaviour) | options
    return gpt.wait(gpt.client.chat.completions.create(**arguments))


def test_first_token_comes_while_the_provider_still_writes(gpt, simulator):
    chunks = stream(gpt, "tps=100,tokens=40")
    gpt.take(chunks, 2)
    assert simulator.calls()["active"] == 1
    assert len(text_of(gpt.items(chunks)).split()) > 20


def test_stream_closed_early_is_cancelled_at_the_provider(gpt, simulator):
    before = simulator.calls()["cancelled"]
    chunks = stream(gpt, "tps=50,tokens=5000")
    gpt.take(chunks, 3)
    gpt.wait(chunks.close())
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)
    assert gpt.wait(gpt.client.chat.completions.create(model=GPT, messages=SAY_HI)).choices


def test_client_that_stops_waiting_for_the_first_token_cancels_too(gpt, simulator):
    before = simulator.calls()["cancelled"]
    with pytest.raises(openai.APITimeoutError):
        stream(gpt.once, "first-token=30s,latency=30s", timeout=0.25)
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)


def test_task_that_is_cancelled_cancels_at_the_provider(async_gpt, simulator):
    before = simulator.calls()["cancelled"]

    async def give_up():
        call = async_gpt.client.chat.completions.create(model=GPT, messages=SAY_HI, **simulate("hang"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(call, 0.25)

    async_gpt.wait(give_up())
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)


@pytest.mark.parametrize("behaviour", ["reset=6000", "close=6000", "bad-chunk,no-done,close=6000"])
def test_provider_that_dies_in_the_middle_is_an_error_not_an_end(gpt, behaviour):
    chunks = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in iterate(gpt, stream(gpt, behaviour)):
            chunks.append(chunk)
    assert text_of(chunks) and caught.value.message
    assert not any(choice.finish_reason for chunk in chunks for choice in chunk.choices)


def iterate(gpt, chunks):
    """One by one, so that what came before the error is seen."""
    while True:
        got = gpt.take(chunks, 1)
        if not got:
            return
        yield got[0]


def test_providers_own_error_in_the_middle_passes(gpt):
    chunks = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in iterate(gpt, stream(gpt, "error-mid=4,tps=200")):
            chunks.append(chunk)
    assert len(text_of(chunks).split()) == 4
    assert caught.value.message == "Overloaded" and caught.value.body["code"] == "overloaded"


def test_error_before_the_first_token_keeps_a_status_that_clients_retry(gpt):
    with pytest.raises(openai.InternalServerError) as caught:
        stream(gpt.once, "error-first")
    assert caught.value.status_code >= 500 and caught.value.message.endswith("Overloaded")


def test_silent_provider_runs_into_the_clients_timeout(gpt, simulator):
    chunks = stream(gpt.once, "stall=5", timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        gpt.items(chunks)
    simulator.wait_until(lambda counts: counts["active"] == 0)


def test_many_streams_at_once_do_not_mix(async_gpt):
    completions = async_gpt.client.chat.completions

    async def one(number):
        prompt = [{"role": "user", "content": f"Number {number}"}]
        arguments = {"model": GPT, "messages": prompt, "seed": number}
        plain = await completions.create(**arguments)
        options = {"stream": True, "stream_options": {"include_usage": True}} | simulate("tps=200")
        chunks = [chunk async for chunk in await completions.create(**arguments, **options)]
        assert chunks[-1].usage.completion_tokens == sum(bool(text_of([chunk])) for chunk in chunks)
        return plain.id, chunks[0].id, {chunk.id for chunk in chunks}

    async def all_of_them():
        return await asyncio.gather(*(one(number) for number in range(60)))

    found = async_gpt.wait(all_of_them())
    assert all(ids == {first} for _, first, ids in found)
    assert len({plain for plain, _, _ in found}) == len({first for _, first, _ in found}) == 60
