"""Define an answer: on its way out, being made, and kept under a key."""

from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Literal, Protocol

import msgspec

FORM = 3
"""Version of the keys and files; raise it when the same settings and words sound different, or files change."""

How = Literal["hit", "shared", "miss"]


class Outgoing(Protocol):
    """Answer on its way to a caller."""

    @property
    def engine(self) -> str | None:
        """Name of the engine that spoke the answer; None if there was nothing to speak."""

    @property
    def how(self) -> How | None:
        """Source of the answer; None if the cache is not involved."""

    @property
    def seconds(self) -> float:
        """Duration of the sound; known once the answer has ended."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class Made(Outgoing, Protocol):
    """Answer that is being made."""

    @property
    def key(self) -> bytes:
        """Key under which the answer is kept."""


class Kept(msgspec.Struct, frozen=True):
    """Whole answer, as the cache keeps it."""

    engine: str
    seconds: float
    made: float
    """Time of the synthesis, in seconds since 1970."""
    sound: bytes


def key_of(*parts: object) -> bytes:
    """Return the key of an answer, a digest of everything that decides how it sounds."""
    return blake2b(msgspec.json.encode([FORM, *parts]), digest_size=32).digest()
