"""Bodies that come compressed although none were asked for: inflated piece by piece, within a limit."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from chassis.errors import EngineFailed

MAX_INFLATED_BYTES = 64 * 2**20
"""The largest body; a larger one is a bomb, or a mistake."""
PIECE_BYTES = 64 * 2**10
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


def encodings(header: str) -> list[str]:
    """Return the encodings that `Content-Encoding` names, in the order in which they were applied."""
    names = (name.strip().lower() for name in header.split(","))
    return [name for name in names if name not in ("", "identity", "none", "utf-8")]


async def decoded(body: AsyncIterator[bytes], names: list[str], shown: str) -> AsyncGenerator[bytes, None]:
    """Yield a body without its encoding.

    Args:
        shown: Name of the upstream, for the error.

    Raises:
        EngineFailed: It is not gzip or deflate, is damaged, or too large.
    """
    if len(names) != 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        sent = ", ".join(names)
        raise EngineFailed(f"{shown} sent an answer compressed as {sent!r}, though none was asked to be compressed")
    inflating: _Inflating | None = None
    async for piece in body:
        inflating = inflating or _Inflating(piece[:1], names[0], shown)
        for inflated in inflating.pieces(piece):
            yield inflated
            await asyncio.sleep(0)  # a bomb shall not hold the loop


class _Inflating:
    """A body that comes in."""

    def __init__(self, first: bytes, encoding: str, shown: str) -> None:
        raw = encoding == "deflate" and first[0] & 0x0F != 8  # some send deflate without the envelope of zlib
        self._wbits = -zlib.MAX_WBITS if raw else _GZIP_OR_ZLIB
        self._inflate = zlib.decompressobj(self._wbits)
        self._shown, self._bytes = shown, 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate.eof:  # a gzip file may have several members
                self._inflate = zlib.decompressobj(self._wbits)
            try:
                piece = self._inflate.decompress(data, PIECE_BYTES)
            except zlib.error as exc:
                raise EngineFailed(f"{self._shown} sent an answer that is damaged where it is compressed") from exc
            self._bytes += len(piece)
            if self._bytes > MAX_INFLATED_BYTES:
                raise EngineFailed(
                    f"{self._shown} sent an answer that inflates to more than {MAX_INFLATED_BYTES} bytes"
                )
            if piece:
                yield piece
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
