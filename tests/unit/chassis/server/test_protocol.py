"""What no application sees, on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.server.protocol import MAX_HEAD_BYTES, Cork, Protocol
from chassis.server.streams import Hangup
from unit.chassis.fakes import FakeEngine, chain_of, service

GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[tuple[uvicorn.Server, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A server of `app`, and a connection to it."""
    config = uvicorn.Config(app, port=0, http=Protocol, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
        try:
            async with asyncio.timeout(10):
                yield server, reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    finally:
        await server.shutdown()


async def exchange(request: bytes) -> tuple[bytes, bytes]:
    """Head and body of what a service answers to these bytes."""
    async with served(service(chain_of(a=FakeEngine()))) as (_, reader, writer):
        writer.write(request)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    return head.lower(), body


@pytest.mark.parametrize(
    "request_",
    [
        b"NONSENSE\r\n\r\n",
        b"BREW /v1/echo HTTP/1.1\r\nhost: x\r\n\r\n",
        GET + b"x-a: \x01\r\n\r\n",
        b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n",
    ],
    ids=["no HTTP", "unknown method", "control character", "odd length"],
)
async def test_what_cannot_be_read_is_refused_in_the_shape_of_every_error(request_: bytes) -> None:
    head, body = await exchange(request_)

    assert head.startswith(b"http/1.1 400")
    assert b"content-type: application/json" in head
    assert b"x-request-id: " in head
    assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


async def test_what_can_be_read_is_answered_as_ever() -> None:
    head, body = await exchange(GET + b"connection: close\r\n\r\n")

    assert head.startswith(b"http/1.1 200")
    assert json.loads(body) == {"status": "alive"}


class Wire:
    """A transport that notes its writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> str:
        return name


def corked() -> tuple[Any, Wire]:
    wire = Wire()
    return Cork(cast(asyncio.Transport, wire)), wire


async def test_what_is_written_in_one_turn_of_the_loop_leaves_in_one_write() -> None:
    cork, wire = corked()
    cork.write(b"head")
    cork.write(b"body")
    assert wire.written == []
    await asyncio.sleep(0)
    cork.write(b"end")
    await asyncio.sleep(0)

    assert wire.written == [b"headbody", b"end"]


async def test_nothing_is_lost_on_closing_and_nothing_written_after() -> None:
    cork, wire = corked()
    cork.write(b"last")
    cork.close()
    cork.write(b"too late")
    await asyncio.sleep(0)

    assert (wire.written, wire.closed) == ([b"last"], True)


async def test_everything_else_is_the_transports_own() -> None:
    assert corked()[0].get_extra_info("peername") == "peername"


async def test_a_caller_who_leaves_after_a_large_body_is_noticed() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with served(Hangup(app)) as (_, _, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + bytes(1_000_000))
        await begun.wait()
        writer.close()
        await ended.wait()


CHUNKED = b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (GET, b"x-a: " + b"v" * 1000 + b"\r\n"),
        (GET + b"x-a: ", b"v" * 1000),
        (b"GET /", b"v" * 1000),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"x-a: " + b"v" * 1000 + b"\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\nx-a: ", b"v" * 1000),
        (CHUNKED + b"1;a=", b"v" * 1000),
    ],
    ids=["headers", "one header", "an address", "trailers", "one trailer", "a chunk's extension"],
)
async def test_what_is_no_body_and_never_ends_is_not_gathered(begun: bytes, more: bytes) -> None:
    async with served(service(chain_of(a=FakeEngine()))) as (_, reader, writer):
        with suppress(ConnectionError):  # of its answer nothing may arrive: it still sends
            writer.write(begun)
            while not reader.at_eof():
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0)


async def test_a_head_that_is_too_large_is_refused_in_the_shape_of_every_error() -> None:
    async with served(service(chain_of(a=FakeEngine()))) as (_, reader, writer):
        for part in (GET, b"x-a: " + b"v" * MAX_HEAD_BYTES, b"v"):
            writer.write(part)
            await asyncio.sleep(0.05)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400")
    assert "fewer headers" in json.loads(body)["error"]["message"]


async def test_headers_as_large_as_any_client_has_are_taken() -> None:
    head, _ = await exchange(
        GET + b"".join(b"x-%d: %b\r\n" % (n, b"v" * 1000) for n in range(60)) + b"connection: close\r\n\r\n"
    )

    assert head.startswith(b"http/1.1 200")


async def test_a_body_in_the_smallest_of_chunks_is_taken() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with served(app) as (_, reader, writer):
        writer.write(CHUNKED)
        for _ in range(50_000):
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")


async def test_requests_on_one_connection_wait_for_one_another_outside_and_not_in_memory() -> None:
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await ended.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with served(app) as (server, reader, writer):
        for _ in range(200):
            writer.write(GET + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)
        [connection] = server.server_state.connections
        waiting = len(cast(Protocol, connection).pipeline)
        ended.set()
        for _ in range(200):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")

    assert waiting < 100
