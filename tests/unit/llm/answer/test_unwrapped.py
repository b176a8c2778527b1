"""Bodies that were framed once more, cut wherever a network cuts them."""

from collections.abc import AsyncIterator

import pytest

from imitations.odd_answers import READABLE, TEXT
from llm.answer.unwrapped import unwrapped
from unit.llm.answer.streams import Relay, chunks_of, words


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11])
async def test_what_can_be_read_is_read_however_it_is_cut(size: int) -> None:
    read: dict[str, str] = {}
    for name, manner in READABLE.items():
        body = manner.body or b""

        async def arriving(body: bytes = body) -> AsyncIterator[bytes]:
            for at in range(0, len(body), size):
                yield body[at : at + size]

        first, rest = await unwrapped(arriving())
        out = await Relay().run(first, *[piece async for piece in rest])
        read[name] = words(chunks_of(out)).replace("\0", "")

    assert {name: text for name, text in read.items() if text != TEXT} == {}


async def test_a_body_that_is_all_beginning_ends() -> None:
    for body in (b"", b"12", b"\0\0", b"\r\n"):

        async def arriving(body: bytes = body) -> AsyncIterator[bytes]:
            yield body

        first, rest = await unwrapped(arriving())
        assert (first, [piece async for piece in rest]) == (body, [])
