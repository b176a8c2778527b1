"""Read the error object of an upstream, whatever its shape."""

import re
from typing import Any

import msgspec

from chassis.script_language import simplified
from chassis.sse import BYTE_ORDER_MARK
from chassis.upstream.refusals.common_sayings import ABOUT_AN_ACCOUNT
from chassis.upstream.refusals.error_shapes import (
    TEXTS,
    error_in,
    field_at_fault,
    validation_errors,
    wait_seconds,
    words_in,
)
from chassis.upstream.refusals.kinds import Kind
from chassis.upstream.refusals.legible import first_object, legible
from chassis.upstream.refusals.sayings import CODES, WORDS

_FIELDS = {
    Kind.TOO_LONG: (
        *("messages", "input", "inputs", "input_tokens", "prompt", "prompt_tokens", "contents"),
        *("max_tokens", "max_completion_tokens"),
    ),
    Kind.UNKNOWN_MODEL: ("model",),
}
"""Fields that these kinds are about; the same words about another one mean something else."""
_LONGEST_TEXT = 1000
_PLAIN_NAMES = ("temperature", "messages", "verbosity", "logprobs")
"""Fields without an underscore whose names mean nothing else; `stop` or `user` must be in quotes, or be the subject."""
_SUBJECT = (
    r"(?:^(?:the )?|[;:\n]\s*(?:the )?|(?:parameter|field|argument|propert(?:y|ies)|option|supplied|support|body"
    r"|keys?\b|values? for|参数|字段)\w*\W{1,3}(?:[\w.]+\W{1,3})*?)",
    r"(?=$|\s*[,:;)\n]|\.?$|\s*[\u3400-\u9fff]"
    r"| (?:is|was|are|and|or|not|does|must|should|cannot|parameter|field)\b)",
)
"""Patterns of what stands before and after the name of the field that a sentence is about."""
_ADVICE = re.compile(
    r"\b(?:expected|did you mean|please use|use [`'\"\w]+ instead|(?:supported|valid|allowed|permitted|accepted) "
    r"(?:\w+ )?(?:are|is|names|parameters|fields|arguments|values)\b)",
    re.IGNORECASE,
)
"""The beginning of what a message recommends, which names fields that are not at fault."""
_UNKNOWN = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|unavailable|not (?:allowed|permitted|enabled|available|implemented)"
    r"|extra (?:inputs|fields)|only .{1,40}(?:is|are) allowed|cannot (?:both|be specified)|cannot find field"
    r"|deserialize|invalid type|must alternate|requires? --|deprecated|additional propert|should not exist|not a valid"
    r"|not recogni[sz]ed|only .{1,24}(?:is|are|may be) (?:supported|available)|requires a model"
    r"|(?:invalid|illegal|bad) (?:parameter|argument|field|option|key)s?:? *[`'\"\[]?[\w.]+[`'\"\]]?\.?$"
    r"|(?:parameter|argument|field) \w+ is invalid|be one of|match any of|compatible|(?:must|should) be (?:text|json)"
    r"|non-whitespace"
    r"|too (?:many states|complex)|nesting depth|invalid grammar|to grammar"
    r"|[不未](?:支持|允许|识别)|未知|无效的?参数|参数(?:非法|无效|不合法|不存在)|[仅只](?:支持|能|允许)",
    re.IGNORECASE,
)
_HAN = re.compile("[\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"[.!。！]\s|[。！\n]")
_A_RATE = re.compile(r"error-code#token-limit", re.IGNORECASE)
"""DashScope links this where tokens a minute are used up, under the code that OpenAI has for an empty account."""
_IN_A_SCHEMA = re.compile("^invalid schema|schema error", re.IGNORECASE)
_RANGE = re.compile(
    r"between|range|less than|greater than|at (?:most|least)|exceed|too (?:large|small|high|low)|(?:max|min)imum|[<>]=",
    re.IGNORECASE,
)


class Complaint(msgspec.Struct):
    """The error object of an upstream, in one shape.

    Args:
        code: The vendor's own word for it.
        param: The field at fault, such as `messages.0.role`.
        words: Its codes, type, status and reasons, in lower case: what to decide by.
        explicit: It was called an error, and is not only something else than what was expected.
        wait_seconds: The time after which to ask again, where the body tells it.
        places: All that is at fault, where the body lists several.
    """

    message: str = ""
    code: str | None = None
    param: str | None = None
    words: frozenset[str] = frozenset()
    explicit: bool = False
    wait_seconds: float | None = None
    places: tuple[str, ...] = ()

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
        text = legible(body)
        if (value := first_object(text)) is not None and (complaint := cls.within(value)) is not None:
            return complaint
        return cls(text) if len(text) <= _LONGEST_TEXT and not text.startswith("<") else cls()

    @classmethod
    def within(cls, value: Any) -> "Complaint | None":
        """Return the complaint in a decoded `value`; None where it is no object."""
        if isinstance(value, list) and value:  # Gemini wraps it once more
            value = value[0]
        if not isinstance(value, dict):
            return None
        error = error_in(value)
        complaint = cls._read(error)
        complaint.explicit = error is not value
        return complaint

    @classmethod
    def _read(cls, error: dict[str, Any]) -> "Complaint":
        lower = {str(name).lower(): field for name, field in error.items()}
        found = next((lower[name] for name in TEXTS if lower.get(name)), "")
        message, places = (found, ()) if isinstance(found, str) else validation_errors(found)
        code = next(
            (lower[name] for name in ("code", "error_code", "status_code") if lower.get(name) is not None), None
        )
        complaint = cls(
            message,
            None if code is None else str(code),
            field_at_fault(lower) or next(iter(places), None),
            words_in(lower),
            wait_seconds=wait_seconds(message, lower),
            places=places,
        )
        if isinstance(said := lower.get("param"), str) and " " in said:  # a sentence
            complaint.message = f"{message}: {said}"
        if isinstance(found, dict):
            complaint._repeat(cls.within(found))
        elif message.startswith("{"):  # a gateway passes on the error that it got
            complaint._repeat(cls.of(message.encode("utf-8", "replace")))
        return complaint._with_raw(lower.get("metadata"))

    def _repeat(self, inner: "Complaint | None") -> None:
        """Say what `inner` says, which this one quotes."""
        if inner is None or not inner.message:
            return
        self.message, self.param = inner.message, self.param or inner.param
        self.words |= inner.words
        self.places = self.places or inner.places

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
        return _root(self.param) if self.param else None

    @property
    def kind(self) -> Kind | None:
        """The subject of the complaint, if a vendor is known to put it so; None where only the status tells."""
        found = next(filter(self._is_about, Kind), None)
        return Kind.UNKNOWN_MODEL if found is None and self.root == "model" else found

    def _is_about(self, kind: Kind) -> bool:
        if self.words & CODES[kind]:
            return kind is not Kind.UNPAID or _A_RATE.search(self.message) is None
        elsewhere = kind in _FIELDS and self.root is not None and self.root not in _FIELDS[kind]
        if elsewhere:
            return False
        told = self.message
        if kind is Kind.BLOCKED and ABOUT_AN_ACCOUNT.search(_in_simplified(told)):
            return False
        if kind is Kind.UNPAID and self.words & CODES[Kind.BUSY]:  # the rest is what to buy for a higher rate
            told = _SENTENCE_END.split(told, maxsplit=1)[0]
        return (WORDS[kind].search(told) or WORDS[kind].search(_in_simplified(told))) is not None

    def names(self, field: str) -> bool:
        """Return whether the complaint is about `field`: by `param`, or by its name in the message."""
        if self.root is not None:
            return field == self.root or field in map(_root, self.places)
        camel = re.sub("_([a-z])", lambda match: match[1].upper(), field)
        name = "|".join(map(re.escape, dict.fromkeys((field, camel, field.replace("_", " ")))))
        around = [(r"[`'\"“\[]", r"[`'\"”\]]"), _SUBJECT]
        if "_" in field or field in _PLAIN_NAMES:
            around = [(r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])")]
        pattern = re.compile("|".join(f"{before}(?:{name}){after}" for before, after in around), re.IGNORECASE)
        return pattern.search(self.blame) is not None

    @property
    def told(self) -> str:
        """The message, with the field at fault where it does not say which."""
        return f"{self.param}: {self.message}" if self.param and self.param not in self.message else self.message

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


def _in_simplified(text: str) -> str:
    return simplified(text.encode("utf-8", "replace").decode()) if _HAN.search(text) else text


def _root(place: str) -> str:
    return re.split(r"[.\[/]", place)[0]
