"""HTTP/1.1 to upstreams, a transport of httpx: connections that are kept, and the way to them by name, proxy and TLS.

No redirects, cookies, retries or decoding: the bytes are handed out as they come, soon and cheaply.
"""

import asyncio
import socket
import ssl
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterable, Callable, Collection
from functools import partial
from typing import Any, NamedTuple, TypeAlias, cast

import httpx
from aiohappyeyeballs import start_connection

from chassis.threads import in_daemon_thread
from chassis.upstream.http.body import Body, Headers
from chassis.upstream.http.connection import Connection

_NEXT_ADDRESS_SECONDS = 0.25
"""Time that one address of a name has before the next is tried beside it."""
_LOOKUP_SECONDS = 5.0
"""Time after which a look-up is asked for once more, beside the one that has not been answered."""

Origin: TypeAlias = tuple[str, bytes, int | None]


class ProxyRefused(httpx.ProxyError):
    """The proxy answered a CONNECT with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered {status}")
        self.status = status


class Transport(httpx.AsyncBaseTransport):
    """Connections that are kept for the next request to the same place.

    Args:
        tls: Makes the context for https, once there is need of one.
        proxy: Proxy between here and there.
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext], proxy: httpx.Proxy | None = None) -> None:
        self.tls, self.proxy = tls, proxy
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()
        self._lookups: dict[tuple[str, int], tuple[asyncio.Future[list[Any]], float]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of httpx; return its answer, which has begun.

        The extension `timeout` gives `connect` and `read`, and `fresh` asks for a new connection. The answer's
        extension `body` is its stream as `Body`.

        Raises:
            TransportError: As `exchange` says.
        """
        timeout = request.extensions.get("timeout", {})
        target = self.target(request.method, request.url, request.headers)
        status, headers, body = await self.exchange(
            target,
            b"",
            request.content
            if isinstance(request.stream, httpx.ByteStream)
            else cast(httpx.AsyncByteStream, request.stream),
            connect_seconds=timeout.get("connect"),
            silence_seconds=timeout.get("read"),
            fresh=request.extensions.get("fresh", False),
        )
        return httpx.Response(status, headers=headers, stream=body, request=request, extensions={"body": body})

    def target(self, method: str, url: httpx.URL, headers: httpx.Headers) -> "Target":
        """Return what is the same in all requests to one address, made once."""
        path = url.raw_path
        if self.proxy is not None and url.scheme == "http":
            path = str(url).encode()
            headers = httpx.Headers([*headers.raw, *_asked_of(self.proxy)])
        sent = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
        own = [] if "host" in headers else [("Host", url.netloc.decode("ascii"))]
        head = b"%s %s HTTP/1.1\r\n%s" % (method.encode(), path, header_lines([*own, *sent]))
        return Target(url, _origin(url), head)

    async def exchange(
        self,
        target: "Target",
        lines: bytes,
        body: bytes | AsyncIterable[bytes],
        *,
        connect_seconds: float | None,
        silence_seconds: float | None,
        fresh: bool = False,
    ) -> tuple[int, Headers, Body]:
        """Return status, headers and body of an answer that has begun.

        The objects of httpx cost more than all of this, so the relay asks its one address here.

        Args:
            lines: More headers, as `header_lines` makes them, beside those of `target`.
            connect_seconds: Limit for name, TCP and TLS together.
            silence_seconds: The longest pause in the answer.
            fresh: Take a new connection, not a kept one.

        Raises:
            ConnectError, ConnectTimeout, ProxyError: There is no connection; the cause says more.
            Unbegun: A kept connection was closed instead of an answer.
            WriteTimeout, ReadTimeout: The body is not taken, or there is silence for too long.
            ReadError: The connection broke.
            RemoteProtocolError: What came is no HTTP.
        """
        connection = None if fresh else self._kept(target.origin)
        if connection is None:
            connection = await self._connected(target, connect_seconds)
        try:
            status, headers = await connection.ask(b"%s%s\r\n" % (target.head, lines), body, silence_seconds)
        except BaseException:
            connection.abort()
            raise
        return status, headers, Body(connection)

    def _kept(self, origin: Origin) -> Connection | None:
        idle = self._idle[origin]
        while idle:
            if not (connection := idle.pop()).transport.is_closing():
                return connection
        return None

    async def _connected(self, target: "Target", seconds: float | None) -> Connection:
        connection, url = Connection(), target.url
        first = url if self.proxy is None else self.proxy.url
        try:
            async with asyncio.timeout(seconds):
                await self._connect(connection, first)
                if self.proxy is not None and url.scheme == "https":
                    await self._tunnel(connection, url, self.proxy)
        except BaseException as exc:
            connection.abort()
            raise _no_connection(exc, through_proxy=self.proxy is not None) from exc
        connection.keep = partial(self._keep, target.origin, connection)
        connection.gone = partial(self._forget, target.origin, connection)
        self._open.add(connection)
        return connection

    async def _connect(self, connection: Connection, url: httpx.URL) -> None:
        loop = asyncio.get_running_loop()
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        secure = {"ssl": self.tls(), "server_hostname": host} if url.scheme == "https" else {}
        addresses = await self._addresses(host, port)
        sock = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        await loop.create_connection(lambda: connection, sock=sock, **secure)  # type: ignore[call-overload]

    async def _addresses(self, host: str, port: int) -> list[Any]:
        """Return the addresses of a name, looked up once for all who wait.

        It keeps a thread as long as the DNS is silent; the few threads of the loop would then be missing elsewhere.
        """
        loop = asyncio.get_running_loop()
        lookup, until = self._lookups.get((host, port), (None, 0.0))
        if lookup is None or lookup.done() or loop.time() > until:
            ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            lookup = asyncio.ensure_future(in_daemon_thread(ask))
            self._lookups[host, port] = lookup, loop.time() + _LOOKUP_SECONDS
        return await asyncio.shield(lookup)

    async def _tunnel(self, connection: Connection, url: httpx.URL, proxy: httpx.Proxy) -> None:
        place = url.netloc if url.port else url.netloc + b":443"
        lines = [b"CONNECT %s HTTP/1.1" % place, b"host: %s" % place, *(b"%s: %s" % each for each in _asked_of(proxy))]
        status, _ = await connection.ask(b"\r\n".join(lines) + b"\r\n\r\n", b"", None)
        if status != 200:
            raise ProxyRefused(status)
        secured = await asyncio.get_running_loop().start_tls(
            connection.transport, connection, self.tls(), server_hostname=url.raw_host.decode("ascii")
        )
        assert secured is not None
        connection.connection_made(secured)

    def _keep(self, origin: Origin, connection: Connection) -> None:
        self._idle[origin].append(connection)

    def _forget(self, origin: Origin, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in (idle := self._idle[origin]):
            idle.remove(connection)

    async def aclose(self) -> None:
        for connection in tuple(self._open):
            connection.abort()


class Target(NamedTuple):
    """One address, and the beginning of each request to it."""

    url: httpx.URL
    origin: Origin
    head: bytes


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.raw_host, url.port


def _asked_of(proxy: httpx.Proxy) -> list[tuple[bytes, bytes]]:
    headers = proxy.headers.raw
    if proxy.raw_auth is None:
        return headers
    return [*headers, (b"proxy-authorization", b"Basic " + b64encode(b":".join(proxy.raw_auth)))]


def _no_connection(exc: BaseException, *, through_proxy: bool) -> BaseException:
    match exc:
        case httpx.ProxyError():
            return exc
        case TimeoutError():
            return httpx.ConnectTimeout("no connection in time")
        case ssl.SSLError():
            return httpx.ConnectError("no trust")
        case OSError() | UnicodeError() | httpx.TransportError():
            return httpx.ProxyError("no proxy") if through_proxy else httpx.ConnectError("no connection")
        case _:
            return exc


def header_lines(headers: Collection[tuple[str, str]]) -> bytes:
    """Return headers as they are sent.

    Raises:
        LocalProtocolError: A header holds a line break.
    """
    text = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers):
        raise httpx.LocalProtocolError("a line break within a header")
    return text.encode("latin-1")
