"""What an upstream's refusal means: the caller's mistake, a matter of money, a limit, or a failure."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnpaid,
    TooLarge,
)

AUTH_REST_SECONDS = 300.0
UNPAID_REST_SECONDS = 600.0
MISCONFIGURED_REST_SECONDS = 60.0
LONGEST_BUSY_SECONDS = 300.0
MESSAGE_CHARACTERS = 500

BLOCKED = frozenset(
    [
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        "datainspectionfailed",
        "unsafe_request",
        "moderation_blocked",
        "sensitive",
        "1301",
        "1026",
        "1027",
    ]
)
UNPAID = frozenset(
    [
        "insufficient_quota",
        "arrearage",
        "insufficient_user_quota",
        "exceeded_current_quota_error",
        "insufficient_balance",
        "billing_hard_limit_reached",
        "payment_required",
        "billing_error",
        "1113",
        "30001",
        "402",
    ]
)
BUSY = frozenset(
    [
        "rate_limit_exceeded",
        "rate_limit_error",
        "rate_limit_reached_error",
        "rpm_rate_limit_exceeded",
        "tpm_rate_limit_exceeded",
        "throttling",
        "resource_exhausted",
        "too_many_requests",
        "engine_overloaded_error",
        "1302",
        "1303",
        "1305",
        "429",
    ]
)
REFUSED = frozenset(
    [
        "invalid_api_key",
        "incorrect_api_key_error",
        "invalid_authentication_error",
        "authentication_error",
        "access_denied",
        "permission_denied",
        "unauthenticated",
        "invalidapikey",
        "401",
        "403",
    ]
)

SECRETS = re.compile(
    r"(?:sk|bce-v3|gsk|key|AIza)[-_/][\w.*/-]{6,}|AIza[\w-]{10,}|bearer\s+\S+|(?<=://)[^/@\s]+@"
    r"|(?<=[?&])(?:key|token|api[-_]?key|access_token)=[^&\s]+",
    re.IGNORECASE,
)


class UnknownModel(Declined):
    """An upstream does not have the model that the caller named; another engine may still answer."""

    status = 404
    code = "model_not_found"


class Complaint(msgspec.Struct):
    """An upstream's error object, whatever its shape.

    Args:
        words: Its code, type and status, in lower case: what to decide by.
        explicit: Whether it said `error`, or just was not what was expected.
    """

    message: str = ""
    code: str | None = None
    param: str | None = None
    words: frozenset[str] = frozenset()
    explicit: bool = False

    @classmethod
    def of(cls, body: bytes) -> "Complaint | None":
        """None where there is no error object."""
        try:
            return cls.within(msgspec.json.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @classmethod
    def within(cls, value: Any) -> "Complaint | None":
        if isinstance(value, list) and value:  # Gemini wraps it once more
            value = value[0]
        if not isinstance(value, dict):
            return None
        error = value.get("error") or value
        if isinstance(error, str):
            return cls(error, words=_words([value.get("code"), value.get("type")]), explicit=True)
        if not isinstance(error, dict):
            return None
        inner = error.get("innererror")
        inner_code = inner.get("code") if isinstance(inner, dict) else None
        message = next((error[key] for key in ("message", "msg", "error_msg", "detail") if error.get(key)), "")
        code, param = error.get("code", error.get("error_code")), error.get("param")
        return cls(
            message if isinstance(message, str) else _validation_errors(message),
            None if code is None else str(code),
            param if isinstance(param, str) else None,
            _words([code, error.get("type"), error.get("status"), inner_code]),
            error is not value,
        )


def refusal(
    status: int, body: bytes, *, retry_after: float | None = None, secrets: Sequence[str] = (), hint: str = ""
) -> ApiError:
    """An answer other than 200, in our terms.

    Args:
        secrets: The keys that are sent, lest one be echoed.
        hint: Which variables to look at.
    """
    complaint = Complaint.of(body) or Complaint()
    return _judged(complaint, status, retry_after, secrets, hint)


def within_success(complaint: Complaint, *, secrets: Sequence[str] = (), hint: str = "") -> ApiError:
    """An error object inside a 200, in our terms."""
    status = next((int(word) for word in complaint.words if re.fullmatch(r"[45]\d\d", word)), 200)
    return _judged(complaint, status, None, secrets, hint)


def _judged(
    complaint: Complaint, status: int, retry_after: float | None, secrets: Sequence[str], hint: str
) -> ApiError:
    words = complaint.words
    said = _clean(complaint.message, secrets)
    told = f": {said}" if said else ""
    if words & BLOCKED:
        return BadRequest(said or "The provider's moderation refused this.", code="content_filter")
    if status == 402 or words & UNPAID:
        return EngineUnpaid(f"has no quota or balance left{told}", rest_seconds=UNPAID_REST_SECONDS)
    if status == 429 or words & BUSY:
        rest = None if retry_after is None else min(retry_after, LONGEST_BUSY_SECONDS)
        return EngineBusy(f"is at its limit{told}", retry_after=rest or 1.0, rest_seconds=rest)
    if status in (401, 403) or words & REFUSED:
        return EngineRefused(f"refused access with this key ({status}). {hint}", rest_seconds=AUTH_REST_SECONDS)
    if status == 413:
        return TooLarge(said or "The upstream takes no request as large as this.", param=complaint.param)
    if status in (400, 415, 422):
        said = said or f"The upstream refused the request ({status})."
        return BadRequest(said, param=complaint.param, code=complaint.code)
    if status == 200:
        return EngineFailed(f"reported an error{told}")
    if status in (408, 504, 524):
        return EngineTimeout(f"answered {status}{told}")
    if status >= 500:
        rest = min(retry_after, LONGEST_BUSY_SECONDS) if status == 503 and retry_after else None
        return EngineFailed(f"answered {status}{told}", retry_after=retry_after, rest_seconds=rest)
    return EngineFailed(f"answered {status}{told}. {hint}", rest_seconds=MISCONFIGURED_REST_SECONDS)


def _words(values: Iterable[object]) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values if isinstance(value, str | int))


def _validation_errors(detail: object) -> str:
    """FastAPI's `[{loc, msg, type}]` in one line."""
    if not isinstance(detail, list):
        return ""
    lines = [item for item in detail if isinstance(item, dict)]
    return "; ".join(f"{'.'.join(map(str, item.get('loc', ())))}: {item.get('msg', '')}" for item in lines)


def _clean(message: str, secrets: Sequence[str]) -> str:
    """Short, on one line, and without anything that looks like a key."""
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return SECRETS.sub("***", " ".join(message.split()))[:MESSAGE_CHARACTERS]
