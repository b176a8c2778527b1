"""Fields of a chat that an upstream may refuse, and how its refusal names them.

What is refused is left out, or sent in another form: `body.py` and `messages.py` know which.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from llm.request.forms import PATTERNS, STREAMS, THOUGHTS, WHOLES

THINKING = "thinking off"
"""Stands for all fields that switch thinking off, whatever a provider calls them."""

_SAMPLING = re.compile(
    r"(?:sampling|decoding) (?:param|setting|option|control|field|config|value|method)|(?:采样|采樣)", re.IGNORECASE
)
_PENALTY = re.compile(f"penalty is not|{_SAMPLING.pattern}", re.IGNORECASE)  # Gemini's, of both at once
_JSON = re.compile(r"json ?(?:模式|mode|object)|structured output|guided decoding", re.IGNORECASE)
_ASIDE: Mapping[str, re.Pattern[str] | None] = {
    "prompt_cache_key": None,
    "safety_identifier": None,
    "metadata": None,
    "store": None,
    "service_tier": None,
    "verbosity": None,
    "user": None,
    "stream_options": None,
}
_MANNER: Mapping[str, re.Pattern[str] | None] = {
    "parallel_tool_calls": re.compile(r"(?:parallel|single|multiple) tool[- ]", re.IGNORECASE),
    "seed": None,
    "logit_bias": None,
    "frequency_penalty": _PENALTY,
    "presence_penalty": _PENALTY,
    "top_p": _SAMPLING,
    "temperature": _SAMPLING,
    THINKING: re.compile(r"thinking|reasoning|chat_template_kwargs|think value|思考|推理", re.IGNORECASE),
    "reasoning_effort": None,
}
_COSTLY: Mapping[str, re.Pattern[str] | None] = {
    "top_logprobs": None,
    "logprobs": None,
    "n": re.compile(r"\bn\b ?(?:[=>]|is |must)|multiple completions", re.IGNORECASE),
    "stop": re.compile(r"stop[_ ](?:sequence|word|string)", re.IGNORECASE),
    "response_format": _JSON,
}
_WISHES = {**_ASIDE, **_MANNER}
_KNOWN: Mapping[str, re.Pattern[str] | None] = {
    **_ASIDE,
    **{form: PATTERNS[form] for form in (STREAMS, WHOLES, THOUGHTS)},
    **_MANNER,
    "max_tokens": re.compile("max_output_tokens|max_new_tokens"),
    "max_completion_tokens": re.compile(r"\bmax_tokens\b|max_output_tokens|max_new_tokens"),
    **PATTERNS,
    **_COSTLY,
}
"""In the order in which they are missed."""
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
"""Two names of one field: where one is refused the other is tried, and where both are, none is sent."""
_NEVER = frozenset({"model", "messages", "stream", "tools", "tool_choice", "functions", "function_call", "modalities"})
_DEFAULTS: Mapping[str, Any] = {
    "n": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "modalities": ["text"],
    "tool_choice": "auto",
    "response_format": {"type": "text"},
}
"""Values that say what is the case without them, so that nothing is lost where they go."""


def spare(sent: Mapping[str, Any], forms: Iterable[str]) -> dict[str, re.Pattern[str] | None]:
    """Return those of the fields `sent`, and the `forms`, that an answer can do without, least missed first."""
    there = {name for name, value in sent.items() if name not in _NEVER or _is_default(name, value)}
    there |= {*forms} | (_LIMITS if there & _LIMITS else frozenset())
    others = dict.fromkeys(sorted(there - _KNOWN.keys()))
    return others | {name: pattern for name, pattern in _KNOWN.items() if name in there}


def dispensable(names: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return those of `names` that are mere wishes, and the limit of tokens, which is then called otherwise."""
    there = frozenset(names)
    return frozenset(name for name in there if name not in _KNOWN or name in _WISHES), there & {"max_tokens"}


def costly(sent: Mapping[str, Any]) -> frozenset[str]:
    """Return those of the fields `sent` without which the answer would be another one."""
    lost = (name for name, value in sent.items() if name not in _NEVER and not _is_default(name, value))
    return frozenset(name for name in lost if name not in _WISHES and name not in _LIMITS)


def _is_default(name: str, value: Any) -> bool:
    return value is None or (name in _DEFAULTS and value == _DEFAULTS[name])
