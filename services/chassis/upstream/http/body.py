"""The body of an answer that comes in on a connection."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeAlias

import httpx

Headers: TypeAlias = list[tuple[bytes, bytes]]


class Unbegun(httpx.ReadError):
    """A kept connection was closed before anything of an answer came: most likely it was being closed already."""


def ends_with_connection(headers: Headers) -> bool:
    """Return True where nothing but the end of the connection tells where the body ends."""
    names = {name.lower() for name, _ in headers}
    return not names & {b"content-length", b"transfer-encoding"}


class Source(Protocol):
    """A connection, as far as a body needs it."""

    async def piece(self) -> bytes: ...

    def drain(self) -> None: ...

    def leave(self) -> None: ...


class Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """The rest of an answer; all that has come by now is one piece. Close it: that ends the work upstream."""

    def __init__(self, connection: Source) -> None:
        self._connection: Source | None = connection

    def __aiter__(self) -> "Body":
        return self

    async def __anext__(self) -> bytes:
        if self._connection is None:
            raise StopAsyncIteration
        if piece := await self._connection.piece():
            return piece
        self.let_pass()
        raise StopAsyncIteration

    @property
    def is_over(self) -> bool:
        """True where all that matters of the answer has come."""
        return self._connection is None

    def let_pass(self) -> None:
        """Let what little is left pass unread, so that its connection can be kept."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drain()

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.leave()
