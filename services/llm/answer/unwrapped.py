"""Streams that a gateway has framed once more: HTTP's chunks within the body (`aws-chunked` too), or Amazon's messages.

Sources: RFC 9112 §7.1, docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html,
docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html (event stream encoding).
"""

import base64
import re
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec

from chassis.errors import EngineFailed

_SIZE = re.compile(rb"(?:\r\n)?([0-9a-fA-F]{1,8})(?:;[^\r\n]{0,300})?\r\n")
_SIZE_BEGUN = re.compile(rb"\r?\n?[0-9a-fA-F]{0,8}(?:;[^\r\n]{0,300})?\r?")
_PRELUDE = struct.Struct(">III")
_PLAIN = (b"data:", b"{")
"""The beginnings of nearly all answers, which no frame has."""
_MOST_BYTES = 16 * 2**20
"""The longest message: that of Amazon's own encoding."""


class Framing(Protocol):
    """A way in which a stream is framed."""

    def add(self, piece: bytes) -> bytes:
        """Return what is in the frames that are there by now.

        Raises:
            EngineFailed: The frames break off.
        """


async def unwrapped(pieces: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """Return the first bytes of a body, and the rest, without its frames; a body without any is left as it comes."""
    first = await anext(pieces, b"")
    if first.startswith(_PLAIN):
        return first, pieces
    while _shows_nothing_yet(first) and (more := await anext(pieces, b"")):
        first += more
    framing = framing_of(first)
    return (first, pieces) if framing is None else (framing.add(first), _unframed(pieces, framing))


def _shows_nothing_yet(first: bytes) -> bool:
    return bool(_SIZE_BEGUN.fullmatch(first)) or (first.startswith(b"\0") and len(first) < _PRELUDE.size)


def framing_of(first: bytes) -> Framing | None:
    """Tell by the first bytes of a body how it is framed; None: it is what it seems."""
    if _SIZE.match(first):
        return _Chunks()
    return _Messages() if _is_prelude(first) else None


async def _unframed(pieces: AsyncIterator[bytes], framing: Framing) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield framing.add(piece)


def _is_prelude(data: bytes) -> bool:
    return len(data) >= _PRELUDE.size and zlib.crc32(data[:8]) == _PRELUDE.unpack_from(data)[2]


class _Chunks:
    def __init__(self) -> None:
        self._held, self._left = b"", 0

    def add(self, piece: bytes) -> bytes:
        self._held += piece
        out = []
        while self._held:
            if not self._left:
                if (size := _SIZE.match(self._held)) is None:
                    break
                self._left, self._held = int(size[1], 16), self._held[size.end() :]
                if not self._left:
                    self._held = b""  # the last one
            part, self._held = self._held[: self._left], self._held[self._left :]
            self._left -= len(part)
            out.append(part)
        return b"".join(out)


class _Messages:
    def __init__(self) -> None:
        self._held = b""

    def add(self, piece: bytes) -> bytes:
        self._held += piece
        out = []
        while len(self._held) >= _PRELUDE.size:
            size, of_headers, _ = _PRELUDE.unpack_from(self._held)
            if not _is_prelude(self._held) or size > _MOST_BYTES:
                raise EngineFailed("sent a broken event stream of Amazon's")
            if len(self._held) < size:
                break
            payload, self._held = self._held[_PRELUDE.size + of_headers : size - 4], self._held[size:]
            out.append(b"data: " + _inner(payload) + b"\n\n")
        return b"".join(out)


class _Encoded(msgspec.Struct):
    bytes: str


def _inner(payload: bytes) -> bytes:
    """Return the event within Bedrock's `{"bytes": …}`."""
    try:
        encoded: Any = msgspec.json.decode(payload, type=_Encoded)
        return base64.b64decode(encoded.bytes)
    except (msgspec.DecodeError, ValueError):
        return payload
