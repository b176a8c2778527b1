"""An upstream's error object, whatever its shape."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chassis.sse import BYTE_ORDER_MARK
from chassis.upstream.kinds import Kind
from chassis.upstream.sayings import CODES, WORDS

_TEXTS = ("message", "msg", "error_msg", "status_msg", "errmsg", "detail", "error_message")
_CODES = ("code", "type", "status", "error_code", "reason", "errcode")
_NUMBERED = ("error_code",)
"""Codes whose numbers other vendors use for something else."""
_FIELDS = {
    Kind.TOO_LONG: ("messages", "input", "inputs", "prompt", "contents", "max_tokens", "max_completion_tokens"),
    Kind.UNKNOWN_MODEL: ("model",),
}
"""Fields that these kinds are about; the same words about another one mean something else."""
_LONGEST_TEXT = 1000
_PLAIN_NAMES = ("temperature", "messages", "verbosity", "logprobs")
"""Fields without an underscore whose names mean nothing else; `stop` or `user` must be in quotation marks."""
_LIMIT = re.compile(r"try again in (?:(\d+)m)?([\d.]+)(ms|s)\b", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|unavailable|not (?:allowed|permitted|enabled|available|implemented)"
    r"|extra (?:inputs|fields)|only .{1,40}(?:is|are) allowed|cannot (?:both|be specified)|cannot find field"
    r"|deserialize|invalid type|must alternate|requires --|不支持",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"between|range|less than|greater than|at (?:most|least)|exceed|too (?:large|small|high|low)|maximum", re.IGNORECASE
)


class Complaint(msgspec.Struct):
    """An error object, read.

    Args:
        code: The vendor's own word for it.
        param: The field at fault, such as `messages.0.role`.
        words: Its codes, type, status and reasons, in lower case: what to decide by.
        explicit: It was called an error, and is not only something else than what was expected.
        wait_seconds: The time after which to ask again, where the body tells it.
    """

    message: str = ""
    code: str | None = None
    param: str | None = None
    words: frozenset[str] = frozenset()
    explicit: bool = False
    wait_seconds: float | None = None

    @classmethod
    def of(cls, body: bytes) -> "Complaint | None":
        """Return what `body` complains of; None where it holds no JSON object."""
        try:
            return cls.within(msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @classmethod
    def of_refusal(cls, body: bytes) -> "Complaint":
        """Return what the body of a refusal complains of, were it only plain text."""
        if (complaint := cls.of(body)) is not None:
            return complaint
        text = body.strip().strip(b'"')
        plain = len(text) <= _LONGEST_TEXT and text.isascii() and not text.startswith((b"<", b"[", b"{"))
        return cls(text.decode("ascii")) if plain else cls()

    @classmethod
    def within(cls, value: Any) -> "Complaint | None":
        """Return what a decoded `value` complains of; None where it is no object."""
        if isinstance(value, list) and value:  # Gemini wraps it once more
            value = value[0]
        if not isinstance(value, dict):
            return None
        error = _inner(value)
        if isinstance(error, str):
            return cls(error, words=_codes(value), explicit=True)
        complaint = cls._read(error)
        complaint.explicit = error is not value
        return complaint

    @classmethod
    def _read(cls, error: dict[str, Any]) -> "Complaint":
        lower = {str(name).lower(): field for name, field in error.items()}
        message, param = _message(lower)
        code = next(
            (lower[name] for name in ("code", "error_code", "status_code") if lower.get(name) is not None), None
        )
        given = lower.get("param")
        complaint = cls(
            message,
            None if code is None else str(code),
            given if isinstance(given, str) and given else param,
            _codes(lower) | _details(lower) | _base_resp(lower),
            wait_seconds=_wait(message, lower),
        )
        return complaint._with_raw(lower.get("metadata"))

    def _with_raw(self, metadata: Any) -> "Complaint":
        """Add what the provider behind OpenRouter said: its moderation, or its own error as a string."""
        if not isinstance(metadata, dict):
            return self
        if metadata.get("reasons") or metadata.get("flagged_input"):
            self.words |= {"metadata.flagged"}
        raw = metadata.get("raw")
        if isinstance(raw, str) and raw and (inner := Complaint.of(raw.encode())) is not None and inner.message:
            self.message, self.param = inner.message, self.param or inner.param
            self.words |= inner.words
        return self

    @property
    def empty(self) -> bool:
        """True where it says nothing at all."""
        return not self.message and not self.words

    @property
    def root(self) -> str | None:
        """The field of the request that it names: `messages` for `messages.0.role`."""
        return re.split(r"[.\[]", self.param)[0] if self.param else None

    @property
    def kind(self) -> Kind | None:
        """The subject, as far as any vendor is known to say it so; None: only the status tells."""
        return next(filter(self._is_about, Kind), None)

    def _is_about(self, kind: Kind) -> bool:
        if self.words & CODES[kind]:
            return True
        if kind is Kind.UNPAID and self.words & CODES[Kind.BUSY]:  # Gemini speaks of billing where a minute is full
            return False
        elsewhere = kind in _FIELDS and self.root is not None and self.root not in _FIELDS[kind]
        return not elsewhere and WORDS[kind].search(self.message) is not None

    def names(self, field: str) -> bool:
        """Return whether it is about `field`: by `param`, or by its name in the message."""
        if self.root == field:
            return True
        bare = "_" in field or field in _PLAIN_NAMES
        camel = re.sub("_([a-z])", lambda match: match[1].upper(), field)
        around = (r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])") if bare else (r"[`'\"“]", r"[`'\"”]")
        pattern = f"{around[0]}(?:{re.escape(field)}|{re.escape(camel)}){around[1]}"
        return self.root is None and re.search(pattern, self.message) is not None

    @property
    def unknown(self) -> bool:
        """True where something is not known there at all, rather than wrong."""
        if self.message.lower().startswith("invalid schema"):  # OpenAI lists in it what no schema may hold
            return False
        return _UNKNOWN.search(self.message) is not None or bool(
            self.words & {"unsupported_parameter", "unsupported_value", "extra_forbidden", "unknown_parameter"}
        )

    @property
    def of_range(self) -> bool:
        """True where a value is beyond what is allowed, so that another value of the same field would do."""
        return _RANGE.search(self.message) is not None


def _inner(value: dict[str, Any]) -> dict[str, Any] | str:
    """Return the part of `value` that is the error, or `value` itself."""
    for name in ("error", "base_resp", "detail", "header"):
        inner = value.get(name)
        if isinstance(inner, str) and inner and name == "error":
            return inner
        if isinstance(inner, dict) and inner and (name != "detail" or _says(inner)):
            return {**inner, "base_resp": inner} if name == "base_resp" else inner
    response = value.get("Response")  # Tencent
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return dict(response["Error"])
    errors = value.get("errors")  # Cloudflare
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return dict(errors[0])
    return value


def _says(detail: Mapping[str, Any]) -> bool:
    """Tell whether a `detail` is the error itself, and not only the id of its line in a log, as Coze's."""
    return any(name in detail for name in (*_TEXTS, *_CODES))


def _message(lower: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the message, and the field that it is about where it is a list of FastAPI's."""
    found = next((lower[name] for name in _TEXTS if lower.get(name)), "")
    if isinstance(found, str) and found.startswith("{"):  # Mistral's, older
        try:
            found = msgspec.json.decode(found)
        except msgspec.DecodeError:
            return found, None
    if isinstance(found, dict):
        found = found.get("detail") or found.get("message") or ""
    return (found, None) if isinstance(found, str) else _validation_errors(found)


def _validation_errors(detail: object) -> tuple[str, str | None]:
    """Return FastAPI's `[{loc, msg, type}]` in one line, and the field that the first is about."""
    if not isinstance(detail, list):
        return "", None
    lines = [item for item in detail if isinstance(item, dict)]
    where = [[str(step) for step in item.get("loc") or ()] for item in lines]
    message = "; ".join(f"{'.'.join(steps)}: {item.get('msg', '')}" for steps, item in zip(where, lines, strict=True))
    fields = [".".join(steps[1:] if steps[:1] == ["body"] else steps) for steps in where]
    return message, next(filter(None, fields), None)


def _codes(fields: Mapping[str, Any]) -> frozenset[str]:
    return _words(fields.get(name) for name in _CODES if name not in _NUMBERED) | frozenset(
        f"{name}.{fields[name]}" for name in _NUMBERED if isinstance(fields.get(name), str | int)
    )


def _details(error: Mapping[str, Any]) -> frozenset[str]:
    """Return Google's reasons, and Azure's inner code."""
    inner = error.get("innererror")
    found = [inner.get("code")] if isinstance(inner, dict) else []
    details = error.get("details")
    if isinstance(details, list):
        found += [detail.get("reason") for detail in details if isinstance(detail, dict)]
    return _words(found)


def _base_resp(error: Mapping[str, Any]) -> frozenset[str]:
    """Return MiniMax's number, which it also writes in brackets at the end of a message."""
    inner = error.get("base_resp")
    if isinstance(inner, dict):
        return frozenset({f"base_resp.{inner.get('status_code')}"})
    match = re.search(r"\((1\d{3}|2\d{3})\)$", str(error.get("message") or ""))
    return frozenset({f"base_resp.{match[1]}"}) if match else frozenset()


def _words(values: Iterable[object]) -> frozenset[str]:
    """Return codes in lower case; of `Throttling.RateQuota` also `throttling`."""
    words = {str(value).lower() for value in values if isinstance(value, str | int)}
    return frozenset(words | {word.partition(".")[0] for word in words})


def _wait(message: str, error: Mapping[str, Any]) -> float | None:
    """Return the seconds in "try again in 7.66s" (OpenAI, Groq), or in Google's `retryDelay`."""
    if match := _LIMIT.search(message):
        minutes, number, unit = match.groups()
        return 60.0 * int(minutes or 0) + float(number.rstrip(".")) * (0.001 if unit.lower() == "ms" else 1.0)
    details = error.get("details")
    delays = [each.get("retryDelay") for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    delay = next((each for each in delays if isinstance(each, str)), "")
    return float(delay[:-1]) if re.fullmatch(r"\d+(?:\.\d+)?s", delay) else None
