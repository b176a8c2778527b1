"""Sums, integrals, limits, vectors and derivatives, in English."""

from collections.abc import Sequence

from tts.text import words_en as words
from tts.text.figure_rules import BOUNDS, any_of, negative
from tts.text.rules import Match, Rule, rule


def _range(m: Match) -> str:
    name, over = words.OPERATORS[m[1]]
    if m[3] and m[1] == "lim":
        return f"{name} as {negative(m[2], 'minus ')} approaches {negative(m[3], 'minus ')} of "
    if m[3]:
        return f"{name} from {negative(m[2], 'minus ')} to {negative(m[3], 'minus ')} of "
    return f"{name} {over} {m[2]} of " if m[2] else f"{name} of "


RANGES: Sequence[Rule] = (
    rule(rf"({any_of(words.OPERATORS)})(?:{BOUNDS}|(?<=[∑∏∫∬∭∮])|(?<=lim)(?= ?[a-z(] ?[^A-Za-z]))\s?", _range),
    rule("([A-Za-z]{1,2})\u20d7", r"vector \1"),
    rule("(?<![A-Za-z])([A-Z]{2})\u0304", r"line \1"),
    rule("(?<![A-Za-z])([A-Za-z])\u0304(?![A-Za-z])", r"\1 bar"),
    rule("(?<![A-Za-z])([A-Za-z])\u0302(?![A-Za-z])", r"\1 hat"),
    rule(r"\b([fgh])['’′]\(([a-z])\)", r"\1 prime of \2"),
    rule(r"(?<![A-Za-z])d([xyt])(?=\s*(?:=|$|[.,]))", r"d \1"),
)
"""Rules that put a range in front of what it is of."""
