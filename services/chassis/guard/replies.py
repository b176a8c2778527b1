"""Tells what a message means by the one before it: an answer that says yes, a question about what was named already."""

import re
from collections.abc import Sequence

from chassis.guard.normal import HAN

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

_FRAGMENT = re.compile(rf"\W*(?:[^\W{HAN}]+\W*){{1,4}}$|\W*(?:[{HAN}]\W*){{1,5}}$")
"""A piece of a sentence, or of a word: up to four words, or five characters of Chinese."""
_MOST_FRAGMENTS = 12
_UNFINISHED = re.compile(
    r"(?:\b(?:i|im|to|a|the|my|his|her|want|wanna|of|and|with|how|do|can|not|dont|in|on)|[我他她你想要不把跟和么给用被])\W*$|^\W*[a-z]\W*$",
    re.IGNORECASE,
)
"""The end of a message after which a sentence goes on."""


def says_yes(answer: str, child: str) -> bool:
    """Tell whether an answer permits what a child asked for; then it says, too, what was asked for."""
    return bool(_AGREES.match(answer) and _ASKS.match(child))


def refers_back(text: str) -> bool:
    """Tell whether a message speaks of what was named before it, or is too short to stand for itself."""
    return bool(_REFERS.search(text))


def together(said: Sequence[str]) -> list[str]:
    """Return the last of a child's messages that say something together: all fragments at the end, and the one before.

    Args:
        said: Two messages at least.
    """
    whole = next((at for at, text in enumerate(reversed(said)) if not _FRAGMENT.match(text)), len(said))
    return list(said[-max(2, min(whole + 1, _MOST_FRAGMENTS)) :])


def is_unfinished(text: str) -> bool:
    """Tell whether a message ends within a sentence, so that the next one ends it."""
    return bool(_UNFINISHED.search(text))
