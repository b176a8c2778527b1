"""What the imitations of providers with an API of their own share: one address for all hosts, and manners by key."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from aiohttp import web


@dataclass(frozen=True)
class Manner:
    """How a request is answered."""

    body: bytes = b"{}"
    status: int = 200
    claims: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    before_headers_seconds: float = 0.0
    slice_bytes: int = 4096
    slice_seconds: float = 0.0
    """Pause between two slices of the body."""
    cut_after: int | None = None
    """Drops the connection after so many bytes."""
    stall_after: int | None = None
    """Falls silent after so many bytes."""


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    left: bool = False
    """Its client left before the end of the answer."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def usual(key: str, claims: str, cut_after: int = 12_000) -> dict[str, Manner]:
    """Return the manners that every provider has, by the key that picks one; `key` is answered well."""
    return {
        key: Manner(claims=claims),
        "slow": Manner(claims=claims, slice_bytes=4_800, slice_seconds=0.2),
        "cut": Manner(claims=claims, cut_after=cut_after),
        "cut-at-once": Manner(claims=claims, cut_after=8),
        "hangs": Manner(before_headers_seconds=30.0),
        "stall": Manner(claims=claims, stall_after=cut_after),
        "broken": Manner(status=502, body=b""),
        "page": Manner(body=b"<html>Welcome</html>", claims="text/html"),
        "mislabelled": Manner(claims="text/plain"),
    }


def json_error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


class VendorServer:
    """Serves on loopback, in the loop of the test; `base_url` is the one address of all the provider's hosts.

    The request's key picks one of `manners` by name; an unknown key is refused with a 401.
    """

    manners: ClassVar[Mapping[str, Manner]]
    post_path: ClassVar[str]
    """Path of its questions, as aiohttp writes it."""
    unknown_key: ClassVar[Manner] = Manner(status=401, body=json_error("Unauthorized", "wrong key"))

    def __init__(self, prefix: str = "/vendor") -> None:
        self.prefix = prefix
        self.seen: list[Seen] = []
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_post(self.prefix + self.post_path, self._asked)
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{self.prefix}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    def routes(self) -> list[web.RouteDef]:
        """Return routes of its other paths, such as that of a token."""
        return []

    def key_of(self, request: web.Request) -> str:
        """Return the key that a request shows."""
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Return a refusal of what the provider documents as wrong; None if all is right."""
        return None

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        """Return the body of a good answer."""
        return manner.body

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen = Seen(request.method, request.path, dict(request.query), dict(request.headers), body)
        self.seen.append(seen)
        try:
            return await self._answered(request, body)
        except (asyncio.CancelledError, ConnectionError):
            seen.left = True
            raise
        finally:
            seen.over.set()

    async def _answered(self, request: web.Request, body: bytes) -> web.StreamResponse:
        manner = self.manners.get(self.key_of(request))
        if manner is None:
            manner = self.unknown_key
        if manner.status == 200 and (complaint := self.complains(request, body)) is not None:
            return complaint
        await asyncio.sleep(manner.before_headers_seconds)
        response = web.StreamResponse(status=manner.status, headers=dict(manner.headers))
        response.headers["content-type"] = manner.claims
        await response.prepare(request)
        await self._send(response, request, self.answer(request, body, manner), manner)
        return response

    async def _send(self, response: web.StreamResponse, request: web.Request, body: bytes, manner: Manner) -> None:
        stop = manner.cut_after if manner.cut_after is not None else manner.stall_after
        body = body if stop is None else body[:stop]
        for at in range(0, len(body), manner.slice_bytes):
            await response.write(body[at : at + manner.slice_bytes])
            await asyncio.sleep(manner.slice_seconds)
        if manner.cut_after is not None and request.transport is not None:
            request.transport.abort()
        if manner.stall_after is not None:
            await asyncio.sleep(60)
        await response.write_eof()
