"""Server-sent events, written and read."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec
from sse_starlette.event import ServerSentEvent

from chassis.errors import EngineFailed

EVENT_STREAM = "text/event-stream"
KEEP_ALIVE = b": keep-alive\n"
"""A comment. It ends with one line feed: a blank line after it would dispatch an empty event in some clients."""
MAX_EVENT_BYTES = 2**20
_LINE_END = re.compile(rb"\r\n|\n|\r")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


async def close(pieces: AsyncIterator[object]) -> None:
    """Close an iterator, if it can be closed."""
    if (aclose := getattr(pieces, "aclose", None)) is not None:
        await aclose()


def event(value: object, name: str | None = None) -> bytes:
    """Return `value` as one event: JSON in plain ASCII on one line, since some clients split at U+2028 too."""
    text = msgspec.json.encode(value).decode()
    ascii_only = text if text.isascii() else "".join(map(_escaped, text))
    return ServerSentEvent(ascii_only, event=name, sep="\n").encode()


def _escaped(char: str) -> str:
    if char < "\x80":
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


async def events(pieces: AsyncIterator[bytes], *, most_bytes: int = MAX_EVENT_BYTES) -> AsyncGenerator[bytes, None]:
    """Yield the data of each event, however the bytes were cut.

    Comments, names, ids and events without data are left out; the data of an event that lacks its blank line is given
    too, as many servers forget it.

    Raises:
        EngineFailed: An event is longer than `most_bytes`.
    """
    async with aclosing(named_events(pieces, most_bytes=most_bytes)) as found:
        async for _, data in found:
            yield data


async def named_events(
    pieces: AsyncIterator[bytes], *, most_bytes: int = MAX_EVENT_BYTES
) -> AsyncGenerator[tuple[str, bytes], None]:
    """Yield the name and the data of each event, as `events` does; the name is empty where there is none.

    Raises:
        EngineFailed: An event is longer than `most_bytes`.
    """
    name, data = "", list[bytes]()
    size = 0
    async for line in _lines(pieces, most_bytes):
        if data and _begins_another(line, name, data[-1]):
            yield name, b"\n".join(data)
            name, data, size = "", [], 0
        if line.startswith(b"data:"):
            data.append(line[5:].strip())
            size += len(data[-1]) + 1
            if size > most_bytes + 1:
                raise _too_long(most_bytes)
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif not line:
            if any(data):
                yield name, b"\n".join(data)
            name, data, size = "", [], 0
    if any(data):
        yield name, b"\n".join(data)


def _begins_another(line: bytes, name: str, data: bytes) -> bool:
    """Tell whether `line` belongs to another event than `data`, though no blank line is between them."""
    if line.startswith(b"event:"):
        return bool(name)
    return data.endswith(b"}") and line.startswith(b"data:") and line[5:].lstrip().startswith((b"{", b"[DONE]"))


async def _lines(pieces: AsyncIterator[bytes], most_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield each line without its end, which may be CR, LF or both."""
    rest, first = b"", True
    async for piece in pieces:
        rest += piece
        if first and len(rest) >= len(BYTE_ORDER_MARK):
            rest, first = rest.removeprefix(BYTE_ORDER_MARK), False
        held = rest[-1:] if rest.endswith(b"\r") else b""  # the other half of the end may follow
        *lines, rest = _LINE_END.split(rest.removesuffix(held))
        rest += held
        for line in lines:
            yield line
        if len(rest) > most_bytes:
            raise _too_long(most_bytes)
    if rest:
        yield rest.removesuffix(b"\r")


def _too_long(most_bytes: int) -> EngineFailed:
    return EngineFailed(f"sent an event of more than {most_bytes} bytes")
