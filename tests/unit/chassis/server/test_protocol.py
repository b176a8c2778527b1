"""What no application sees, on a real socket."""

import asyncio
import json
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from chassis.server.protocol import Cork, Protocol
from chassis.server.streams import Hangup
from unit.chassis.fakes import FakeEngine, chain_of, service

GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"


async def exchange(request: bytes) -> tuple[bytes, bytes]:
    """Head and body of what a service answers to these bytes."""
    config = uvicorn.Config(
        service(chain_of(a=FakeEngine())), port=0, http=Protocol, lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    finally:
        await server.shutdown()
    head, _, body = answer.partition(b"\r\n\r\n")
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

    server = uvicorn.Server(uvicorn.Config(Hangup(app), port=0, http=Protocol, lifespan="off", log_config=None))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + bytes(1_000_000))
        async with asyncio.timeout(5):
            await begun.wait()
            writer.close()
            await ended.wait()
    finally:
        await server.shutdown()
