"""JSON objects in an answer, however they are put in a row: as events, one a line, or one right after the other."""

import json
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

from chassis.sse import BYTE_ORDER_MARK, named_events
from chassis.upstream.leniency import Unexpected, converted, parsed

_MOST_CHARACTERS = 8 * 2**20
"""Longest object: some vendors end with one that repeats a whole sound."""
_DONE = (b"[DONE]", b'"[DONE]"')
_DECODER = json.JSONDecoder()

T = TypeVar("T")


async def messages(pieces: AsyncIterator[bytes], kind: type[T]) -> AsyncGenerator[T, None]:
    """Yield each object as soon as it is complete. Labels lie, so that the first character tells what comes.

    The name of an event is in the field `event` of an object that has none of its own.

    Raises:
        Unexpected: Something is no `kind`, or nothing comes at all.
        EngineFailed: An event is too long.
    """
    head, anything = b"", False
    while BYTE_ORDER_MARK.startswith(head.lstrip()):
        if (piece := await anext(pieces, None)) is None:
            raise Unexpected(head)
        head += piece
    head = head.removeprefix(BYTE_ORDER_MARK)
    whole = _with_head(head, pieces)
    async with aclosing(_bare(whole) if head.lstrip().startswith(b"{") else _in_events(whole)) as found:
        async for message in found:
            anything = True
            yield converted(message, kind)
    if not anything:
        raise Unexpected(head)


async def _with_head(head: bytes, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield head
    async for piece in pieces:
        yield piece


async def _in_events(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Any, None]:
    async with aclosing(named_events(pieces, most_bytes=_MOST_CHARACTERS)) as found:
        async for name, data in found:
            if data not in _DONE:
                message = parsed(data)
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
