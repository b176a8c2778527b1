"""A model in this process, by llama.cpp: any GGUF file with a chat template, ChatGLM3 and its successors among them.

An extra: `pip install llama-cpp-python`, which has no wheel and builds for some minutes.
"""

import asyncio
from collections.abc import Sequence
from threading import Event, Semaphore

from msgspec import Struct

from chassis.errors import ApiError
from llm.answer.encode import Reason
from llm.engines.gguf.llamacpp import Gone

AHEAD = 64
"""Tokens that may be made ahead of a caller who reads slowly."""


class End(Struct, frozen=True):
    """What is known of an answer when it is made."""

    reason: Reason


class Handover:
    """What the worker's thread makes, one piece after another, for the loop; no more ahead than `AHEAD`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pieces: asyncio.Queue[str | End | ApiError] = asyncio.Queue()
        self._room = Semaphore(AHEAD)
        self.left = Event()

    def put(self, piece: str | End | ApiError) -> None:
        """Wait for room. In the worker's thread.

        Raises:
            Gone: Nobody takes any more.
        """
        if piece != "":  # of half a character there is nothing to hand over yet
            self._room.acquire()
        if self.left.is_set() or self._loop.is_closed():
            raise Gone
        if piece != "":
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)

    async def take(self) -> str | End:
        piece = await self._pieces.get()
        self._room.release()
        if isinstance(piece, ApiError):
            raise piece
        return piece

    def leave(self) -> None:
        self.left.set()
        self._room.release()


class Until:
    """Text up to the first of some words, held back as long as it may become one."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [word for word in words if word]
        self._held, self.found, self._said = "", False, False

    def add(self, text: str) -> str:
        """What can be said by now; white space before the first word is not."""
        if not self._said:
            text = text.lstrip()
            self._said = bool(text)
        self._held += text
        ends = [end for word in self._words if (end := self._held.find(word)) >= 0]
        if ends:
            self.found = True
            return self._held[: min(ends)]
        keep = max((_overlap(self._held, word) for word in self._words), default=0)
        said, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return said

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held


def _overlap(text: str, word: str) -> int:
    """How much of the end of `text` is the beginning of `word`."""
    return next((size for size in range(min(len(text), len(word) - 1), 0, -1) if text.endswith(word[:size])), 0)
