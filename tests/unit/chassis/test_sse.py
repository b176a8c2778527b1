import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.errors import EngineFailed
from chassis.sse import KEEP_ALIVE, MAX_EVENT_BYTES, event, events


async def data_of(*pieces: bytes) -> list[bytes]:
    async def sent() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [data async for data in events(sent())]


STREAM = b': hello\r\nevent: x\r\ndata: {"a":\r\ndata: 1}\r\n\r\n\r\ndata:b\n\ndata: c\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
async def test_events_are_the_same_however_they_are_cut(size: int) -> None:
    pieces = [STREAM[begin : begin + size] for begin in range(0, len(STREAM), size)]

    assert await data_of(*pieces) == [b'{"a":\n1}', b"b", b"c"]


async def test_a_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    line = b"data:" + b"x" * (MAX_EVENT_BYTES - 5)

    assert await data_of(line, b"\n\n") == [line[5:]]
    with pytest.raises(EngineFailed, match=str(MAX_EVENT_BYTES)):
        await data_of(line, b"x", b"\n\n")


async def test_an_event_of_many_lines_without_an_end_is_a_failure_too() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"data:" + b"x" * 1024 + b"\n"

    with pytest.raises(EngineFailed, match=str(MAX_EVENT_BYTES)):
        async with asyncio.timeout(10):
            _ = [data async for data in events(endless())]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
async def test_lines_may_end_in_any_way(end: bytes) -> None:
    assert await data_of(b"data: one" + end, end, b"data: two" + end + end) == [b"one", b"two"]


async def test_what_holds_no_data_is_no_event() -> None:
    assert await data_of(b": ping\n\nevent: ping\n\nretry: 5\n\ndata:\n\nid: 7\ndata: x\n\n") == [b"x"]


async def test_a_byte_order_mark_hides_no_event() -> None:
    assert await data_of(b"\xef", b"\xbb\xbfdata: one\n\n") == [b"one"]


async def test_what_is_written_is_read_and_a_keep_alive_is_no_event() -> None:
    assert await data_of(event({"text": "小熊 \u2028"}), KEEP_ALIVE, event(2, "named")) == [
        b'{"text":"\\u5c0f\\u718a \\u2028"}',
        b"2",
    ]
