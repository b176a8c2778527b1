"""Answers kept: what was said once is not made again, and what many ask for at the same moment is made once.

An answer is filed under what one engine was to say, and how. So what a later engine said while an earlier one was down
is the later one's alone, and is never taken for the earlier one's. Only whole answers are kept.
"""

from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Literal, Protocol

import msgspec

FORM = 3
"""Raise it when the same settings and words sound otherwise than before, or files look otherwise."""

How = Literal["hit", "shared", "miss"]


class Outgoing(Protocol):
    """An answer on its way out."""

    @property
    def engine(self) -> str | None:
        """Who spoke it; None: nobody needed to."""

    @property
    def how(self) -> How | None:
        """Where it came from; None: it was made for this caller alone."""

    @property
    def seconds(self) -> float:
        """How long it sounds; known once it has ended."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class Made(Outgoing, Protocol):
    """One that is being made."""

    @property
    def key(self) -> bytes:
        """What it is to be filed under."""


class Kept(msgspec.Struct, frozen=True):
    """A whole answer."""

    engine: str
    seconds: float
    made: float
    """Seconds since 1970."""
    sound: bytes


def key_of(*parts: object) -> bytes:
    """What an answer is filed under: all that decides how it sounds."""
    return blake2b(msgspec.json.encode([FORM, *parts]), digest_size=32).digest()
