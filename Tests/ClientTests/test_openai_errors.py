"""What goes wrong arrives as the class of exception that users of the stock OpenAI clients catch."""

import openai
import pytest

from stock import GPT, SAY_HI, simulate

pytestmark = pytest.mark.cold


def ask(gpt, behaviour="", **changes):
    arguments = {"model": GPT, "messages": SAY_HI} | simulate(behaviour) | changes
    return gpt.wait(gpt.client.chat.completions.create(**arguments))


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_providers_error_passes_as_it_is(gpt, simulator, status, kind):
    with pytest.raises(kind) as caught:
        ask(gpt.once, f"status={status}")
    direct = simulator.request(
        "POST", "/v1/chat/completions", caught.value.request.content, {"X-Simulate": f"status={status}"}
    )
    assert caught.value.response.content == direct.body and caught.value.status_code == status
    assert caught.value.request_id.startswith("req_01")  # the provider's own


def test_providers_complaint_names_the_parameter(gpt):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(gpt, n=0)
    assert (caught.value.param, caught.value.code) == ("n", "invalid_value")


def test_unknown_model_is_not_found(gpt):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(gpt, model="no-such-model")
    error = caught.value
    assert (error.code, error.param, error.type) == ("model_not_found", "model", "invalid_request_error")
    assert "no-such-model" in error.message and error.request_id.startswith("req_")


def test_model_of_the_other_dialect_is_a_bad_request(gpt):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(gpt, model="claude-sonnet-4-6")
    assert caught.value.code == "wrong_dialect" and "/v1/messages" in caught.value.message


def test_missing_model_is_a_bad_request(gpt):
    with pytest.raises(openai.BadRequestError) as caught:
        gpt.wait(gpt.client.post("/chat/completions", body={"messages": SAY_HI}, cast_to=object))
    assert caught.value.code == "missing_model"


def test_rate_limit_tells_when_to_come_back(gpt):
    with pytest.raises(openai.RateLimitError) as caught:
        ask(gpt.once, "status=429,retry-after=7")
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "rate_limit_exceeded"


def test_clients_own_retries_succeed_in_the_end(gpt, flaky):
    flaky.reset()
    patient = gpt.client.with_options(max_retries=12)
    for number in range(6):
        answer = gpt.wait(
            patient.chat.completions.create(
                model="flaky-gpt", messages=SAY_HI, seed=number, **simulate("retry-after-ms=5")
            )
        )
        assert answer.choices[0].message.content
    # Weir adds no retries to the client's: what the provider counts beyond six was refused and asked for again.
    assert 6 < flaky.calls()["total"] < 78


def test_route_that_weir_does_not_know_is_the_providers(gpt, simulator):
    with pytest.raises(openai.NotFoundError) as caught:
        gpt.wait(gpt.client.moderations.create(input="a"))
    assert caught.value.message.endswith("Invalid URL (POST /v1/moderations)")
    assert simulator.last().json == {"input": "a"}


def test_error_page_that_is_no_json_keeps_its_status(gpt):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(gpt.once, "html=502")
    assert caught.value.status_code == 502 and caught.value.code == "provider_error"
    assert "sim" in caught.value.message and "502 Bad Gateway" in caught.value.message


def test_provider_that_hangs_up_is_a_server_error(gpt):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(gpt.once, "reset=0")
    assert caught.value.status_code == 502 and caught.value.type == "server_error"


def test_answer_cut_short_is_a_connection_error(gpt):
    with pytest.raises(openai.APIConnectionError):
        ask(gpt.once, "big=4000000,close=2000000")


def test_clients_timeout_cancels_at_the_provider(gpt, simulator):
    before = simulator.calls()["cancelled"]
    with pytest.raises(openai.APITimeoutError):
        ask(gpt.once, "hang", timeout=0.25)
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)


def test_key_without_the_scope_is_denied(gpt, weir):
    key = weir.create_key("carol", "ai")
    narrow = gpt.client.with_options(api_key=key.secret)
    assert gpt.wait(narrow.chat.completions.create(model=GPT, messages=SAY_HI)).choices
    with pytest.raises(openai.PermissionDeniedError) as caught:
        gpt.wait(narrow.files.list())
    assert caught.value.code == "scope_missing" and "passthrough" in caught.value.message


def test_revoked_key_is_refused_even_where_strangers_are_welcome(gpt, weir):
    key = weir.create_key("dave", "ai")
    revoked = gpt.client.with_options(api_key=key.secret)
    assert gpt.wait(revoked.chat.completions.create(model=GPT, messages=SAY_HI)).choices
    weir.revoke_key(key)
    with pytest.raises(openai.AuthenticationError):
        gpt.wait(revoked.chat.completions.create(model=GPT, messages=SAY_HI))


def test_wrong_key_is_refused_where_keys_are_needed(gpt, strict_weir):
    wrong = gpt.client.with_options(base_url=f"{strict_weir.url}/v1", api_key="sk-wrong")
    for refused in (
        lambda: wrong.chat.completions.create(model=GPT, messages=SAY_HI),
        lambda: wrong.chat.completions.create(model=GPT, messages=SAY_HI, stream=True),
        lambda: wrong.embeddings.create(model="text-embedding-3-small", input="a"),
        lambda: wrong.models.list(),
        lambda: wrong.files.list(),
    ):
        with pytest.raises(openai.AuthenticationError) as caught:
            gpt.wait(refused())
        assert caught.value.code == "unauthorized" and caught.value.type == "authentication_error"
    right = gpt.client.with_options(base_url=f"{strict_weir.url}/v1", api_key=strict_weir.alice)
    assert gpt.wait(right.chat.completions.create(model=GPT, messages=SAY_HI)).choices
