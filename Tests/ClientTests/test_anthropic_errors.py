"""What goes wrong arrives as the class of exception that users of the stock Anthropic clients catch."""

import anthropic
import pytest

from stock import CLAUDE, GPT, SAY_HI, simulate

pytestmark = pytest.mark.cold


def ask(claude, behaviour="", **changes):
    arguments = {"model": CLAUDE, "max_tokens": 100, "messages": SAY_HI} | simulate(behaviour) | changes
    return claude.wait(claude.client.messages.create(**arguments))


@pytest.mark.parametrize(
    "status, kind, name",
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (413, anthropic.APIStatusError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_providers_error_passes_as_it_is(claude, status, kind, name):
    with pytest.raises(kind) as caught:
        ask(claude.once, f"status={status}")
    error = caught.value
    assert error.status_code == status and error.body["error"]["type"] == name
    assert error.request_id == error.body["request_id"]  # the provider's own, in header and body


def test_providers_complaint_passes(claude):
    with pytest.raises(anthropic.BadRequestError) as caught:
        claude.wait(claude.client.post("/v1/messages", body={"model": CLAUDE, "messages": SAY_HI}, cast_to=object))
    assert caught.value.body["error"]["message"] == "max_tokens: Field required"


def test_unknown_model_is_not_found(claude):
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(claude, model="no-such-model")
    error = caught.value.body["error"]
    assert error["type"] == "not_found_error" and "no-such-model" in error["message"]
    assert caught.value.body["request_id"] == caught.value.response.headers["x-request-id"]


def test_errors_of_weir_itself_have_a_request_id_for_the_client(claude):
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(claude, model="no-such-model")
    assert caught.value.request_id == caught.value.body["request_id"]


def test_model_of_the_other_dialect_is_a_bad_request(claude):
    with pytest.raises(anthropic.BadRequestError) as caught:
        ask(claude, model=GPT)
    assert caught.value.body["error"]["type"] == "invalid_request_error"
    assert "/v1/chat/completions" in caught.value.body["error"]["message"]


def test_rate_limit_tells_when_to_come_back(claude):
    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(claude.once, "status=429,retry-after=7,reset-header=9")
    headers = caught.value.response.headers
    assert headers["retry-after"] == "7" and headers["anthropic-ratelimit-requests-reset"].endswith("Z")


def test_clients_own_retries_succeed_in_the_end(claude, flaky):
    flaky.reset()
    patient = claude.client.with_options(max_retries=12)
    for number in range(6):
        answer = claude.wait(
            patient.messages.create(
                model="flaky-claude", max_tokens=50 + number, messages=SAY_HI, **simulate("retry-after-ms=5")
            )
        )
        assert answer.content[0].text
    assert 6 < flaky.calls()["total"] < 78


def test_error_page_that_is_no_json_keeps_its_status(claude):
    with pytest.raises(anthropic.InternalServerError) as caught:
        ask(claude.once, "html=524")
    assert caught.value.status_code == 524 and caught.value.body["error"]["type"] == "api_error"


def test_provider_that_hangs_up_is_a_server_error(claude):
    with pytest.raises(anthropic.InternalServerError) as caught:
        ask(claude.once, "reset=0")
    assert caught.value.status_code == 502 and caught.value.body["type"] == "error"


def test_clients_timeout_cancels_at_the_provider(claude, simulator):
    before = simulator.calls()["cancelled"]
    with pytest.raises(anthropic.APITimeoutError):
        ask(claude.once, "hang", timeout=0.25)
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)


def test_stream_closed_early_is_cancelled_at_the_provider(claude, simulator):
    before = simulator.calls()["cancelled"]
    stream = ask(claude, "tps=50,tokens=5000", stream=True)
    claude.take(stream, 4)
    claude.wait(stream.close())
    simulator.wait_until(lambda counts: counts["cancelled"] == before + 1 and counts["active"] == 0)


def broken_stream(claude, behaviour):
    """The events that came, and the error they ended in."""
    stream, events = ask(claude.once, behaviour, stream=True), []
    with pytest.raises(anthropic.APIStatusError) as caught:
        while got := claude.take(stream, 1):
            events += got
    return events, caught.value


def test_providers_error_in_the_middle_passes(claude):
    events, error = broken_stream(claude, "error-mid=4,tps=200")
    assert len([event for event in events if event.type == "content_block_delta"]) == 4
    assert error.body["error"] == {"type": "overloaded_error", "message": "Overloaded"}


@pytest.mark.parametrize("behaviour", ["reset=1500", "close=1500"])
def test_provider_that_dies_in_the_middle_is_an_error_not_an_end(claude, behaviour):
    events, error = broken_stream(claude, behaviour)
    assert events[0].type == "message_start" and events[-1].type == "content_block_delta"
    assert error.body["error"]["type"] == "api_error" and error.body["request_id"].startswith("req_")


def test_error_before_the_first_event_keeps_a_status_that_clients_retry(claude):
    with pytest.raises(anthropic.InternalServerError) as caught:
        ask(claude.once, "error-first", stream=True)
    assert caught.value.status_code == 529 and caught.value.body["error"]["type"] == "overloaded_error"


def test_wrong_key_is_refused_where_keys_are_needed(claude, strict_weir):
    wrong = claude.client.with_options(base_url=strict_weir.url, api_key="sk-ant-wrong")
    for refused in (
        lambda: wrong.messages.create(model=CLAUDE, max_tokens=10, messages=SAY_HI),
        lambda: wrong.messages.create(model=CLAUDE, max_tokens=10, messages=SAY_HI, stream=True),
        lambda: wrong.messages.count_tokens(model=CLAUDE, messages=SAY_HI),
        lambda: wrong.models.list(),
    ):
        with pytest.raises(anthropic.AuthenticationError) as caught:
            claude.wait(refused())
        assert caught.value.body["error"]["type"] == "authentication_error"
    right = claude.client.with_options(base_url=strict_weir.url, api_key=strict_weir.alice)
    assert claude.wait(right.messages.create(model=CLAUDE, max_tokens=10, messages=SAY_HI)).content
