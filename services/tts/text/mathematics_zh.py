"""Sums, integrals, limits, vectors and derivatives, in Chinese."""

from collections.abc import Sequence

from tts.text import words_zh as words
from tts.text.figure_rules import BOUNDS, any_of, negative
from tts.text.rules import Match, Rule, rule


def _range(m: Match) -> str:
    name = words.OPERATORS[m[1]]
    if m[3] and m[1] == "lim":
        return f"{m[2]}趋于{negative(m[3], '负')}时的极限，"
    if m[3]:
        return f"从{negative(m[2], '负')}到{negative(m[3], '负')}{name}，"
    return f"对{m[2]}{name}，" if m[2] else f"{name}，"


RANGES: Sequence[Rule] = (
    rule(rf"({any_of(words.OPERATORS)})(?:{BOUNDS}|(?<=[∑∏∫∬∭∮])|(?<=lim)(?= ?[a-z(] ?[^A-Za-z]))\s?", _range),
    rule("([A-Za-z]{1,2})\u20d7", r"向量\1"),
    rule("(?<![A-Za-z])([A-Z]{2})\u0304", r"线段\1"),
    rule("(?<![A-Za-z])([A-Za-z])\u0304(?![A-Za-z])", r"\1拔"),
    rule("(?<![A-Za-z])([A-Za-z])\u0302(?![A-Za-z])", r"\1尖"),
    rule(r"(?<![A-Za-z])([fgh])['’′]\(([a-z])\)", r"\1撇\2"),
)
"""Rules that put a range in front of what it is of."""
