"""A hunch: what many slight signs of a text come to, where no rule holds.

Each sign is a word, two words in a row, the beginning of a word, or one to three characters of Chinese. `hunches.tsv`
has its weight, learnt from the sentences of the suite (`python -m deploy.safety.learn`).
"""

import re
from itertools import pairwise
from math import sqrt
from pathlib import Path

HUNCH = "hunch"
"""Kind of risk of a text that no rule names."""
BIAS = ""
"""Sign that each text has: its weight decides alone where nothing is known."""
LEAST_BEGINNING = 5
_TOKEN = re.compile(r"[a-z]+|[\u3400-\u9fff]+")


def signs(plain: str) -> set[str]:
    """Return the signs of a text that is plain already."""
    tokens = _TOKEN.findall(plain)
    words = ["^", *(each for each in tokens if each.isascii()), "$"]
    found = {f"{first} {second}" for first, second in pairwise(words)} if len(words) > 2 else set()
    for word in words[1:-1]:
        found.add(word)
        if len(word) > LEAST_BEGINNING:
            found.add(f"{word[:LEAST_BEGINNING]}*")
    for each in (f"^{token}$" for token in tokens if not token.isascii()):
        found |= {each[start : start + length] for length in (1, 2, 3) for start in range(len(each) - length + 1)}
    return found - {"^", "$"}


class Hunches:
    """Weights of signs, read from a file whose lines are a sign, a tabulator, and its weight in thousandths."""

    def __init__(self, path: Path) -> None:
        lines = (line.rpartition("\t") for line in path.read_text("utf-8").splitlines())
        self._weights = {sign: int(weight) / 1000 for sign, _, weight in lines}

    def has(self, plain: str) -> bool:
        """Tell whether a plain text is more likely a risk than not."""
        found = signs(plain)
        if not found:
            return False
        weight = sum(self._weights.get(sign, 0.0) for sign in found)
        return weight / sqrt(len(found)) + self._weights[BIAS] > 0
