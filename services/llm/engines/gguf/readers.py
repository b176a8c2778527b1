"""Whose question is read: one with much to read gives way to those with little, and goes on after them.

llama.cpp reads the questions of one step in the order of its slots, so that a long one may keep all others silent.
What was read stays read, so to give way costs no more than a step.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

SHORT_TOKENS = 128
"""Tokens that are read without giving way."""
_MOST_TIMES = 8
"""Times that one question gives way, so that it is read at last."""


class PromptReader:
    """One question that is being read.

    Args:
        left: Tokens that are not read yet; None: not known yet.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.gave_way = 0

    @property
    def is_long(self) -> bool:
        return self.left is not None and self.left > SHORT_TOKENS


class PromptReaders:
    """All questions that are being read by one model, in the order of arrival."""

    def __init__(self) -> None:
        self._all: list[PromptReader] = []
        self._changed = asyncio.Event()

    @contextmanager
    def joined(self) -> Iterator[PromptReader]:
        """Count a new question among them until its answer begins."""
        reader = PromptReader()
        self._all.append(reader)
        try:
            yield reader
        finally:
            self._all.remove(reader)
            self._wake_waiting()

    def note(self, reader: PromptReader, left: int) -> None:
        """Note how many tokens are left of a question."""
        reader.left = left
        self._wake_waiting()

    def must_give_way(self, reader: PromptReader) -> bool:
        """Tell whether a question is long, and another is short, or as long and came before."""
        if not reader.is_long or reader.gave_way >= _MOST_TIMES:
            return False
        before = self._all[: self._all.index(reader)]
        return any(not other.is_long for other in self._all) or bool(before)

    async def give_way(self, reader: PromptReader) -> None:
        """Wait until those have been read to whom a question must give way."""
        while self.must_give_way(reader):
            await self._changed.wait()
        reader.gave_way += 1

    def _wake_waiting(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
