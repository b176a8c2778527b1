"""A hunch: what many slight signs of a text come to, where no rule holds.

Each sign is a word, two words in a row, the beginning of a word, one to three characters of Chinese, or a named group
of the lists of which a term was found (`@knife`). `hunches.tsv` has its weights, learnt from sentences
(`python -m deploy.safety.learn`): one for a risk of any kind, and one for each kind of crisis.
"""

import re
from array import array
from collections.abc import Iterable
from itertools import pairwise
from math import sqrt
from pathlib import Path

HUNCH = "hunch"
"""Kind of risk of a text that no rule names."""
BIAS = "="
"""Beginning of a row with the limits of one side: `=asked`, `=answered`."""
_LEAST_BEGINNING = 5
_TOKEN = re.compile(r"[a-z]+|[\u3400-\u9fff]+")
_NAMED = re.compile("[a-z]")
_FILLERS = re.compile(r"\b(?:u+m+|u+h+|e+r+m*|h*m+)\b|[嗯呃唔]+")
"""Sounds of somebody who thinks: they say nothing, and stand between words that belong together."""


def signs(plain: str, groups: Iterable[str] = ()) -> set[str]:
    """Return the signs of a text that is plain already, and in which terms of these groups were found."""
    tokens = _TOKEN.findall(_FILLERS.sub("", plain))
    words = ["^", *(each for each in tokens if each.isascii()), "$"]
    found = {f"{first} {second}" for first, second in pairwise(words)} if len(words) > 2 else set()
    for word in words[1:-1]:
        found.add(word)
        if len(word) > _LEAST_BEGINNING:
            found.add(f"{word[:_LEAST_BEGINNING]}*")
    for each in (f"^{token}$" for token in tokens if not token.isascii()):
        found |= {each[start : start + length] for length in (1, 2, 3) for start in range(len(each) - length + 1)}
    if found:
        found |= {f"@{group}" for group in groups if _NAMED.match(group)}
    return found - {"^", "$"}


class Hunches:
    """Weights of signs, read from a table: the kinds, then a sign a line with its weights in thousandths."""

    def __init__(self, path: Path) -> None:
        head, *lines = path.read_text("utf-8").splitlines()
        self._kinds = tuple(head.split("\t")[1:])
        self._weights = array("h")
        self._row_of: dict[str, int] = {}
        for line in lines:
            sign, *weights = line.split("\t")
            self._row_of[sign] = len(self._weights)
            self._weights.extend(map(int, weights))

    def knows(self, word: str) -> bool:
        """Tell whether a word is a sign."""
        return word in self._row_of

    def kind_of(self, plain: str, groups: Iterable[str], side: str) -> str | None:
        """Return the kind of crisis that a plain text is likely to be, or else `HUNCH`; None: it is likely no risk."""
        found = signs(plain, groups)
        rows = [row for sign in found if (row := self._row_of.get(sign)) is not None]
        root, limits = sqrt(len(found) or 1), self._row_of[BIAS + side]

        def excess(column: int) -> float:
            return sum(self._weights[row + column] for row in rows) / root - self._weights[limits + column]

        if not rows or excess(0) <= 0:
            return None
        kind = max(range(1, len(self._kinds)), key=excess, default=0)
        return self._kinds[kind] if excess(kind) > 0 else HUNCH
