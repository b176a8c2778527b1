"""Flow control of what a connection receives: what waits to be read, and when reading pauses."""

import asyncio
from collections.abc import Callable

HIGH_WATER_BYTES = 256 * 2**10
"""Unread bytes after which reading pauses, so that the upstream waits."""
_GATHER_SECONDS = 0.004
"""The least time between two pieces of an answer that comes faster than anybody could tell, after its first
`_PROMPT_PIECES`: what comes in between is handed out together."""
_PROMPT_PIECES = 8


class Intake:
    """Unread bytes of one connection, answer after answer.

    Args:
        wake: Called when the reader may take what has come.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop, self._wake = loop, wake
        self._transport: asyncio.Transport | None = None
        """None: not open yet, or closed."""
        self.unread: list[bytes] = []
        self._unread_bytes = 0
        self.is_paused = False
        """Nothing more is received until the reader has taken what waits."""
        self._is_gathering = False
        self._pieces_taken = 0
        self._taken_at = 0.0

    def open(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Receive nothing more; what is unread can still be taken."""
        self._transport = None

    def begin(self) -> None:
        """Begin the next answer: its first pieces are handed on at once."""
        self.drop()
        self._pieces_taken = 0

    def add(self, data: bytes) -> None:
        self.unread.append(data)
        self._unread_bytes += len(data)

    @property
    def is_high(self) -> bool:
        return self._unread_bytes > HIGH_WATER_BYTES

    def take(self) -> bytes:
        """Return all that is unread, as one piece."""
        self._taken_at = self._loop.time()
        self._pieces_taken += 1
        piece = self.unread[0] if len(self.unread) == 1 else b"".join(self.unread)
        self.drop()
        return piece

    def drop(self) -> None:
        self.unread = []
        self._unread_bytes = 0

    def pause(self) -> None:
        self.is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        self.is_paused = False
        if self._transport is not None and not self._is_gathering:
            self._transport.resume_reading()

    def hand_on(self) -> None:
        """Wake the reader; what comes within a moment of the last piece waits for the end of that moment."""
        left = self._taken_at + _GATHER_SECONDS - self._loop.time()
        if left <= 0 or self._pieces_taken < _PROMPT_PIECES or self.is_paused or self._transport is None:
            self._wake()
        elif not self._is_gathering:
            self._is_gathering = True
            self._transport.pause_reading()  # the system gathers at a lower price
            self._loop.call_later(left, self._gathered)

    def _gathered(self) -> None:
        self._is_gathering = False
        if not self.is_paused:
            self.resume()
        self._wake()
