"""Share an answer that is being made among all callers who ask for it at the same time."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from chassis.errors import EngineFailed
from tts.cache.entry import How, Kept, Made

MOST_BYTES = 8 * 2**20
"""Size up to which an answer is kept, and shared with further callers."""

AHEAD_BYTES = 2**20
"""Number of bytes that an answer is made ahead of its listeners."""


class Making:
    """Synthesis of one answer for all its listeners; it stops when the last of them leaves.

    Args:
        close: Function that keeps further listeners out.
        ahead: Nobody has asked for it yet.
    """

    def __init__(self, close: Callable[[], None], *, ahead: bool = False) -> None:
        self.close, self.ahead = close, ahead
        self.engine: str | None = None
        self.seconds = 0.0
        self.task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._over = False
        self._pieces: deque[bytes] = deque()
        self._gone = 0
        """Number of pieces that were dropped because every listener has had them."""
        self._bytes = 0
        self._whole = True
        self._listeners: set[SharedAnswer] = set()
        self._changed = asyncio.Event()

    async def run(self, make: Callable[[], Awaitable[Made]]) -> tuple[bytes, Kept] | None:
        """Make the answer to its end; an error is raised to the listeners.

        Returns:
            Key and answer to keep; None if the answer is not whole.
        """
        try:
            made = await make()
            try:
                self.engine = made.engine
                async for piece in made:
                    await self._add(piece)
                self.seconds = made.seconds
            finally:
                await made.aclose()
        except Exception as exc:
            self._error = exc
            self.close()
        except asyncio.CancelledError:
            self._error = EngineFailed("was stopped")
            raise
        finally:
            self._over = True
            self._notify()
        if self._error is not None or not self._whole or not made.engine:
            return None
        return made.key, Kept(made.engine, made.seconds, time.time(), b"".join(self._pieces))

    async def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._bytes += len(piece)
        self._notify()
        if self._whole and self._bytes > MOST_BYTES:
            self._whole = False
            self.close()
        await self._not_too_far_ahead()

    async def _not_too_far_ahead(self) -> None:
        while True:
            taken = [listener.taken for listener in self._listeners] or [self._bytes]
            if self._bytes - (max(taken) if self._whole else min(taken)) <= AHEAD_BYTES:
                return
            await self._changed.wait()

    def listen(self, how: How) -> "SharedAnswer":
        listener = SharedAnswer(self, how)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: "SharedAnswer") -> None:
        self._listeners.discard(listener)
        if not self._listeners and not self._over and self.task is not None:
            self.close()
            self.task.cancel()
        self._progressed()

    def _progressed(self) -> None:
        if not self._whole and self._listeners:
            place = min(listener.place for listener in self._listeners)
            while self._gone < place:
                self._pieces.popleft()
                self._gone += 1
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def piece(self, listener: "SharedAnswer") -> bytes:
        """Return the next piece for this listener.

        Raises:
            StopAsyncIteration: The listener has had all pieces.
            Exception: The error that ended the synthesis.
        """
        while listener.place - self._gone >= len(self._pieces):
            if self._error is not None:
                raise self._error
            if self._over:
                raise StopAsyncIteration
            await self._changed.wait()
        piece = self._pieces[listener.place - self._gone]
        listener.place += 1
        listener.taken += len(piece)
        self._progressed()
        return piece

    async def begun(self) -> None:
        """Wait until the first piece has come.

        Raises:
            Exception: The error that ended the synthesis before its first piece.
        """
        while not self._pieces and not self._gone:
            if self._error is not None:
                raise self._error
            if self._over:
                return
            await self._changed.wait()


class SharedAnswer(AsyncIterator[bytes]):
    """Iterator over a shared answer for one caller, who must close it."""

    def __init__(self, making: Making, how: How) -> None:
        self.how: How | None = how
        self.place = self.taken = 0
        """Numbers of pieces and bytes that this caller has had."""
        self._making = making

    @property
    def ahead(self) -> bool:
        """True if it was begun before anybody asked for it."""
        return self._making.ahead

    @property
    def engine(self) -> str | None:
        return self._making.engine

    @property
    def seconds(self) -> float:
        return self._making.seconds

    async def first(self) -> None:
        try:
            await self._making.begun()
        except BaseException:
            await self.aclose()
            raise

    async def __anext__(self) -> bytes:
        return await self._making.piece(self)

    async def aclose(self) -> None:
        self._making.leave(self)
