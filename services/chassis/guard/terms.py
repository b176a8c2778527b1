"""Terms of a list: how they are separated, in which forms each is looked for, and how they are found."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Self

import ahocorasick

from chassis.guard.normal import HAN, as_written

_FIRST_HAN, _LAST_HAN = re.compile(f"[{HAN}]"), re.compile(f"[{HAN}]$")
_LENGTH_BITS = 12
_LONGEST_KEY = (1 << _LENGTH_BITS) - 1


class TermFinder:
    """Finds terms in a text, all in one pass; those of the same groups share one set, for there are many terms."""

    def __init__(self) -> None:
        self.groups_of: dict[str, frozenset[str]] = {}
        self._shared: dict[frozenset[str], frozenset[str]] = {}
        self._automaton: Any = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        self._sets: list[frozenset[str]] = []

    def add(self, key: str, groups: AbstractSet[str]) -> None:
        """Look for a key, which stands for a term of these groups."""
        together = self.groups_of.get(key, frozenset()) | groups
        self.groups_of[key] = self._shared.setdefault(together, together)

    def built(self) -> Self:
        """Return this, ready to find what was added."""
        number = {groups: at for at, groups in enumerate(self._shared)}
        self._sets = list(self._shared)
        for key, groups in self.groups_of.items():
            self._automaton.add_word(key, number[groups] << _LENGTH_BITS | len(key))
        self._automaton.make_automaton()
        self.groups_of, self._shared = {}, {}
        return self

    def iter(self, text: str) -> Iterator[tuple[int, tuple[int, frozenset[str]]]]:
        """Yield where each key ends in a text, its length, and its groups."""
        for end, value in self._automaton.iter(text):
            yield end, (value & _LONGEST_KEY, self._sets[value >> _LENGTH_BITS])


def terms_of(text: str) -> list[str]:
    """Return the terms of a list, which commas of either language or ends of lines separate."""
    return [term for part in re.split(r"[,\n，、]", text) if (term := part.strip())]


def keys_of(term: str) -> Iterator[str]:
    """Yield what is looked for: words between blanks in each of their usual forms, Chinese anywhere."""
    is_start, is_exact = term.endswith("*"), term.startswith("=")
    plain = as_written(term.strip("*="))
    words = plain.split()
    if len(words) == 1 and plain.isascii() and not is_start and not is_exact:
        yield from (f" {form} " for form in _inflected(words[0]))
        return
    if _FIRST_HAN.match(plain.strip()):
        plain = plain.lstrip()
    if is_start or _LAST_HAN.search(plain.strip()):
        plain = plain.rstrip()
    yield plain


def _inflected(word: str) -> set[str]:
    """Return an English word with its regular endings; those that do not exist harm nobody."""
    stem = word[:-1] if word.endswith("e") else word
    endings = {f"{word}s", f"{word}es", f"{stem}ed", f"{stem}ing", f"{word}{word[-1]}ing", f"{word}{word[-1]}ed"}
    if word.endswith("y"):
        endings |= {f"{word[:-1]}ies", f"{word[:-1]}ied"}
    return {word, *endings} if len(word) > 2 else {word}
