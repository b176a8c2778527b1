import json
from typing import Any

import pytest

from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    EngineTimeout,
    EngineUnpaid,
)
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.meaning import Circumstances, TooMuch, within_success
from chassis.upstream.refusals.meaning import refusal as judged


def refusal(status: int, body: bytes, retry_after: float | None = None, about: Circumstances | None = None) -> ApiError:
    return judged(status, Complaint.of(body) or Complaint(), retry_after=retry_after, about=about)


def said(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, said(message="m", code="bad"), Declined, "bad"),
        (400, said(message="m", code=20099), Declined, "20099"),
        (415, b"", Declined, None),
        (422, b'{"detail":"nonsense"}', Declined, None),
        (413, b"", TooMuch, "request_too_large"),
        (401, said(message="m"), EngineRefused, "upstream_auth"),
        (403, b"<html>", EngineRefused, "upstream_auth"),
        (402, b"", EngineUnpaid, "upstream_quota"),
        (429, said(code="insufficient_quota"), EngineUnpaid, "upstream_quota"),
        (400, b'{"code":"Arrearage","message":"Access denied"}', EngineUnpaid, "upstream_quota"),
        (429, said(code="1113"), EngineUnpaid, "upstream_quota"),
        (429, b"", EngineBusy, "upstream_rate_limited"),
        (429, said(code="1302"), EngineBusy, "upstream_rate_limited"),
        (400, said(type="rate_limit_reached_error"), EngineBusy, "upstream_rate_limited"),
        (400, said(code="content_filter"), BadRequest, "content_filter"),
        (400, said(code="400", innererror={"code": "ResponsibleAIPolicyViolation"}), BadRequest, "content_filter"),
        (400, said(code="1301"), BadRequest, "content_filter"),
        (400, b'{"code":"DataInspectionFailed"}', BadRequest, "content_filter"),
        (403, said(code="unsafe_request"), BadRequest, "content_filter"),
        (500, b"oops", EngineFailed, "upstream_error"),
        (503, b"", EngineFailed, "upstream_error"),
        (504, b"", EngineTimeout, "upstream_timeout"),
        (405, b"", EngineMisconfigured, "upstream_misconfigured"),
        (302, b"", EngineMisconfigured, "upstream_misconfigured"),
    ],
)
def test_a_refusal_is_sorted_by_its_status_and_its_code(
    status: int, body: bytes, kind: type[ApiError], code: str | None
) -> None:
    error = refusal(status, body)

    assert type(error) is kind
    assert error.body["code"] == code


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (said(message="too long"), "too long"),
        (b'{"error":"too long"}', "too long"),
        (b'[{"error":{"code":400,"message":"too long","status":"INVALID_ARGUMENT"}}]', "too long"),
        (b'{"object":"error","message":"too long","type":"BadRequestError","code":400}', "too long"),
        (b'{"detail":"too long"}', "too long"),
        (b'{"detail":[{"loc":["body","n"],"msg":"must be 1"}]}', "n: must be 1"),
        (b'{"error_code":336103,"error_msg":"too long"}', "too long"),
        (b"<html>secret place</html>", "The upstream refused the request (400)."),
        (b"[" * 10_000, "The upstream refused the request (400)."),
        (b"\xff", "The upstream refused the request (400)."),
        (b"[]", "The upstream refused the request (400)."),
        (said(message={"a": 1}), "The upstream refused the request (400)."),
    ],
)
def test_the_message_is_found_in_every_shape_of_error(body: bytes, message: str) -> None:
    assert str(refusal(400, body)) == message


def test_the_field_at_fault_is_passed_on() -> None:
    assert refusal(400, said(message="m", param="stop")).body["param"] == "stop"
    assert refusal(400, said(message="m", param=5)).body["param"] is None


@pytest.mark.parametrize(
    "message",
    [
        "key my-own-secret is no good",
        "cannot charge sk-proj-abcdef123456",
        "see https://user:pa55word@host/v1",
        "GET /v1?api_key=abc123secret failed",
        "Bearer abc123secret was refused",
        "AIzaSyA1234567890abcdef is not valid",
    ],
)
def test_no_message_shows_a_secret(message: str) -> None:
    shown = str(refusal(400, said(message=message), about=Circumstances(secrets=["my-own-secret"])))

    assert "***" in shown
    assert not any(part in shown for part in ("my-own-secret", "abcdef", "pa55word", "abc123secret"))


def test_a_refused_key_is_not_discussed_with_the_caller() -> None:
    error = refusal(
        401, said(message="Incorrect API key provided: weird-format-123"), about=Circumstances(key="LLM_X_API_KEY")
    )

    assert "weird" not in str(error)
    assert "LLM_X_API_KEY" in str(error)


def test_a_message_is_short_and_on_one_line() -> None:
    shown = str(refusal(400, said(message="line\n" * 1000)))

    assert len(shown) == 500
    assert "\n" not in shown


def test_a_limit_is_respected_for_as_long_as_the_upstream_asks() -> None:
    error = refusal(429, b"", retry_after=7.0)

    assert isinstance(error, EngineBusy)
    assert (error.rest_seconds, error.headers) == (7.0, {"retry-after": "7"})


@pytest.mark.parametrize(
    ("status", "said", "rest"), [(503, 20.0, 20.0), (503, 9000.0, 300.0), (503, None, None), (500, 20.0, None)]
)
def test_who_asks_to_be_left_alone_for_a_while_is(status: int, said: float | None, rest: float | None) -> None:
    error = refusal(status, b"", retry_after=said)

    assert isinstance(error, EngineFailed)
    assert error.rest_seconds == rest


def test_an_account_without_money_rests_long() -> None:
    error = refusal(402, b"")

    assert isinstance(error, EngineUnpaid)
    assert error.rest_seconds == 600


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "m"}, EngineFailed),
        ({"message": "m", "code": 502}, EngineFailed),
        ({"message": "m", "code": 429}, EngineBusy),
        ({"message": "m", "code": 400}, Declined),
        ({"message": "m", "code": 402}, EngineUnpaid),
        ({"message": "m", "code": "content_filter"}, BadRequest),
    ],
)
def test_an_error_inside_a_success_is_sorted_by_its_code(error: dict[str, Any], kind: type[ApiError]) -> None:
    complaint = Complaint.within({"error": error})
    assert complaint is not None

    assert type(within_success(complaint)) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"Invalid API key", EngineRefused),
        (503, b'"Too many requests"', EngineBusy),
        (400, b"Insufficient balance", EngineUnpaid),
        (400, b"<p>Invalid API key</p>", Declined),
    ],
)
def test_plain_text_is_read_too_and_html_is_not(status: int, body: bytes, kind: type[ApiError]) -> None:
    assert isinstance(judged(status, Complaint.of_refusal(body)), kind)


def test_a_server_that_wants_a_key_where_none_was_shown_says_which_to_set() -> None:
    error = refusal(401, b"", about=Circumstances(key="VLLM_API_KEY", secrets=[""]))

    assert str(error) == "wants a key (401). Set VLLM_API_KEY."


@pytest.mark.parametrize(
    ("message", "seconds"),
    [("Please try again in 7.66s.", 7.66), ("try again in 1m2s", 62.0), ("try again in 250ms", 0.25), ("soon", 1.0)],
)
def test_how_long_to_wait_is_read_from_the_message(message: str, seconds: float) -> None:
    assert refusal(429, said(message=message)).retry_after == pytest.approx(seconds)


def test_a_key_that_is_repeated_in_a_code_or_a_field_is_not_shown() -> None:
    body = said(message="no", code="bad key hush-hush-1", param="hush-hush-1")
    error = refusal(400, body, about=Circumstances(secrets=("hush-hush-1",)))

    assert "hush-hush-1" not in str(error.body)
