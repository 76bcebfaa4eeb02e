"""Equal questions at the same time: one call of the provider, and an answer for each stock client."""

import asyncio

import pytest

from asking import QUESTIONS, Question
from stock import Stock

pytestmark = pytest.mark.cold

COUNT = 20
EVERY = pytest.mark.parametrize("question", QUESTIONS, indirect=True)
SLOW = "first-token=60ms,latency=60ms,tps=2000"


@pytest.fixture
def question(request, async_gpt, async_claude):
    return Question(request.param, async_claude if request.param.startswith("message") else async_gpt)


def together(question, count=COUNT, behaviour=SLOW, **each):
    """Asks so often at once; `each` gives the changes of the n-th."""

    async def one(number):
        changes = each["changes"](number) if each else {}
        arguments = QUESTIONS[question.name][1] | {"extra_headers": {"X-Simulate": behaviour}} | changes
        raw = await question.resource.with_raw_response.create(**arguments)
        parsed = raw.parse()
        parsed = await parsed if asyncio.iscoroutine(parsed) else parsed
        if changes.get("stream"):
            return raw.headers["cache-status"], [event.model_dump() async for event in parsed]
        return raw.headers["cache-status"], parsed.model_dump()

    async def all_of_them():
        return await asyncio.gather(*(one(number) for number in range(count)))

    return question.stock.wait(all_of_them())


@EVERY
def test_equal_questions_make_one_call(question, calls):
    found = together(question)
    assert calls() == 1
    assert all(answer == found[0][1] for _, answer in found)
    statuses = [status for status, _ in found]
    assert statuses.count("weir; fwd=miss; stored") == 1
    assert all("collapsed" in status or "hit" in status for status in statuses if "stored" not in status), statuses


@pytest.mark.parametrize("question", [name for name in QUESTIONS if name != "embedding"], indirect=True)
def test_equal_streams_make_one_call(question, calls):
    found = together(question, 8, changes=lambda number: {"stream": True})
    assert calls() == 1 and all(events == found[0][1] for _, events in found)


@pytest.mark.parametrize("question", [name for name in QUESTIONS if name != "embedding"], indirect=True)
def test_plain_and_streamed_share_a_call(question, calls):
    found = together(question, 8, changes=lambda number: {"stream": True} if number % 2 else {})
    plain, streamed = [answer for _, answer in found[::2]], [answer for _, answer in found[1::2]]
    assert calls() == 1
    assert all(answer == plain[0] for answer in plain)
    assert all(events == streamed[0] for events in streamed)
    first = streamed[0][0]
    assert plain[0]["id"] == (first.get("id") or first.get("response", first.get("message"))["id"])


@pytest.mark.parametrize("question", ["chat", "message", "embedding"], indirect=True)
def test_tenants_do_not_share_a_call(question, weir, runner, calls):
    other = Question(question.name, Stock(question.stock.client.with_options(api_key=weir.bob), runner))
    resources = [question.resource, other.resource]
    headers = {"extra_headers": {"X-Simulate": SLOW}}

    async def all_of_them():
        arguments = QUESTIONS[question.name][1] | headers
        return await asyncio.gather(*(resources[number % 2].create(**arguments) for number in range(COUNT)))

    assert len(question.stock.wait(all_of_them())) == COUNT and calls() == 2


@pytest.mark.parametrize("question", ["chat", "message"], indirect=True)
def test_those_who_want_a_new_answer_get_one_each(question, calls):
    fresh = {"extra_headers": {"X-Simulate": SLOW, "Cache-Control": "no-cache"}}
    together(question, 5, changes=lambda number: fresh)
    assert calls() == 5


@pytest.mark.parametrize("question", ["chat", "response", "message"], indirect=True)
def test_one_who_leaves_does_not_end_it_for_the_others(question, simulator, calls):
    """Also when it is the one who asked first."""
    before = simulator.calls()["cancelled"]
    arguments = QUESTIONS[question.name][1] | {"stream": True, "extra_headers": {"X-Simulate": "tps=100,tokens=40"}}

    async def follow(has_begun):
        events = []
        async for event in await question.resource.create(**arguments):
            events.append(event.model_dump())
            has_begun.set()
        return events

    async def all_of_them():
        first = await question.resource.create(**arguments)
        begun = [asyncio.Event() for _ in range(5)]
        others = [asyncio.create_task(follow(has_begun)) for has_begun in begun]
        await asyncio.gather(*(has_begun.wait() for has_begun in begun))
        await first.close()
        return await asyncio.gather(*others)

    found = question.stock.wait(all_of_them())
    assert calls() == 1 and simulator.calls()["cancelled"] == before
    assert len(found[0]) >= 40 and all(events == found[0] for events in found)


@pytest.mark.parametrize("question", ["chat", "message"], indirect=True)
def test_all_who_leave_end_it(question, simulator, calls):
    before = simulator.calls()["cancelled"]

    async def one():
        arguments = QUESTIONS[question.name][1] | {"extra_headers": {"X-Simulate": "hang"}}
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(question.resource.create(**arguments), 0.2)

    async def all_of_them():
        await asyncio.gather(*(one() for _ in range(5)))

    question.stock.wait(all_of_them())
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)
    assert calls() == 1


@pytest.mark.parametrize("question", ["chat", "message"], indirect=True)
def test_error_is_for_all_who_wait(question, calls):
    """No stampede: the clients' own retries are off here."""
    once = Question(question.name, question.stock.once)

    async def one():
        arguments = QUESTIONS[question.name][1] | {"extra_headers": {"X-Simulate": "latency=250ms,status=400"}}
        try:
            await once.resource.create(**arguments)
        except Exception as error:
            return error.status_code

    async def all_of_them():
        return await asyncio.gather(*(one() for _ in range(COUNT)))

    assert question.stock.wait(all_of_them()) == [400] * COUNT and calls() == 1
