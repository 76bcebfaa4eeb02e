"""Models, files and batches through the stock OpenAI clients."""

import json

import openai
import pytest

from stock import GPT, SAY_HI

pytestmark = pytest.mark.cold


def test_models_are_the_providers_and_the_aliases(gpt):
    models = {model.id: model for model in gpt.items(gpt.client.models.list())}
    assert {GPT, "text-embedding-3-small", "fast", "deep", "claude-haiku-4-5-20251001"} <= models.keys()
    assert models["fast"].owned_by == "weir" and models[GPT].owned_by == "sim"
    assert list(models) == sorted(models)


@pytest.mark.parametrize("name", [GPT, "fast"])
def test_one_model(gpt, name):
    model = gpt.wait(gpt.client.models.retrieve(name))
    assert model.id == name and model.object == "model"


def test_unknown_model_is_not_found(gpt):
    with pytest.raises(openai.NotFoundError) as caught:
        gpt.wait(gpt.client.models.retrieve("no-such-model"))
    assert caught.value.code == "model_not_found"


def upload(gpt, content: bytes, name="notes.jsonl", purpose="batch"):
    return gpt.wait(gpt.client.files.create(file=(name, content), purpose=purpose))


def test_file_comes_back_as_it_was_and_goes(gpt, simulator):
    content = bytes(range(256)) * 20
    made = upload(gpt, content, "zürich.bin", "user_data")
    assert (made.object, made.bytes, made.purpose) == ("file", len(content), "user_data")
    assert simulator.last().headers["content-type"].startswith("multipart/form-data; boundary=")
    assert gpt.wait(gpt.client.files.retrieve(made.id)).filename == made.filename
    assert gpt.wait(gpt.client.files.content(made.id)).content == content
    assert made.id in [file.id for file in gpt.items(gpt.client.files.list())]
    assert gpt.wait(gpt.client.files.delete(made.id)).deleted
    assert made.id not in [file.id for file in gpt.items(gpt.client.files.list())]
    with pytest.raises(openai.NotFoundError):
        gpt.wait(gpt.client.files.retrieve(made.id))


def test_large_file(gpt):
    content = b"0123456789abcdef" * 200_000
    made = upload(gpt, content)
    assert made.bytes == len(content)
    assert gpt.wait(gpt.client.files.content(made.id)).content == content


def test_another_tenants_files_are_not_seen(gpt, other_gpt):
    mine = upload(gpt, b"mine")
    theirs = upload(other_gpt, b"theirs")
    listed = [file.id for file in other_gpt.items(other_gpt.client.files.list())]
    assert theirs.id in listed and mine.id not in listed
    for refused in (other_gpt.client.files.retrieve, other_gpt.client.files.content, other_gpt.client.files.delete):
        with pytest.raises(openai.NotFoundError):
            other_gpt.wait(refused(mine.id))
    assert gpt.wait(gpt.client.files.content(mine.id)).content == b"mine"


def batch_input(count: int) -> bytes:
    lines = [
        {
            "custom_id": f"line-{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": GPT, "messages": SAY_HI, "seed": number},
        }
        for number in range(count)
    ]
    return "\n".join(json.dumps(line) for line in lines).encode()


def create_batch(gpt):
    file = upload(gpt, batch_input(3))
    return gpt.wait(
        gpt.client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"job": "7"}
        )
    )


def test_batch_runs_to_its_end(gpt, other_gpt):
    made = create_batch(gpt)
    assert made.status == "validating" and made.metadata == {"job": "7"}
    done = gpt.wait(gpt.client.batches.retrieve(made.id))
    assert done.status == "completed" and done.request_counts.completed == 3
    assert made.id in [batch.id for batch in gpt.items(gpt.client.batches.list())]
    assert made.id not in [batch.id for batch in other_gpt.items(other_gpt.client.batches.list())]
    with pytest.raises(openai.NotFoundError):
        other_gpt.wait(other_gpt.client.batches.retrieve(made.id))


def test_batch_output_is_read_by_its_tenant_alone(gpt, other_gpt):
    done = gpt.wait(gpt.client.batches.retrieve(create_batch(gpt).id))
    lines = gpt.wait(gpt.client.files.content(done.output_file_id)).text.splitlines()
    assert [json.loads(line)["custom_id"] for line in lines] == ["line-0", "line-1", "line-2"]
    with pytest.raises(openai.NotFoundError):
        other_gpt.wait(other_gpt.client.files.content(done.output_file_id))


def test_batch_is_cancelled(gpt):
    made = create_batch(gpt)
    assert gpt.wait(gpt.client.batches.cancel(made.id)).status == "cancelled"
