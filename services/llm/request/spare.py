"""Fields of a chat that an upstream may refuse, and how its refusal names them.

What is refused is left out, or sent in another form: `body.py` and `messages.py` know which.
"""

import re
from collections.abc import Iterable, Mapping

THINKING = "thinking off"
"""Stands for all fields that switch thinking off, whatever a provider calls them."""
DEVELOPER, PARTS, SYSTEM_ROLE = "developer role", "text parts", "system role"
JSON_SCHEMA, JSON_OBJECT = "json_schema", "any JSON object"
NAMES, TURNS, STREAMS, WHOLES = "names", "free order", "streams", "answers in one piece"
"""Forms, not fields: `system` instead of `developer`, strings instead of lists of text, the system's words in the first
message, `json_object` instead of a schema, and the reverse; messages without `name`, user and assistant in turns; an
answer in one piece where a stream was wanted, and the reverse."""
JSON_FORMS = {"json_schema": JSON_SCHEMA, "json_object": JSON_OBJECT}
"""Forms by the type of `response_format` that can do without it."""

_PENALTY = re.compile("penalty is not|sampling param", re.IGNORECASE)  # Gemini's, of both at once
_SAMPLING = re.compile("sampling param", re.IGNORECASE)
_STREAM = re.compile(r"\bstream(?:ing|ed)?\b|流式", re.IGNORECASE)
_KNOWN: Mapping[str, re.Pattern[str] | None] = {
    "prompt_cache_key": None,
    "safety_identifier": None,
    "metadata": None,
    "store": None,
    "service_tier": None,
    "verbosity": None,
    "user": None,
    "stream_options": None,
    STREAMS: _STREAM,
    WHOLES: _STREAM,
    "parallel_tool_calls": None,
    "seed": None,
    "logit_bias": None,
    "frequency_penalty": _PENALTY,
    "presence_penalty": _PENALTY,
    "top_p": _SAMPLING,
    "temperature": _SAMPLING,
    THINKING: re.compile(r"thinking|reasoning|chat_template_kwargs|think value", re.IGNORECASE),
    "reasoning_effort": None,
    "max_tokens": None,
    "max_completion_tokens": re.compile(r"\bmax_tokens\b"),
    DEVELOPER: re.compile(r"\bdeveloper\b|\brole\b.{0,80}'system'", re.IGNORECASE),
    PARTS: re.compile(
        r"invalid type: sequence|expected a string|(?:should|must) be (?:a |of type )?(?:valid )?string|not a string"
        r"|str type|unmarshal array",
        re.IGNORECASE,
    ),
    SYSTEM_ROLE: re.compile(
        r"(?:\bsystem\b|developer).{0,60}(?:support|allow|permit|enabled|valid)"
        r"|(?:support|allow|unknown|invalid|unexpected).{0,40}\bsystem\b|\brole\b.{0,60}'user' (?:or|and) 'assistant'",
        re.IGNORECASE,
    ),
    NAMES: re.compile(r"messages?\b.*\bname\b", re.IGNORECASE),
    TURNS: re.compile(
        r"alternat|consecutive|in a row|prefill|(?:first|last|final|end|start)\w* .{0,30}\b(?:role|user|message)\b"
        r"|(?:role|message|user)s?\b.{0,30} (?:first|last|end|start|begin)|non-?empty|(?:not|cannot|can't) be empty"
        r"|empty (?:content|message|text)|角色|交替|不能为空",
        re.IGNORECASE,
    ),
    JSON_OBJECT: re.compile("response_format.{0,20} must be .{0,20}json_schema", re.IGNORECASE),  # LM Studio
    "top_logprobs": None,
    "logprobs": None,
    "n": None,
    "stop": None,
    JSON_SCHEMA: re.compile("response_format|json_schema", re.IGNORECASE),
    "response_format": None,
}
"""In the order in which they are missed."""
FORMS = (DEVELOPER, PARTS, SYSTEM_ROLE, NAMES, TURNS)
"""Forms that any conversation may have to do without."""
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
"""Two names of one field: where one is refused the other is tried, and where both are, none is sent."""
_NEVER = frozenset({"model", "messages", "stream", "tools", "tool_choice", "functions", "function_call", "modalities"})
_CHEAP = frozenset(list(_KNOWN)[: list(_KNOWN).index("top_logprobs")])

_WISHES = frozenset(list(_KNOWN)[: list(_KNOWN).index("max_tokens")]) - {STREAMS, WHOLES}


def spare(sent: Iterable[str]) -> dict[str, re.Pattern[str] | None]:
    """Return those of the fields and forms `sent` that an answer can do without, least missed first."""
    there = frozenset(sent) - _NEVER
    there |= _LIMITS if there & _LIMITS else frozenset()
    others = dict.fromkeys(sorted(there - _KNOWN.keys()))
    return others | {name: pattern for name, pattern in _KNOWN.items() if name in there}


def dispensable(names: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return those of `names` that are mere wishes, and the limit of tokens, which is then called otherwise."""
    there = frozenset(names)
    return frozenset(name for name in there if name not in _KNOWN or name in _WISHES), there & {"max_tokens"}


def costly(names: Iterable[str]) -> frozenset[str]:
    """Return those of `names` without which the answer would be another one."""
    return frozenset(names) - _CHEAP
