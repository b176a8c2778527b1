"""Fields of a chat that an upstream may refuse, and how its refusal names them.

What is refused is left out, or sent in another form: `body.py` and `messages.py` know which.
"""

import re
from collections.abc import Iterable, Mapping

THINKING = "thinking off"
"""Stands for all fields that switch thinking off, whatever a provider calls them."""
DEVELOPER, PARTS, SYSTEM_ROLE, JSON_SCHEMA = "developer role", "text parts", "system role", "json_schema"
"""Forms, not fields: `system` instead of `developer`, strings instead of lists of text, the system's words in the first
message, `json_object` instead of a schema."""

_PENALTY = re.compile("penalty is not", re.IGNORECASE)  # Gemini's, of both at once
_KNOWN: Mapping[str, re.Pattern[str] | None] = {
    "prompt_cache_key": None,
    "safety_identifier": None,
    "metadata": None,
    "store": None,
    "service_tier": None,
    "verbosity": None,
    "user": None,
    "stream_options": None,
    "parallel_tool_calls": None,
    "seed": None,
    "logit_bias": None,
    "frequency_penalty": _PENALTY,
    "presence_penalty": _PENALTY,
    "top_p": None,
    "temperature": None,
    THINKING: re.compile(r"thinking|reasoning|chat_template_kwargs|think value", re.IGNORECASE),
    "reasoning_effort": None,
    "max_tokens": None,
    "max_completion_tokens": None,
    DEVELOPER: re.compile(r"\bdeveloper\b", re.IGNORECASE),
    PARTS: re.compile(
        r"invalid type: sequence|expected a string|should be a valid string|must be a string|not a string|str type",
        re.IGNORECASE,
    ),
    SYSTEM_ROLE: re.compile(r"system (?:role|message|prompt)s?\b.{0,40}support|support.{0,20}system", re.IGNORECASE),
    "top_logprobs": None,
    "logprobs": None,
    "n": None,
    "stop": None,
    JSON_SCHEMA: re.compile("response_format|json_schema", re.IGNORECASE),
    "response_format": None,
}
"""In the order in which they are missed."""
_NEVER = frozenset({"model", "messages", "stream", "tools", "tool_choice", "functions", "function_call", "modalities"})
_CHEAP = frozenset(list(_KNOWN)[: list(_KNOWN).index("top_logprobs")])


def spare(sent: Iterable[str]) -> dict[str, re.Pattern[str] | None]:
    """Return those of the fields and forms `sent` that an answer can do without, least missed first."""
    there = frozenset(sent) - _NEVER
    others = dict.fromkeys(sorted(there - _KNOWN.keys()))
    return others | {name: pattern for name, pattern in _KNOWN.items() if name in there}


def costly(names: Iterable[str]) -> frozenset[str]:
    """Return those of `names` without which the answer would be another one."""
    return frozenset(names) - _CHEAP
