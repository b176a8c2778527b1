"""Bytes leave when they exist; and whoever leaves, or breaks off, is noticed."""

from collections.abc import AsyncIterator

import msgspec
from sse_starlette.event import ServerSentEvent

EVENT_STREAM = "text/event-stream"

KEEP_ALIVE = b": keep-alive\n\n"


async def close(pieces: AsyncIterator[object]) -> None:
    """Close an iterator that knows how to."""
    if (aclose := getattr(pieces, "aclose", None)) is not None:
        await aclose()


def event(value: object, name: str | None = None) -> bytes:
    """`value` as one server-sent event: JSON in plain ASCII on one line, since clients split at U+2028 too."""
    text = msgspec.json.encode(value).decode()
    ascii_only = text if text.isascii() else "".join(map(_escaped, text))
    return ServerSentEvent(ascii_only, event=name, sep="\n").encode()


def _escaped(char: str) -> str:
    if char < "\x80":
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
