"""The meaning of an upstream's refusal, and so whose mistake it is.

The caller's is only what the caller sent and every engine would refuse, and moderation. A key, an account, a model, a
default or an extra field that a setting chose is this engine's failure, and the next one is asked. So is the next one
asked for what this engine cannot do; it is no failure then.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

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
    EngineWithoutModel,
    NotFound,
)
from chassis.upstream.question import Question
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.kinds import Kind

_AUTH_REST_SECONDS = 300.0
_UNPAID_REST_SECONDS = 600.0
_MISCONFIGURED_REST_SECONDS = 60.0
_LONGEST_BUSY_SECONDS = 300.0
_MESSAGE_CHARACTERS = 500
_NOT_UNDERSTOOD = (400, 415, 422)
_PASSING = (409, 425, 498)
"""Conflicts, and Groq's word for no room, which pass."""

_SECRETS = re.compile(
    r"(?:sk|bce-v3|gsk|key|AIza)[-_/][\w.*/-]{6,}|AIza[\w-]{10,}|bearer\s+\S+|(?<=://)[^/@\s]+@"
    r"|(?<=[?&])(?:key|token|api[-_]?key|access_token)=[^&\s]+",
    re.IGNORECASE,
)
_OF_A_KEY = re.compile(r"key|token|令牌|密钥|secret", re.IGNORECASE)


class UnknownModel(Declined):
    """An upstream does not have the model that the caller's request named; another engine may still answer."""

    status = 404
    code = "model_not_found"


class TooLong(Declined):
    """A conversation does not fit into this upstream's model; it is asked once more with half of it."""

    code = "context_length_exceeded"


class TooMuch(TooLong):
    """A request has more bytes than this upstream takes."""

    status = 413
    code = "request_too_large"


class Circumstances(Struct, frozen=True):
    """One question to one row, as far as it matters for a refusal.

    Args:
        name: The row's name.
        prefix: Beginning of its own variables, such as `LLM_MOONSHOT_`.
        key: The variable that holds its key.
        hint: A sentence that names the variables to check.
        secrets: The keys that are sent, lest one be echoed.
        question: The question that is refused.
        model: The variable that holds the model or the voice; empty: its prefix and MODEL.
    """

    name: str = "The upstream"
    prefix: str = ""
    key: str = "its API_KEY"
    hint: str = ""
    secrets: Sequence[str] = ()
    question: Question | None = None
    model: str = ""


def refusal(
    status: int, complaint: Complaint, *, retry_after: float | None = None, about: Circumstances | None = None
) -> ApiError:
    """Return the error that an answer other than 200 means.

    Args:
        retry_after: Seconds that the headers ask to wait.
    """
    about = about or Circumstances()
    said = _clean(complaint.message, about.secrets)
    complaint.code = complaint.code and _clean(complaint.code, about.secrets)
    complaint.param = complaint.param and _clean(complaint.param, about.secrets)
    wait = complaint.wait_seconds if retry_after is None else retry_after
    match complaint.kind:
        case Kind.BLOCKED:
            return BadRequest(said or "The provider's moderation refused this.", code="content_filter")
        case Kind.TOO_LONG:
            return TooLong(said or f"{about.name} finds the conversation too long.", param="messages")
        case Kind.UNPAID:
            return _unpaid(said, about)
        case Kind.UNKNOWN_MODEL:
            return _unknown_model(said, about)
        case Kind.REFUSED:
            return _refused(status, said, about)
        case Kind.BUSY:
            return _busy(said, wait)
        case None:
            return _by_status(status, complaint, said, wait, about)


def within_success(complaint: Complaint, *, about: Circumstances | None = None) -> ApiError:
    """Return the error that an error object inside a 200 means."""
    status = next((int(word) for word in complaint.words if re.fullmatch(r"[45]\d\d", word)), 200)
    return refusal(status, complaint, about=about)


def _by_status(status: int, complaint: Complaint, said: str, wait: float | None, about: Circumstances) -> ApiError:
    tail = f": {said}" if said else ""
    if status == 402:
        return _unpaid(said, about)
    if status in (401, 403, 451):
        return _refused(status, said, about)
    if status == 429:
        return _busy(said, wait)
    if status in (404, 410) and complaint.explicit:
        return _unknown_model(said, about)
    if status == 413:
        return TooMuch(said or f"{about.name} takes no request as large as this.", param=complaint.param)
    if status in _NOT_UNDERSTOOD:
        return _not_understood(status, complaint, said, about)
    if status == 200:
        return EngineFailed(f"reported an error{tail}")
    if status in (408, 504, 524):
        return EngineTimeout(f"answered {status}{tail}")
    if status >= 500 or status in _PASSING:
        rest = min(wait, _LONGEST_BUSY_SECONDS) if status == 503 and wait else None
        return EngineFailed(f"answered {status}{tail}", retry_after=wait, rest_seconds=rest)
    return EngineMisconfigured(f"answered {status}{tail}. {about.hint}", rest_seconds=_MISCONFIGURED_REST_SECONDS)


def _unpaid(said: str, about: Circumstances) -> EngineUnpaid:
    message = f"has no quota or balance left{f': {said}' if said else ''}. Top up the account of {about.key}."
    return EngineUnpaid(message, rest_seconds=_UNPAID_REST_SECONDS)


def _refused(status: int, said: str, about: Circumstances) -> EngineRefused:
    """Return the error for a key; the vendor's words may hold a part of it and are not repeated."""
    shown = "" if not said or _OF_A_KEY.search(said) else f": {said}"
    if not any(about.secrets):
        return EngineRefused(f"wants a key ({status}). Set {about.key}.", rest_seconds=_AUTH_REST_SECONDS)
    message = f"refused access with this key ({status}){shown}. Check {about.key} and {about.prefix}BASE_URL."
    return EngineRefused(message, rest_seconds=_AUTH_REST_SECONDS)


def _busy(said: str, wait: float | None) -> EngineBusy:
    rest = None if wait is None else min(wait, _LONGEST_BUSY_SECONDS)
    return EngineBusy(f"is at its limit{f': {said}' if said else ''}", retry_after=rest or 1.0, rest_seconds=rest)


def _unknown_model(said: str, about: Circumstances) -> ApiError:
    if about.question is None:
        message = f"does not have the model or voice: {said}. Set {about.model or about.prefix + 'MODEL'}."
        return EngineWithoutModel(message, rest_seconds=_MISCONFIGURED_REST_SECONDS)
    missing = f"{about.name} has no model {about.question.model!r}"
    match about.question.named_by:
        case "pick":
            return NotFound(f"{missing}.", param="model", code="model_not_found")
        case "request":
            return UnknownModel(f"{missing}. The operator can set {about.prefix}MODEL.", param="model")
        case "row":
            why = f" ({said})" if said else ""
            message = (
                f"has no model {about.question.model!r}, or no such path{why}. Set {about.prefix}MODEL. {about.hint}"
            )
            return EngineWithoutModel(message, rest_seconds=_MISCONFIGURED_REST_SECONDS)


def _not_understood(status: int, complaint: Complaint, said: str, about: Circumstances) -> ApiError:
    """Sort a 400 about which nothing else is known by the field that it names."""
    question = about.question
    said = said or f"{about.name} refused the request ({status})."
    ours = question and next((field for field in question.settings if complaint.names(field)), None)
    if question and ours:
        message = f"refuses {ours!r} ({said}). Change {question.settings[ours]}."
        return EngineMisconfigured(message, rest_seconds=_MISCONFIGURED_REST_SECONDS)
    if question and not complaint.unknown and _is_the_callers(complaint, question):
        return BadRequest(said, param=complaint.param, code=complaint.code)
    return Declined(said, param=complaint.param, code=complaint.code)


def _is_the_callers(complaint: Complaint, question: Question) -> bool:
    """Tell whether a refusal is about a field that the caller sent.

    Of messages it is only where calls of tools and their results do not fit: every other conversation that comes so far
    is a legal one, and another engine's template may take it.
    """
    about_messages = complaint.names("messages")
    if about_messages and "tool" not in complaint.message.lower():
        return False
    return any(complaint.names(field) for field in question.callers)


def _clean(message: str, secrets: Sequence[str]) -> str:
    """Return `message` short, on one line, and without anything that looks like a key."""
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return _SECRETS.sub("***", " ".join(message.split()))[:_MESSAGE_CHARACTERS]
