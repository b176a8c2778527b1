"""Text on its way to a child, held until each clause of it is judged."""

import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from typing import Generic, TypeVar

from chassis.guard.normal import HAN

V = TypeVar("V")
CLAUSE_END = re.compile(r"(?:[，。！？；：、…,?;:\n]|!(?![a-z0-9])|(?<!\b[^\W_])\.|\.(?=\s))[”’»」』）)\]\"']*\s*")
"""A full stop behind a single letter may stand within a word that is spread out, and ends nothing before a blank."""
_END_OF_QUOTE = re.compile(r"[,，?!？！…][”\"」』]+\s*\Z")
"""The end of what somebody says in a story; who says it may follow: `"Do not go," said the fox.`"""
_GOES_ON = re.compile("[a-z]")
SENTENCE_END = re.compile(r"[。！？….!?\n]")
_LONGEST_CLAUSE = 240
"""Characters after which a clause without an end is judged as it is."""
LEAST_SENTENCE = 8
"""Characters of a sentence that stands for itself; a shorter one is looked at together with the next."""
_HALF_A_WORD = re.compile(rf"(?:(?:(?<![^\W_])[A-Za-z0-9]\W+)+|[{HAN}]{{1,2}}\W*)\Z")
"""The end of a sentence that may be a part of a word with full stops in it: `k.i.`, `自。`."""
_MOST_AT_A_TIME = 1_000
"""Characters of clauses after which no further one is judged together with them."""
_LONGEST_BEFORE = 160
"""Characters of what passed that are looked at together with the next clause."""


def clauses(text: str) -> list[str]:
    """Return the clauses of a whole text."""
    ends = [0, *clause_ends(text), len(text)]
    return [clause for start, end in pairwise(ends) if (clause := text[start:end].strip())]


def clause_ends(text: str) -> Iterator[int]:
    """Yield where each clause ends, as far as it can be told by now; who says something belongs to what is said."""
    for found in CLAUSE_END.finditer(text):
        end = found.end()
        if _END_OF_QUOTE.search(found[0]) and (end == len(text) or _GOES_ON.match(text, end)):
            continue
        if end < len(text) or found[0][0] not in ",，?!？！" or not _is_in_quote(text[: found.end()]):
            yield end


def is_clause(text: str) -> bool:
    """Tell whether a text ends with a clause, or is as long as the longest."""
    found = CLAUSE_END.search(text.rstrip()[-3:])
    return len(text) > _LONGEST_CLAUSE or found is not None


def _is_in_quote(text: str) -> bool:
    """Tell whether a quotation is open at the end of a text."""
    return text.count('"') % 2 == 1 or text.count("“") > text.count("”")


class Held(Generic[V]):
    """Holds one text back, clause by clause.

    Args:
        judge: Judges a clause together with what passed of its sentence; None: it may be heard.
        ask: Has the clauses that are there by now judged once more, together; None: nobody else is asked.
        before: Words that this text goes on with.
    """

    def __init__(
        self,
        judge: Callable[[str], V | None],
        ask: Callable[[str], Awaitable[V | None]] | None = None,
        before: str = "",
    ) -> None:
        self._judge, self._ask = judge, ask
        self._waiting, self._before = "", before[-_LONGEST_BEFORE:]
        self.verdict: V | None = None
        """Why the text ended; nothing passes from then on."""

    async def add(self, text: str, *, last: bool = False) -> str:
        """Return what may be heard by now.

        Args:
            last: The text ends here, so that the last clause does.
        """
        self._waiting += text
        passed = ""
        while self.verdict is None:
            before, fine = self._before, self._judged(last)
            if fine and self._ask is not None and (verdict := await self._ask(before + fine)) is not None:
                self.verdict, fine = verdict, ""
            if not fine:
                break
            passed += fine
        if self.verdict is not None:
            self._waiting = ""
        return passed

    def _judged(self, last: bool) -> str:
        """Return some of the clauses that are there by now, up to one that does not pass."""
        fine = ""
        while len(fine) <= _MOST_AT_A_TIME and (end := self._end(last)):
            clause = self._waiting[:end]
            self.verdict = self._judge(self._before + clause)
            if self.verdict is not None:
                break
            fine, self._waiting = fine + clause, self._waiting[end:]
            self._remember(clause)
        return fine

    def _end(self, last: bool) -> int:
        """Return how much is a clause; 0 where the rest of it is to come."""
        if (end := next(clause_ends(self._waiting), None)) is not None:
            return end
        if len(self._waiting) > _LONGEST_CLAUSE:
            blank = self._waiting.rfind(" ", _LONGEST_CLAUSE // 2, _LONGEST_CLAUSE)
            return blank + 1 if blank > 0 else _LONGEST_CLAUSE
        return len(self._waiting) if last else 0

    def _remember(self, clause: str) -> None:
        whole = self._before + clause
        is_over = SENTENCE_END.search(clause) and len(whole.strip()) >= LEAST_SENTENCE
        half = _HALF_A_WORD.search(whole)
        self._before = (half[0] if half else "") if is_over else whole[-_LONGEST_BEFORE:]
