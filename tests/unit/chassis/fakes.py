"""An engine that does what it is told, and a service around it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.chain.answer import Work
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Report, Seat
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.streams import Stream
from chassis.settings import ServiceSettings


class FakeEngine:
    """Gives `pieces`; raises `error` after `after` of them; is silent while `silent` is set."""

    def __init__(
        self,
        *pieces: bytes,
        error: Exception | None = None,
        after: int = 0,
        silent: bool = False,
        first_byte_seconds: float = 0.1,
    ) -> None:
        self.pieces = pieces or (b"one", b"two")
        self.error, self.after, self.silent = error, after, silent
        self.first_byte_seconds = first_byte_seconds
        self.asked = self.closed = 0
        self.models: list[str | None] = []

    async def speak(self, model: str | None = None) -> AsyncIterator[bytes]:
        self.asked += 1
        self.models.append(model)
        try:
            if self.silent:
                await asyncio.Event().wait()
            for number, piece in enumerate(self.pieces):
                if self.error is not None and number == self.after:
                    raise self.error
                yield piece
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        pass


def speak(engine: FakeEngine, model: str | None) -> Work[bytes, FakeEngine]:
    return Work(engine.speak(model), engine)


def chain_of(first_byte_seconds: float = 4.0, **engines: FakeEngine) -> Chain[FakeEngine]:
    seats = [Seat.of(name, engine) for name, engine in engines.items()]
    return Chain(seats, first_byte_seconds=first_byte_seconds, last_engine_seconds=first_byte_seconds)


def loading(name: str, load: Callable[[Report], FakeEngine]) -> Seat[FakeEngine]:
    return Seat(name, load)


class EchoSettings(ServiceSettings, frozen=True, kw_only=True):
    prefix = "ECHO_"
    engines: tuple[str, ...] = ("fake",)
    max_body_bytes: int = 1000


def service(chain: Chain[FakeEngine], *api_keys: str) -> Starlette:
    """A service with one path, `/v1/echo`, whose handler reads the body and streams what the chain gives."""

    async def echo(request: Request) -> Response:
        await request.body()
        answer = await chain.answer("any", speak)
        return Stream(answer, media_type="text/plain", headers={ENGINE_HEADER: answer.engine})

    routes = [Route("/v1/echo", echo, methods=["POST"])]
    return create_service(EchoSettings(), chain, routes, keys=KeyOptions(api_keys=api_keys))


def client(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
