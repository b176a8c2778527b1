"""What the imitations of speech and transcription servers share: how they serve, and how any server goes wrong."""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar

from aiohttp import web

JSON, HTML = "application/json", "text/html; charset=utf-8"


@dataclass(frozen=True)
class Manner:
    """How a request is answered."""

    claims: str | None = None
    """The content type; None: the true one."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    """Sent instead of an answer."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Which of the manners that have a name meets who shows such a key."""
    lacks: tuple[str, ...] = ()
    """Fields that it does not know and refuses."""
    before_headers_seconds: float = 0.0
    slice_seconds: float = 0.0
    """Between two pieces."""
    cut_after: int | None = None
    """Drops the connection after so many bytes."""
    stall_after: int | None = None
    """Falls silent after so many bytes."""

    @property
    def most_bytes(self) -> int | None:
        """That are sent; None: all."""
        return min((stop for stop in (self.cut_after, self.stall_after) if stop is not None), default=None)


@dataclass
class Seen:
    """A request that came."""

    headers: dict[str, str]
    left: bool = False
    """Its client left before the end of the answer."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


M = TypeVar("M", bound=Manner)
S = TypeVar("S", bound=Seen)


def error(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


def troubles(make: Callable[..., M], *, about: str, bytes_before: int) -> dict[str, M]:
    """The ways in which any server goes wrong, by their names.

    Args:
        about: The field that a 400 and a 422 complain of.
        bytes_before: How much is sent before the connection drops, or falls silent.
    """
    told = [{"loc": ["body", about], "msg": "unknown"}]
    return {
        "slow": make(before_headers_seconds=3.0),
        "silent": make(stall_after=0),
        "stall": make(stall_after=bytes_before),
        "cut": make(cut_after=bytes_before),
        "empty": make(body=b""),
        "html": make(body=b"<!doctype html><html><body>Welcome to nginx</body></html>", claims=HTML),
        "error-in-200": make(body=error("model crashed", type="server_error"), claims=JSON),
        "quota-in-200": make(body=error("no balance", code="insufficient_quota"), claims=JSON),
        "400": make(status=400, body=error(f"no such {about}", param=about, code=f"invalid_{about}"), claims=JSON),
        "401": make(
            status=401, body=error("Incorrect API key: sk-secret-1234567", code="invalid_api_key"), claims=JSON
        ),
        "402": make(status=402, body=error("Insufficient Balance"), claims=JSON),
        "404": make(status=404, body=error("no such model", code="model_not_found"), claims=JSON),
        "413": make(status=413, body=b"<html>too large</html>", claims=HTML),
        "422": make(status=422, body=json.dumps({"detail": told}).encode(), claims=JSON),
        "429": make(status=429, headers=(("retry-after", "7"),), body=error("slow down"), claims=JSON),
        "blocked": make(status=400, body=error("blocked", code="content_filter"), claims=JSON),
        "500": make(status=500, body=b"<html>oops</html>", claims=HTML),
        "503": make(status=503, body=error("overloaded"), claims=JSON),
    }


class AudioServer(Generic[M, S]):
    """Serves on loopback, in the loop of the test."""

    path: ClassVar[str]

    def __init__(self, manner: M, manners: Mapping[str, M], port: int) -> None:
        self.manner, self.manners, self.port = manner, manners, port
        self.seen: list[S] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_post(self.path, self._asked)
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    def routes(self) -> list[web.RouteDef]:
        """Of what else it knows."""
        return []

    async def read(self, request: web.Request) -> tuple[S, str]:
        """What came, and the model it asks for."""
        raise NotImplementedError

    def fields_of(self, seen: S) -> Mapping[str, Any]:
        """The fields of a request that came."""
        raise NotImplementedError

    async def answer(self, request: web.Request, seen: S, manner: M) -> web.StreamResponse:
        raise NotImplementedError

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        seen, model = await self.read(request)
        self.seen.append(seen)
        manner = self.manners.get(model, self.manner)
        key = seen.headers.get("authorization", "").removeprefix("Bearer ")
        manner = self.manners[manner.keys[key]] if key in manner.keys else manner
        try:
            await asyncio.sleep(manner.before_headers_seconds)
            if lacking := next((field for field in manner.lacks if field in self.fields_of(seen)), None):
                refusal = error(f"Unknown parameter: '{lacking}'.", param=lacking, code="unknown_parameter")
                return web.Response(status=400, body=refusal, content_type=JSON)
            return await self.answer(request, seen, manner)
        except (asyncio.CancelledError, ConnectionError):
            seen.left = True
            raise
        finally:
            seen.over.set()


async def ended(request: web.Request, response: web.StreamResponse, manner: Manner) -> web.StreamResponse:
    """What has been sent is all; or, by the manner, it breaks off here."""
    if manner.stall_after is not None:
        await asyncio.Event().wait()
    if manner.cut_after is not None:
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionAbortedError
    await response.write_eof()
    return response


def headers_of(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def run(make: Callable[[int], AudioServer[Any, Any]], description: str | None) -> None:
    """As a program: serve until it is ended."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--port", type=int, default=0)

    async def serve(port: int) -> None:
        async with make(port) as server:
            print(server.base_url, flush=True)  # noqa: T201
            await asyncio.Event().wait()

    asyncio.run(serve(arguments.parse_args().port))
