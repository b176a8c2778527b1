"""English as children spell it, and as recognisers hear it: a word that is none is read by its sound."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

_LEAST, _LEAST_MEANT = 4, 5
"""Letters of a word that is read by its sound, and of the one that is meant; shorter ones sound like too much else."""
_SHORT = """u=you r=are ur=your wat=what wats=whats wut=what wen=when wer=where shud=should wud=would cud=could
gona=gonna wana=wanna gotta=got cuz=because cos=because coz=because becuz=because dat=that dis=this da=the plz=please
pls=please bro=brother sis=sister tho=though nite=night tonite=tonight pic=picture pics=pictures insta=instagram
enuf=enough ppl=people"""
_SHORT_FOR = dict(each.split("=") for each in _SHORT.split())
"""Words of children's messages, and what they stand for."""
_REAL = frozenset(["steel", "steels", "steeled", "piece"])
"""Words that sound like one that is looked for, and are another."""
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("^kn|^gn", "n"),
        ("^wr", "r"),
        ("^ps", "s"),
        ("wh(?=[aei])", "w"),
        ("ph", "f"),
        ("t?ch", "C"),
        ("sh", "S"),
        ("mb(?=$|s|ing|ed|er)", "m"),
        ("igh", "I"),
        ("dge?", "dj"),
        ("sc(?=[eiy])|c(?=[eiy])|z", "s"),
        ("n?sw(?=er)", "ns"),
        ("c?k|c|q", "k"),
        ("x", "ks"),
        ("(?<=..)(?:er|or|ur)(?=$|s$|ed$|ing$)|(?<=[^aeiou])[uie]r(?=d)", "R"),
        ("ee|ea|ie", "E"),
        ("oo|ew", "U"),
        ("ai|ay", "A"),
        ("oy", "oi"),
        ("au|aw", "O"),
        ("y", "i"),
        ("tte$", "t"),
        (r"(.)\1+", r"\1"),
    )
)


@lru_cache(4096)
def sound(word: str) -> str:
    """Return how a word sounds: words that are spelt otherwise and sound alike have the same."""
    for pattern, its in _SOUNDS:
        word = pattern.sub(its, word)
    return word


class EnglishSpelling:
    """Reads words that are none as those that are listed.

    Args:
        listed: Words that are looked for.
        known: Tells whether a word that is not listed is one.
    """

    def __init__(self, listed: Iterable[str], known: Callable[[str], bool]) -> None:
        self._listed = frozenset(listed)
        self._known = known
        self._by_sound: dict[str, str] = {}
        for word in sorted(self._listed):
            if len(word) >= _LEAST_MEANT and word.isalpha():
                self._by_sound.setdefault(sound(word), word)

    def meant(self, tokens: Sequence[str]) -> list[str]:
        """Return the words that are meant, halves of one put together: `blee ch` is `bleach`."""
        out: list[str] = []
        for token in tokens:
            whole = self._of_halves(out[-1], token) if out else None
            if whole is None:
                out.append(token)
            else:
                out[-1] = whole
        return [self._read(token) for token in out]

    def _read(self, word: str) -> str:
        is_read = word in _SHORT_FOR or len(word) < _LEAST or not word.isascii() or self._is_one(word)
        return _SHORT_FOR.get(word, word) if is_read else self._by_sound.get(sound(word), word)

    def _of_halves(self, first: str, second: str) -> str | None:
        halves = (first, second)
        if not all(each.isascii() and len(each) > 1 for each in halves) or all(map(self._is_one, halves)):
            return None
        return self._by_sound.get(sound(first + second))

    def _is_one(self, word: str) -> bool:
        return word in self._listed or word in _REAL or self._known(word)
