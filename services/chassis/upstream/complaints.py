"""Read the error object of an upstream, whatever its shape."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chassis.sse import BYTE_ORDER_MARK
from chassis.upstream.kinds import Kind
from chassis.upstream.sayings import CODES, WORDS

_TEXTS = (
    *("message", "msg", "error_msg", "status_msg", "errmsg", "detail", "error_message", "errormessage"),
    *("error_description", "title"),
)
_PARAMS = ("param", "parameter", "field", "argument", "property", "loc", "path", "instancepath", "pointer")
"""Names under which the field at fault is told: by OpenAI, Spring, pydantic, zod, ajv, JSON:API."""
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
"""Fields without an underscore whose names mean nothing else; `stop` or `user` must be in quotes, or be the subject."""
_SUBJECT = (
    r"(?:^|[;\n]\s*|(?:parameter|field|argument|propert(?:y|ies)|option|supplied|support|body)\w*\W{1,3}(?:[\w.]+\W{1,3})*?)",
    r"(?=$|\s*[,:;)]|\.?$| (?:is|was|are|and|or|not|does|must|should|cannot|parameter|field)\b)",
)
"""What stands before and after the name of a field that a sentence is about."""
_ADVICE = re.compile(
    r"\b(?:expected|did you mean|please use|use [`'\"\w]+ instead|(?:supported|valid|allowed|permitted|accepted) "
    r"(?:\w+ )?(?:are|is|names|parameters|fields|arguments|values)\b)",
    re.IGNORECASE,
)
"""The beginning of what a message recommends, which names fields that are not at fault."""
_LIMIT = re.compile(r"try again in (?:(\d+)m)?([\d.]+)(ms|s)\b", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|unavailable|not (?:allowed|permitted|enabled|available|implemented)"
    r"|extra (?:inputs|fields)|only .{1,40}(?:is|are) allowed|cannot (?:both|be specified)|cannot find field"
    r"|deserialize|invalid type|must alternate|requires --|deprecated|additional propert|不支持",
    re.IGNORECASE,
)
_IN_A_SCHEMA = re.compile("^invalid schema|schema error", re.IGNORECASE)
_RANGE = re.compile(
    r"between|range|less than|greater than|at (?:most|least)|exceed|too (?:large|small|high|low)|maximum", re.IGNORECASE
)


class Complaint(msgspec.Struct):
    """The error object of an upstream, in one shape.

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
        """Return the complaint in a body; None where the body holds no JSON object."""
        try:
            return cls.within(msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @classmethod
    def of_refusal(cls, body: bytes) -> "Complaint":
        """Return the complaint in the body of a refusal, which may be plain text."""
        if (complaint := cls.of(body)) is not None:
            return complaint
        try:
            text = body.decode().strip().strip('"')
        except UnicodeDecodeError:
            return cls()
        return cls(text) if len(text) <= _LONGEST_TEXT and not text.startswith(("<", "[", "{")) else cls()

    @classmethod
    def within(cls, value: Any) -> "Complaint | None":
        """Return the complaint in a decoded `value`; None where it is no object."""
        if isinstance(value, list) and value:  # Gemini wraps it once more
            value = value[0]
        if not isinstance(value, dict):
            return None
        error = _inner(value)
        complaint = cls._read(error)
        complaint.explicit = error is not value
        return complaint

    @classmethod
    def _read(cls, error: dict[str, Any]) -> "Complaint":
        lower = {str(name).lower(): field for name, field in error.items()}
        found = next((lower[name] for name in _TEXTS if lower.get(name)), "")
        message, param = (found, None) if isinstance(found, str) else _validation_errors(found)
        code = next(
            (lower[name] for name in ("code", "error_code", "status_code") if lower.get(name) is not None), None
        )
        complaint = cls(
            message,
            None if code is None else str(code),
            _param(lower) or param,
            _codes(lower) | _details(lower) | _base_resp(lower),
            wait_seconds=_wait(message, lower),
        )
        if isinstance(found, dict):
            complaint._repeat(cls.within(found))
        elif message.startswith("{"):  # somebody passes on what was said to him
            complaint._repeat(cls.of(message.encode("utf-8", "replace")))
        return complaint._with_raw(lower.get("metadata"))

    def _repeat(self, inner: "Complaint | None") -> None:
        """Say what `inner` says, which this one quotes."""
        if inner is None or not inner.message:
            return
        self.message, self.param = inner.message, self.param or inner.param
        self.words |= inner.words

    def _with_raw(self, metadata: Any) -> "Complaint":
        """Add what the provider behind OpenRouter said: its moderation, or its own error as a string."""
        if not isinstance(metadata, dict):
            return self
        if metadata.get("reasons") or metadata.get("flagged_input"):
            self.words |= {"metadata.flagged"}
        raw = metadata.get("raw")
        if isinstance(raw, str) and raw:
            self._repeat(Complaint.of(raw.encode("utf-8", "replace")))
        return self

    @property
    def empty(self) -> bool:
        """True where the object has neither a message nor a code."""
        return not self.message and not self.words

    @property
    def root(self) -> str | None:
        """The field of the request that the complaint names: `messages` for `messages.0.role`."""
        return re.split(r"[.\[/]", self.param)[0] if self.param else None

    @property
    def kind(self) -> Kind | None:
        """The subject of the complaint, if a vendor is known to put it so; None where only the status tells."""
        found = next(filter(self._is_about, Kind), None)
        return Kind.UNKNOWN_MODEL if found is None and self.root == "model" else found

    def _is_about(self, kind: Kind) -> bool:
        if self.words & CODES[kind]:
            return True
        if kind is Kind.UNPAID and self.words & CODES[Kind.BUSY]:  # Gemini speaks of billing where a minute is full
            return False
        elsewhere = kind in _FIELDS and self.root is not None and self.root not in _FIELDS[kind]
        return not elsewhere and WORDS[kind].search(self.message) is not None

    def names(self, field: str) -> bool:
        """Return whether the complaint is about `field`: by `param`, or by its name in the message."""
        if self.root is not None:
            return self.root == field
        camel = re.sub("_([a-z])", lambda match: match[1].upper(), field)
        name = "|".join(map(re.escape, dict.fromkeys((field, camel, field.replace("_", " ")))))
        around = [(r"[`'\"“]", r"[`'\"”]"), _SUBJECT]
        if "_" in field or field in _PLAIN_NAMES:
            around = [(r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])")]
        pattern = re.compile("|".join(f"{before}(?:{name}){after}" for before, after in around), re.IGNORECASE)
        return pattern.search(self.blame) is not None

    @property
    def blame(self) -> str:
        """The message without the remedy that it recommends."""
        advice = _ADVICE.search(self.message)
        return self.message[: advice.start()] if advice and advice.start() > 0 else self.message

    @property
    def unknown(self) -> bool:
        """True where the upstream does not know a field or value at all, rather than finding it wrong."""
        if _IN_A_SCHEMA.search(self.message):  # OpenAI and llama.cpp list in it what no schema may hold
            return False
        return _UNKNOWN.search(self.message) is not None or bool(
            self.words & {"unsupported_parameter", "unsupported_value", "extra_forbidden", "unknown_parameter"}
        )

    @property
    def of_range(self) -> bool:
        """True where a value is beyond what is allowed, so that another value of the same field would do."""
        return _RANGE.search(self.message) is not None


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    """Return the part of `value` that is the error, or `value` itself."""
    for name in ("error", "base_resp", "detail", "header"):
        inner = value.get(name)
        if isinstance(inner, str) and inner and name == "error":  # its name only, where there is a message beside
            return {"message": inner} | {key: field for key, field in value.items() if key != "error" and field}
        if isinstance(inner, dict) and inner and (name != "detail" or _says(inner)):
            if name == "base_resp":
                return {**inner, "base_resp": inner}
            return inner if inner.get("message") else _inner(inner)  # some wrap it once more
    response = value.get("Response")  # Tencent
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return dict(response["Error"])
    errors = value.get("errors")  # Cloudflare, Rails, JSON:API
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return dict(errors[0])
    if isinstance(errors, list | dict) and errors and not any(value.get(name) for name in _TEXTS):
        return {"detail": errors if isinstance(errors, list) else [{"loc": key, "msg": errors[key]} for key in errors]}
    return value


def _says(detail: Mapping[str, Any]) -> bool:
    """Tell whether a `detail` is the error itself, and not only the id of its line in a log, as Coze's."""
    return any(name in detail for name in (*_TEXTS, *_CODES))


def _param(lower: Mapping[str, Any]) -> str | None:
    """Return the field at fault, such as `messages.0.role`, however its place is written."""
    details = lower.get("details")
    nested = [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    nested += [each for detail in nested for each in detail.get("fieldViolations") or () if isinstance(each, dict)]
    source = lower.get("source")
    for fields in (lower, source if isinstance(source, dict) else {}, *nested):
        for name, place in fields.items():
            is_place = str(name).lower() in _PARAMS and (
                name != "path" or isinstance(place, list)
            )  # Spring's is its URL
            if is_place and (found := _place(place)) and found != "None":  # LiteLLM's word for none
                return found
    return None


def _place(place: object) -> str:
    """Return where something is, as `messages.0.role`, from a path, a list of steps or a JSON pointer."""
    steps = [str(step) for step in place] if isinstance(place, list | tuple) else [place]
    if not all(isinstance(step, str) for step in steps):
        return ""
    return re.sub(r"^(?:[#$./]+|body[./\[])+", "", ".".join(map(str, steps))).replace("/", ".")


def _validation_errors(detail: object) -> tuple[str, str | None]:
    """Return FastAPI's `[{loc, msg, type}]`, and what is like it, in one line, and the field of the first."""
    if not isinstance(detail, list):
        return "", None
    lines = [item if isinstance(item, dict) else {"msg": item} for item in detail if isinstance(item, dict | str)]
    where = [_param({str(name).lower(): field for name, field in item.items()}) or "" for item in lines]
    what = [item.get("msg") or item.get("message") or item.get("detail") or "" for item in lines]
    message = "; ".join(": ".join(filter(None, (place, str(text)))) for place, text in zip(where, what, strict=True))
    return message, next(filter(None, where), None)


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
