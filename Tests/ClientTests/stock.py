"""One way to call a stock client, so that every test runs with the synchronous and with the asynchronous one."""

import asyncio
import inspect
import itertools
from contextlib import contextmanager


class Stock:
    def __init__(self, client, runner: asyncio.Runner):
        self.client = client
        self._runner = runner

    @property
    def once(self) -> "Stock":
        """The same client without retries of its own, for tests that want to see the first error."""
        return Stock(self.client.with_options(max_retries=0), self._runner)

    def sending(self, headers: dict) -> "Stock":
        """The same client with headers that every request of it has."""
        return Stock(self.client.with_options(default_headers=headers), self._runner) if headers else self

    @property
    def is_async(self) -> bool:
        return type(self.client).__name__.startswith("Async")

    def wait(self, answer):
        """The answer itself: the asynchronous client gives something to be awaited."""
        return self._runner.run(_awaited(answer)) if inspect.isawaitable(answer) else answer

    def items(self, source) -> list:
        """All items of a stream or of a list with pages."""
        return self.take(source, None)

    def take(self, source, count: int | None) -> list:
        """The first items of a stream, which stays open; `count` None: all of them."""
        if hasattr(source, "__aiter__"):
            return self._runner.run(_taken(source, count))
        found = []
        for item in source:
            found.append(item)
            if len(found) == count:
                break
        return found

    @contextmanager
    def entered(self, manager):
        """`with manager`, also for a manager that wants `async with`."""
        if hasattr(manager, "__enter__"):
            with manager as inside:
                yield inside
            return
        inside = self.wait(manager.__aenter__())
        try:
            yield inside
        finally:
            self.wait(manager.__aexit__(None, None, None))


async def _awaited(answer):
    return await answer


async def _taken(source, count: int | None) -> list:
    found = []
    async for item in source:
        found.append(item)
        if len(found) == count:
            break
    return found


SAY_HI = [{"role": "user", "content": "Say hi."}]
GPT = "gpt-4o-mini"
CLAUDE = "claude-sonnet-4-6"


_numbers = itertools.count()


def simulate(behaviour: str) -> dict:
    """What the provider is to do with this one request, as the argument every stock client takes.

    The cache knows nothing of it: the namespace is what keeps an answer to the same question from being used.
    """
    return {"extra_headers": {"X-Simulate": behaviour, "X-Weir-Namespace": f"simulated-{next(_numbers)}"}}
