"""The same few questions through both stock clients, and what of their answers must be equal."""

import time
from dataclasses import dataclass

import anthropic
import openai
from openai.lib.streaming.chat import ChatCompletionStreamState

import test_anthropic_tools as anthropic_tools
import test_openai_responses as response_tools
import test_openai_tools as openai_tools
from stock import CLAUDE, GPT, SAY_HI, Stock
from test_openai_embeddings import EMBEDDER, INSTRUCT

RESPONSE = {"model": GPT, "store": False}
MESSAGE = {"model": CLAUDE, "max_tokens": 2_048}
PARSED = {"parsed", "parsed_arguments", "parsed_output"}

# By name: the resource whose `create` asks, and the arguments.
QUESTIONS = {
    "chat": ("chat.completions", {"model": GPT, "messages": SAY_HI}),
    "chat tools": (
        "chat.completions",
        {"model": GPT, "messages": openai_tools.ASK_BOTH, "tools": openai_tools.TOOLS},
    ),
    "completion": ("completions", {"model": INSTRUCT, "prompt": "a"}),
    "response": ("responses", RESPONSE | {"input": "Say hi."}),
    "response tools": ("responses", RESPONSE | {"input": openai_tools.ASK_BOTH, "tools": response_tools.TOOLS}),
    "embedding": ("embeddings", {"model": EMBEDDER, "input": ["river", "bank"]}),
    "message": ("messages", MESSAGE | {"messages": SAY_HI}),
    "message tools": ("messages", MESSAGE | {"messages": anthropic_tools.ASK_BOTH, "tools": anthropic_tools.TOOLS}),
    "message thinking": ("messages", MESSAGE | {"messages": SAY_HI, "thinking": anthropic_tools.THINKING}),
}
STREAMED = [name for name in QUESTIONS if name != "embedding"]


@dataclass
class Question:
    """One of QUESTIONS, for the client that speaks its dialect."""

    name: str
    stock: Stock

    @property
    def resource(self):
        resource = self.stock.client
        for part in QUESTIONS[self.name][0].split("."):
            resource = getattr(resource, part)
        return resource

    def ask(self, behaviour: str = "", cache_control: str | None = None, **changes) -> "Asked":
        """Asks plainly, or with `stream=True` for all events.

        `behaviour` is the provider's, should it be asked at all: a kept answer stays as it was made.
        """
        headers = {"X-Simulate": behaviour} | ({"Cache-Control": cache_control} if cache_control else {})
        arguments = QUESTIONS[self.name][1] | {"extra_headers": headers} | changes
        raw = self.stock.wait(self.resource.with_raw_response.create(**arguments))
        parsed = self.stock.wait(raw.parse())
        if changes.get("stream"):
            return Asked(raw.headers, self.stock.items(parsed))
        return Asked(raw.headers, parsed, raw.http_response.content)

    def wait_until_kept(self):
        deadline = time.monotonic() + 5
        while True:
            try:
                return Question(self.name, self.stock.once).ask(cache_control="only-if-cached")
            except (openai.APIStatusError, anthropic.APIStatusError) as error:
                assert error.status_code == 504 and time.monotonic() < deadline
                time.sleep(0.005)

    def assemble(self, **changes):
        """The whole answer as the client itself puts it together from a stream."""
        arguments = QUESTIONS[self.name][1] | changes
        if self.name == "completion":
            return join_completion(self.ask(stream=True, **changes).answer)
        if self.name.startswith("chat"):
            state = ChatCompletionStreamState()
            for chunk in self.ask(stream=True, **changes).answer:
                state.handle_chunk(chunk)
            return state.get_final_completion()
        with self.stock.entered(self.resource.stream(**arguments)) as stream:
            final = stream.get_final_response if self.name.startswith("response") else stream.get_final_message
            return self.stock.wait(final())


@dataclass
class Asked:
    headers: dict
    answer: object
    body: bytes | None = None

    @property
    def status(self) -> str:
        return self.headers["cache-status"]

    @property
    def is_hit(self) -> bool:
        return self.status.startswith("weir; hit; ttl=")

    @property
    def seen(self):
        """Every field that the client sees."""
        return [each.model_dump() for each in self.answer] if self.body is None else self.answer.model_dump()


def join_completion(chunks):
    """The stock clients have no helper for the old completions."""
    whole, usage = chunks[-1] if chunks[-1].choices else chunks[-2], chunks[-1].usage
    whole = whole.model_copy(update={"usage": usage})
    whole.choices[0].text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    return whole


def essence(answer, *left_out: str):
    """The fields that are there, without what only a client's stream helper adds."""

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if v is not None and k not in PARSED and k not in left_out}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return strip(answer.model_dump(mode="json"))
