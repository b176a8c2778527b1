"""JSON objects in an answer, however they are put in a row: as events, one a line, or one right after the other."""

import json
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from chassis.sse import named_events

_MOST_CHARACTERS = 8 * 2**20
"""Longest object: some vendors end with one that repeats a whole sound."""
_DONE = (b"[DONE]", b'"[DONE]"')
_DECODER = json.JSONDecoder()

T = TypeVar("T")


class Unexpected(Exception):
    """An answer holds something else than what was asked for: an error object, or no JSON at all.

    Args:
        body: The part that is something else.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__("sent something else than what was asked for")
        self.body = body


async def messages(pieces: AsyncIterator[bytes], kind: type[T]) -> AsyncGenerator[T, None]:
    """Yield each object as soon as it is complete. Labels lie, so that the first character tells what comes.

    The name of an event is in the field `event` of an object that has none of its own.

    Raises:
        Unexpected: Something is no `kind`, or nothing comes at all.
        EngineFailed: An event is too long.
    """
    head, anything = b"", False
    while not head.lstrip():
        if (piece := await anext(pieces, None)) is None:
            raise Unexpected(head)
        head += piece
    whole = _with_head(head, pieces)
    async with aclosing(_bare(whole) if head.lstrip().startswith(b"{") else _in_events(whole)) as found:
        async for message in found:
            anything = True
            yield _as(kind, message)
    if not anything:
        raise Unexpected(head)


def _as(kind: type[T], message: Any) -> T:
    try:
        return msgspec.convert(message, kind)
    except msgspec.ValidationError as exc:
        raise Unexpected(json.dumps(message).encode()) from exc


async def _with_head(head: bytes, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield head
    async for piece in pieces:
        yield piece


async def _in_events(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Any, None]:
    async with aclosing(named_events(pieces, most_bytes=_MOST_CHARACTERS)) as found:
        async for name, data in found:
            if data not in _DONE:
                try:
                    message = json.loads(data)
                except (ValueError, RecursionError) as exc:
                    raise Unexpected(data) from exc
                if name and isinstance(message, dict):
                    message.setdefault("event", name)
                yield message


async def _bare(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Any, None]:
    text, characters = "", getincrementaldecoder("utf-8")("replace")
    async for piece in pieces:
        text = (text + characters.decode(piece)).lstrip()
        while text.startswith("{") and b"}" in piece:
            try:
                message, end = _DECODER.raw_decode(text)
            except ValueError:
                break  # the rest is yet to come
            except RecursionError as exc:
                raise Unexpected(b"") from exc
            yield message
            text = text[end:].lstrip()
        if len(text) > _MOST_CHARACTERS or (text and not text.startswith("{")):
            raise Unexpected(text.encode())
    if text:
        raise Unexpected(text.encode())
