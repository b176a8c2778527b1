import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(stream) + 1) for place in places)
    return [stream[begin:end] for begin, end in zip([0, *ends], [*ends, len(stream)], strict=True)]


PLACES = st.lists(st.integers(0, 10_000), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60)
@given(values=st.lists(JSON, max_size=4), places=PLACES)
async def test_what_was_written_is_what_is_read_wherever_it_was_cut(values: list[object], places: list[int]) -> None:
    stream = b"".join(KEEP_ALIVE + event(value, "named") for value in values)

    assert [msgspec.json.decode(data) for data in await data_of(*cut(stream, places))] == values


@settings(max_examples=100)
@given(
    lines=st.lists(st.sampled_from([b"data:", b"data: a", b"event: x", b": c", b"", b"\xff\x00", b"id"]), max_size=8),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    places=PLACES,
)
async def test_no_stream_is_read_otherwise_for_how_it_was_cut(
    lines: list[bytes], end: bytes, places: list[int]
) -> None:
    stream = end.join(lines)

    assert await data_of(*cut(stream, places)) == await data_of(stream)
