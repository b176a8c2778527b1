"""Tell models that think by their names."""

import re
from functools import lru_cache

_REASONS = re.compile(r"(?:.*/)?(?:o\d|gpt-(?:[5-9]|\d\d))", re.IGNORECASE)
_THINKS_UNTOLD = re.compile(r"(?:.*[/:_.-])?(?:r1|qwq|thinking|reasoner)(?:$|[/:_.-])", re.IGNORECASE)


@lru_cache(maxsize=256)
def reasons(model: str) -> bool:
    """Tell whether this is a model of OpenAI's that takes no `max_tokens`, and no `temperature` but its own."""
    return _REASONS.match(model) is not None


@lru_cache(maxsize=256)
def thinks_untold(model: str) -> bool:
    """Tell whether a model's template opens a thought itself, so that its answers only close it."""
    return _THINKS_UNTOLD.match(model) is not None
