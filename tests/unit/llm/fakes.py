"""What the tests of the llm service bring: an engine that does as it is told, and a real socket."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from fixtures.serving import serving
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.settings import Settings
from llm.wire import Asked

HELLO: dict[str, Any] = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
DONE = b"data: [DONE]\n\n"


class FakeEngine(Engine):
    """Says `pieces`; an exception among them is raised, an event waited for, a number is a wait in seconds."""

    def __init__(
        self, *pieces: bytes | Exception | asyncio.Event | float, models: Iterable[str] = (), first: float = 0.0
    ) -> None:
        self.pieces, self.first_byte_seconds = pieces, first
        self.names = tuple(models)
        self.asked: list[Asked] = []
        self.closed = 0

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    @property
    def models(self) -> tuple[str, ...]:
        return self.names

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        self.asked.append(asked)
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                elif isinstance(piece, float):
                    await asyncio.sleep(piece)
                else:
                    yield piece
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        return


def chain_of(first_byte_seconds: float = 4.0, **engines: Engine) -> Chain[Engine]:
    return Chain([Seat.of(name, engine) for name, engine in engines.items()], first_byte_seconds=first_byte_seconds)


def service(settings: Settings | None = None, **engines: Engine) -> Starlette:
    """The real app around these engines; the companion where there are none."""
    settings = settings or Settings()
    return assemble(settings, chain_of(settings.first_byte_seconds, **(engines or {"companion": Companion()})))


async def ask(app: Starlette, **changes: Any) -> httpx.Response:
    """Post `HELLO` with `changes`, in process."""
    async with client_of(app) as client:
        return await client.post("/v1/chat/completions", json=HELLO | changes)


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://llm")


@asynccontextmanager
async def streaming(app: Starlette, **changes: Any) -> AsyncIterator[httpx.Response]:
    """The answer to `HELLO` with `changes` as it comes, on a real socket."""
    async with serving(app) as address, httpx.AsyncClient(base_url=address) as client:
        body = HELLO | {"stream": True} | changes
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            yield response


async def broken_off(response: httpx.Response) -> bytes:
    """What came before the body broke off; it must."""
    body = b""
    try:
        async for piece in response.aiter_raw():
            body += piece
    except httpx.RemoteProtocolError:
        return body
    raise AssertionError("The body came to its end.")
