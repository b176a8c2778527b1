"""The states of a connection, walked at random: whatever comes, and however it is cut, it ends in one of two ways."""

import asyncio
from itertools import pairwise
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.upstream.http.body import Body
from chassis.upstream.http.connection import DRAIN_BYTES, Connection, Phase

HEADS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx: y\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" * 2,
        b"<html>no HTTP</html>",
        b"",
    ]
)
STEPS = st.lists(st.sampled_from(["piece", "drain", "close", "lose", "break", "wait"]), min_size=1, max_size=4)


class Wire(asyncio.Transport):
    """A transport whose other side is the test."""

    def __init__(self, protocol: Connection) -> None:
        super().__init__()
        self.protocol, self.closed = protocol, False

    def write(self, data: Any) -> None:
        assert not self.closed

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.lose(None)

    def lose(self, exc: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, exc)

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in pairwise(marks)]


async def walk(pieces: list[bytes], steps: list[str]) -> None:
    connection = Connection()
    wire = Wire(connection)
    kept, gone = [], []
    connection.connection_made(wire)
    connection.keep, connection.gone = lambda: kept.append(1), lambda: gone.append(1)
    asking = asyncio.ensure_future(connection.ask(b"GET / HTTP/1.1\r\n\r\n", b"", 5.0))
    await asyncio.sleep(0)
    for piece in pieces:
        if not wire.closed:
            connection.data_received(piece)
        await asyncio.sleep(0)
    if not asking.done():  # what never came is the end of the connection
        wire.lose(None)
    try:
        await asyncio.wait_for(asking, 30)
    except httpx.TransportError:
        connection.abort()  # as the transport does
    else:
        await _go_on(connection, wire, Body(connection), steps)
    for _ in range(3):
        await asyncio.sleep(0)
    assert kept or wire.closed, "nobody would ever close it"
    assert len(kept) <= 1
    assert len(gone) == wire.closed
    assert wire.closed or (connection._phase is Phase.IDLE and connection._deadline.is_armed)
    wire.lose(None)
    await asyncio.sleep(0)
    assert len(gone) == 1
    assert not connection._deadline.is_armed


async def _go_on(connection: Connection, wire: Wire, body: Body, steps: list[str]) -> None:
    for step in steps:
        match step:
            case "piece":
                reading = asyncio.ensure_future(anext(body, b""))
                await asyncio.sleep(0)
                if not reading.done():
                    wire.lose(None)
                try:
                    await asyncio.wait_for(reading, 30)
                except httpx.TransportError:
                    break
            case "drain":
                body.let_pass()
            case "lose" | "break":
                wire.lose(None if step == "lose" else ConnectionResetError())
            case "close":
                await body.aclose()
            case _:
                await asyncio.sleep(0)
    body.let_pass()
    if not wire.closed and connection._phase is Phase.DRAINING:
        wire.lose(None)
    await asyncio.sleep(0)


@settings(max_examples=300, derandomize=True)
@given(head=HEADS, places=st.lists(st.integers(0, 200), max_size=4), noise=st.binary(max_size=20), steps=STEPS)
def test_whatever_comes_a_connection_is_kept_or_closed_once(
    head: bytes, places: list[int], noise: bytes, steps: list[str]
) -> None:
    asyncio.run(walk(cut(head + noise, places), steps))


@settings(max_examples=150, derandomize=True)
@given(data=st.binary(max_size=300), places=st.lists(st.integers(0, 300), max_size=4))
def test_bytes_of_any_kind_end_in_an_error_of_the_transport_or_an_answer(data: bytes, places: list[int]) -> None:
    asyncio.run(walk(cut(b"HTTP/1.1 200 OK\r\n" + data, places), ["piece", "piece"]))


async def test_nothing_waits_for_a_connection_that_is_gone() -> None:
    connection = Connection()
    wire = Wire(connection)
    connection.connection_made(wire)
    asking = asyncio.ensure_future(connection.ask(b"GET / HTTP/1.1\r\n\r\n", b"", 5.0))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")
    await asking
    connection.connection_lost(ConnectionResetError())
    connection.drain()
    assert not connection._deadline.is_armed


async def test_a_rest_that_is_too_long_is_not_waited_for() -> None:
    connection = Connection()
    wire = Wire(connection)
    connection.connection_made(wire)
    asking = asyncio.ensure_future(connection.ask(b"GET / HTTP/1.1\r\n\r\n", b"", None))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nx")
    await asking
    connection.drain()
    connection.data_received(b"x" * DRAIN_BYTES)
    assert not wire.closed
    connection.data_received(b"x")
    assert wire.closed
