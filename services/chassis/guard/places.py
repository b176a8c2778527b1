"""The places of a rule's terms in a text. In speech without punctuation, words far apart say nothing together."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TypeAlias

_HAN_WIDTH = 4
"""Latin letters that one Chinese character counts as."""
REACH = 68
"""Latin letters within which the terms of a rule begin where nobody says what ends a sentence."""
ANYWHERE = 1 << 30
"""Place of a term that was found by its sound, or where blanks are left out."""
Places: TypeAlias = Mapping[str, list[int]]
"""Groups of which a term was found, and where their terms begin."""


def widths(form: str) -> Sequence[int]:
    """Return where each character of a text begins, in Latin letters; not so exactly where all of it is near."""
    if form.isascii() or _HAN_WIDTH * len(form) <= REACH:
        return range(len(form))
    return list(accumulate((_HAN_WIDTH if each >= "\u3400" else 1 for each in form), initial=0))


def are_near(groups: Iterable[str], at: Places) -> bool:
    """Tell whether a term of each group begins within `REACH`; one that is `ANYWHERE` is near to all."""
    known = [sorted(at[group]) for group in groups if at[group][0] != ANYWHERE]
    starts = {start for places in known for start in places}
    return not known or any(all(_is_within(places, start) for places in known) for start in starts)


def _is_within(places: list[int], start: int) -> bool:
    next_one = bisect_left(places, start)
    return next_one < len(places) and places[next_one] <= start + REACH
