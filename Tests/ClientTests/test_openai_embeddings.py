"""Embeddings and legacy completions through the stock OpenAI clients."""

import math

import pytest

EMBEDDER = "text-embedding-3-small"
INSTRUCT = "gpt-3.5-turbo-instruct"


def test_default_encoding_is_base64_and_gives_the_same_numbers_as_float(gpt, simulator):
    packed = gpt.wait(gpt.client.embeddings.create(model=EMBEDDER, input="river"))
    assert simulator.last().json["encoding_format"] == "base64"
    plain = gpt.wait(gpt.client.embeddings.create(model=EMBEDDER, input="river", encoding_format="float"))
    assert simulator.last().json["encoding_format"] == "float"
    vector = packed.data[0].embedding
    assert len(vector) == 1_536 and vector == pytest.approx(plain.data[0].embedding, abs=1e-7)
    assert math.isclose(sum(x * x for x in vector), 1, abs_tol=1e-4)
    assert packed.usage.prompt_tokens > 0


def test_list_keeps_its_order(gpt):
    texts = ["one", "two", "three", "one"]
    many = gpt.wait(gpt.client.embeddings.create(model=EMBEDDER, input=texts, dimensions=16))
    assert [item.index for item in many.data] == [0, 1, 2, 3]
    for text, item in zip(texts, many.data):
        single = gpt.wait(gpt.client.embeddings.create(model=EMBEDDER, input=text, dimensions=16))
        assert single.data[0].embedding == item.embedding


@pytest.mark.parametrize("source", ["text", [1, 2, 3], [[1, 2], [3]]], ids=["text", "tokens", "token lists"])
def test_dimensions_of_every_kind_of_input(gpt, simulator, source):
    answer = gpt.wait(gpt.client.embeddings.create(model=EMBEDDER, input=source, dimensions=256))
    assert {len(item.embedding) for item in answer.data} == {256}
    assert simulator.last().json["input"] == source


def test_long_list_with_long_texts(gpt):
    texts = [f"{number} " + "word " * 400 for number in range(200)]
    answer = gpt.wait(gpt.client.embeddings.create(model=EMBEDDER, input=texts, dimensions=64))
    assert [item.index for item in answer.data] == list(range(200))


def test_legacy_completion_plain(gpt):
    answer = gpt.wait(gpt.client.completions.create(model=INSTRUCT, prompt=["a", "b"], max_tokens=12))
    assert answer.object == "text_completion" and len(answer.choices) == 2
    assert all(choice.text for choice in answer.choices) and answer.usage.completion_tokens == 24


def test_legacy_completion_streamed(gpt):
    chunks = gpt.items(gpt.wait(gpt.client.completions.create(model=INSTRUCT, prompt="a", stream=True)))
    assert "".join(chunk.choices[0].text for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop" and all(chunk.usage is None for chunk in chunks)
