"""WebSockets to a provider: opened as the provider's settings say, and kept for the next clause."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from chassis.errors import EngineFailed, EngineTimeout
from chassis.upstream.client import proxy_address, tls
from chassis.upstream.vendor import Call, Vendor

_OPEN_SECONDS = 5.0
"""Longest wait for DNS, TCP, TLS and the handshake together."""
_CLOSE_SECONDS = 0.2
_KEPT_SECONDS = 30.0
"""Time that an idle connection is kept; providers close one after a minute."""


class _Closed(EngineFailed):
    """A connection has ended."""


class Socket:
    """One open connection.

    Args:
        shown: Address as messages may show it.
    """

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[Any]", shown: str) -> None:
        self._socket, self._shown = socket, shown
        self.free = False
        """Nothing more of what was asked is to come."""
        self.since = monotonic()

    @property
    def usable(self) -> bool:
        return not self._socket.closed and monotonic() - self.since < _KEPT_SECONDS

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as exc:
            raise _Closed(f"{self._shown} broke off") from exc

    async def receive(self, seconds: float) -> str | bytes:
        """Return the next message.

        Raises:
            EngineTimeout: None comes within `seconds`.
            EngineFailed: The connection ended.
        """
        try:
            async with asyncio.timeout(seconds):
                message = await self._socket.receive()
        except TimeoutError as exc:
            raise EngineTimeout(f"{self._shown} was silent for {seconds:g} s") from exc
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise _Closed(f"{self._shown} broke off")
        data: str | bytes = message.data
        return data

    async def aclose(self) -> None:
        await self._socket.close()


class Sockets:
    """The connections of one engine, one of which is kept for each key."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._session: aiohttp.ClientSession | None = None
        self._kept: dict[str, Socket] = {}

    @asynccontextmanager
    async def lent(self, call: Call, begin: Callable[[Socket, Call], Awaitable[None]]) -> AsyncGenerator[Socket, None]:
        """Lend a connection on which `begin` has done its part; one that is not `free` afterwards is closed.

        A kept connection that turns out to be closed is replaced: nothing was begun on it.

        Raises:
            ApiError: The connection is refused, or `begin` fails.
        """
        key = call.headers.get("authorization", "")
        socket = self._kept.pop(key, None)
        if socket is not None and not await self._begun(socket, call, begin):
            socket = None
        if socket is None:
            socket = await self._open(call)
            await self._in_whole(socket, begin(socket, call))
        socket.free = False
        try:
            yield socket
        finally:
            if socket.free and key not in self._kept:
                socket.since = monotonic()
                self._kept[key] = socket
            else:
                await socket.aclose()

    async def _begun(self, socket: Socket, call: Call, begin: Callable[[Socket, Call], Awaitable[None]]) -> bool:
        if not socket.usable:
            await socket.aclose()
            return False
        try:
            await self._in_whole(socket, begin(socket, call))
        except _Closed:
            return False
        return True

    async def _in_whole(self, socket: Socket, doing: Awaitable[None]) -> None:
        """Await `doing`, and close the connection if it fails or is left."""
        try:
            await doing
        except BaseException:
            await socket.aclose()
            raise

    async def _open(self, call: Call) -> Socket:
        vendor, options = self._vendor, self._vendor.options
        parts = urlsplit(vendor.at(call.url))
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()  # the header shows the key
        shown = vendor.shown(url)
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[_stays()])
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                opened = await self._session.ws_connect(
                    url,
                    headers=call.headers,
                    proxy=proxy_address(url.replace("ws", "http", 1), options.proxy),
                    ssl=tls(options.ca_file),
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                )
        except aiohttp.WSServerHandshakeError as exc:
            raise vendor.refused(exc.status) from None  # its text holds the headers that were sent
        except TimeoutError as exc:
            raise EngineTimeout(f"no connection to {shown} in time") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise EngineFailed(f"cannot reach {shown}", code="upstream_unreachable") from exc
        return Socket(opened, shown)

    async def aclose(self) -> None:
        for socket in self._kept.values():
            await socket.aclose()
        if self._session is not None:
            await self._session.close()


def _stays() -> aiohttp.TraceConfig:
    """Return hooks that refuse to follow a redirect: the key would be shown to another host."""

    async def refuse(
        session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
    ) -> None:
        raise EngineFailed(f"answered {params.response.status} and points elsewhere", rest_seconds=60.0)

    hooks = aiohttp.TraceConfig()
    hooks.on_request_redirect.append(refuse)
    return hooks
