"""The likelihood of an answer's tokens, as clients take it."""

from math import isfinite
from typing import Any

_NEVER = -9999.0
"""OpenAI's number for what is not likely at all: JSON has no infinity, and clients want a number."""


def logprobs_of(choice: dict[str, Any]) -> dict[str, Any]:
    """Return the field `logprobs` of a choice; nothing where it has none, or none that clients would take for it."""
    value = choice.get("logprobs")
    if value is None:
        return {"logprobs": None} if "logprobs" in choice else {}
    lists = ("content", "refusal")
    is_usual = isinstance(value, dict) and all(isinstance(value.get(name), list | None) for name in lists)
    return {"logprobs": _in_numbers(value)} if is_usual else {}


def _in_numbers(value: Any) -> Any:
    match value:
        case dict():
            return {name: _NEVER if _is_no_number(name, each) else _in_numbers(each) for name, each in value.items()}
        case list():
            return [_in_numbers(each) for each in value]
    return value


def _is_no_number(name: str, value: Any) -> bool:
    return name == "logprob" and not (isinstance(value, int | float) and isfinite(value))
