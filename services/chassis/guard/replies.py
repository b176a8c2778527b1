"""Tells what a message means by the one before it: an answer that says yes, a question about what was named already."""

import re

_AGREES = re.compile(
    r"\W*(?:yes|yeah|sure|ok|okay|of course|go ahead|fine|you can|you may|absolutely|no problem"
    r"|好|可以|当然|没问题|行|对|嗯|没事)",
    re.IGNORECASE,
)
"""Beginning of an answer that says yes; then it says, too, what was asked for."""
_ASKS = re.compile(
    r"^(?!\W*(?:why|what is|为什么)).*(?:can i|may i|should i|could i|is it ok|let'?s|i want|i wanna|how do i|how can i"
    r"|能不能|能吗|可以|好不好|行吗|我想|我要|怎么|教我)",
    re.IGNORECASE | re.DOTALL,
)
_REFERS = re.compile(
    r"\b(?:one|it|that|this|them|those|these|him|her|there)\b|[它他她]|那|这|(?<!什)么样|^\W*(?:\w+\W*){1,3}$",
    re.IGNORECASE,
)
"""A message that speaks of what was named before it, or is too short to stand for itself."""


def says_yes(answer: str, child: str) -> bool:
    """Tell whether an answer permits what a child asked for; then it says, too, what was asked for."""
    return bool(_AGREES.match(answer) and _ASKS.match(child))


def refers_back(text: str) -> bool:
    """Tell whether a message speaks of what was named before it, or is too short to stand for itself."""
    return bool(_REFERS.search(text))
