"""HTTP/1.1 to upstreams, under httpx's interface: httptools' parser on the loop's own connections, and little else.

No redirects, cookies, retries or decoding: whoever asks through this wants the bytes as they come, soon and cheaply.
"""

import asyncio
import ssl
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from functools import partial
from socket import SOCK_STREAM
from typing import NamedTuple, TypeAlias, cast

import httpx
from aiohappyeyeballs import start_connection
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

KEEP_ALIVE_SECONDS = 60.0
DRAIN_SECONDS = 0.5
DRAIN_BYTES = 64 * 2**10
MAX_HEAD_BYTES = 64 * 2**10
HIGH_WATER_BYTES = 256 * 2**10
"""Of an answer that nobody takes: then the upstream waits."""
NEXT_ADDRESS_SECONDS = 0.25
"""How long one of a name's addresses has before the next is tried beside it."""

GATHER_SECONDS = 0.004
"""The least time between two pieces of an answer that comes faster than anybody could tell, after its first
`PROMPT_PIECES`: what comes in between leaves together."""
PROMPT_PIECES = 8

Origin: TypeAlias = tuple[str, bytes, int | None]
Headers: TypeAlias = list[tuple[bytes, bytes]]


class Unbegun(httpx.ReadError):
    """A kept connection was closed before anything of an answer came: most likely it was being closed already."""


class ProxyRefused(httpx.ProxyError):
    """The proxy answered a CONNECT with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered {status}")
        self.status = status


class Transport(httpx.AsyncBaseTransport):
    """Connections that are kept for the next request to the same place.

    Args:
        tls: Makes the context for https, once there is need of one.
        proxy: Whom to go through.
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext], proxy: httpx.Proxy | None = None) -> None:
        self.tls, self.proxy = tls, proxy
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; its answer has begun. Of the `timeout` extension `connect` and `read` are heeded.

        Raises:
            As `exchange`.
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
        )
        return httpx.Response(status, headers=headers, stream=body, request=request)

    def target(self, method: str, url: httpx.URL, headers: httpx.Headers) -> "Target":
        """What is the same in all requests to one address, made once."""
        path = url.raw_path
        if self.proxy is not None and url.scheme == "http":
            path = str(url).encode()
            headers = httpx.Headers([*headers.raw, *_asked_of(self.proxy)])
        own = [] if "host" in headers else [(b"Host", url.netloc)]
        head = b"%s %s HTTP/1.1\r\n%s" % (method.encode(), path, header_lines([*own, *headers.raw]))
        return Target(url, _origin(url), head)

    async def exchange(
        self,
        target: "Target",
        lines: bytes,
        body: "bytes | AsyncIterable[bytes]",
        *,
        connect_seconds: float | None,
        silence_seconds: float | None,
        fresh: bool = False,
    ) -> "tuple[int, Headers, Body]":
        """Status, headers and body of an answer that has begun.

        httpx's objects cost as much as all of this, so whoever asks the same address again and again comes here.

        Args:
            lines: More headers, as `header_lines` makes them, beside those of `target`.
            connect_seconds: For name, connection and TLS together.
            silence_seconds: The longest pause in the answer.
            fresh: Only a new connection will do.

        Raises:
            ConnectError, ConnectTimeout, ProxyError: There is no connection; the cause tells of TLS.
            Unbegun: A kept one was closed instead of an answer.
            ReadTimeout: Silent for too long.
            ReadError: It broke.
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

    def _kept(self, origin: Origin) -> "Connection | None":
        idle = self._idle[origin]
        while idle:
            if not (connection := idle.pop()).transport.is_closing():
                return connection
        return None

    async def _connected(self, target: "Target", seconds: float | None) -> "Connection":
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

    async def _connect(self, connection: "Connection", url: httpx.URL) -> None:
        loop = asyncio.get_running_loop()
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        addresses = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
        sock = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
        secure = {"ssl": self.tls(), "server_hostname": host} if url.scheme == "https" else {}
        await loop.create_connection(lambda: connection, sock=sock, **secure)  # type: ignore[call-overload]

    async def _tunnel(self, connection: "Connection", url: httpx.URL, proxy: httpx.Proxy) -> None:
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

    def _keep(self, origin: Origin, connection: "Connection") -> None:
        self._idle[origin].append(connection)

    def _forget(self, origin: Origin, connection: "Connection") -> None:
        self._open.discard(connection)
        if connection in (idle := self._idle[origin]):
            idle.remove(connection)

    async def aclose(self) -> None:
        for connection in tuple(self._open):
            connection.abort()


class Target(NamedTuple):
    """One address, and how requests to it begin."""

    url: httpx.URL
    origin: Origin
    head: bytes


class Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """The rest of an answer; all that has come by now in one piece. Close it: that ends the work upstream."""

    def __init__(self, connection: "Connection") -> None:
        self._connection: Connection | None = connection

    def __aiter__(self) -> "Body":
        return self

    async def __anext__(self) -> bytes:
        if self._connection is None:
            raise StopAsyncIteration
        if piece := await self._connection.piece():
            return piece
        self.let_pass()
        raise StopAsyncIteration

    def let_pass(self) -> None:
        """Let what little is left pass unread, so that its connection can be kept."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drain()

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.leave()


class Connection(asyncio.Protocol):
    """One connection, and the one answer at a time that comes in on it."""

    keep: Callable[[], None] | None = None
    """Called when it is free for the next request."""
    gone: Callable[[], None] | None = None
    """Called when it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._open = self._kept = False
        self._asked = self._begun = self._ended = self._draining = False
        self._status = self._bytes = self._given = 0
        self._spoke = 0.0
        self._headers: Headers = []
        self._pieces: list[bytes] = []
        self._gathering = False
        self._failure: Exception | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._clogged = self._paused = self._lasts = False
        self._parser: HttpResponseParser | None = None
        self._silence_seconds: float | None = None
        self._deadline: float | None = None
        """When `_silence_seconds`, or what else there is patience for, are over."""
        self._timer: asyncio.TimerHandle | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._open = True
        self._parser = HttpResponseParser(self)
        # As lenient as other clients: what is answered is passed on to nobody who would read it otherwise.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def data_received(self, data: bytes) -> None:
        if not self._asked:  # said without having been asked
            return self.abort()
        if self._silence_seconds is not None:
            self._deadline = self._loop.time() + self._silence_seconds
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as exc:
            if not self._ended:  # what follows an answer that is the connection's last is of no interest
                failure = httpx.ReadError("broken HTTP") if self._begun else httpx.RemoteProtocolError("no HTTP")
                failure.__cause__ = exc
                self._fail(failure)
        if not self._begun:
            self._bytes += len(data)
            if self._bytes > MAX_HEAD_BYTES:
                self._fail(httpx.RemoteProtocolError("headers without an end"))
        if self._draining:
            self._drain()
        elif self._bytes > HIGH_WATER_BYTES and self._begun and not self._ended:
            self._paused, self._deadline = True, None
            self.transport.pause_reading()
        self._wake_or_gather()

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open = False
        if self._asked and not self._ended:
            if self._failure is not None:  # it was closed here
                pass
            elif self._begun and exc is None and self._ends_with_connection():
                self._ended = True
            else:
                stale = self._kept and not self._begun and not self._bytes
                self._failure = Unbegun("closed") if stale else httpx.ReadError("closed before its end")
        if self._timer is not None:
            self._timer.cancel()
        if self.gone is not None:
            self.gone()
        self._parser = self.keep = self.gone = None  # they hold this, and this holds them
        self._wake()

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._ended:  # a second answer to one question
            self._fail(httpx.RemoteProtocolError("two answers to one request"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._begun:  # what follows the body is of no interest
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._ended:
            return
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:  # something ahead of the answer
            self._headers = []
        else:
            self._status, self._begun, self._bytes = status, True, 0

    def on_body(self, body: bytes) -> None:
        if not self._ended:
            self._pieces.append(body)
            self._bytes += len(body)

    def on_message_complete(self) -> None:
        if self._begun and not self._ended:
            assert self._parser is not None
            self._ended, self._lasts = True, self._parser.should_keep_alive()
            self._deadline = None

    # What the owner calls.

    async def ask(
        self, head: bytes, body: "bytes | AsyncIterable[bytes]", silence_seconds: float | None
    ) -> tuple[int, Headers]:
        """Status and headers of the answer."""
        self._asked, self._begun, self._ended, self._draining = True, False, False, False
        self._bytes = self._given = 0
        self._headers, self._pieces = [], []
        self._deadline = None  # it was that of a connection nobody used
        if isinstance(body, bytes):
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            await self._send(body)
        self._silence_seconds = silence_seconds
        if silence_seconds is not None:
            self._look_in(silence_seconds)
        while not self._begun:
            if self._failure is not None:
                raise self._failure
            self._reading = self._loop.create_future()
            await self._reading
        return self._status, self._headers

    async def piece(self) -> bytes:
        """What has come since; empty at the end of the answer."""
        while not self._pieces:
            if self._ended:
                return b""
            if self._failure is not None:
                raise self._failure
            self._reading = self._loop.create_future()
            await self._reading
        self._spoke, self._given = self._loop.time(), self._given + 1
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        self._bytes = 0
        if self._paused:
            self._resume()
            if self._silence_seconds is not None:
                self._look_in(self._silence_seconds)
        return piece

    def drain(self) -> None:
        """Keep it for the next request, once what is left of this answer has passed."""
        self._draining, self._silence_seconds, self._bytes = True, None, 0
        if self._paused:
            self._resume()
        if not self._ended:
            self._look_in(DRAIN_SECONDS)
        self._drain()

    def leave(self) -> None:
        """Nothing more is wanted of this answer."""
        if self._ended:
            self.drain()
        else:
            self.abort()

    def abort(self) -> None:
        if self._open:
            self.transport.abort()

    def _resume(self) -> None:
        self._paused = False
        if self._open and not self._gathering:
            self.transport.resume_reading()

    def _drain(self) -> None:
        self._pieces = []
        if not self._ended and self._bytes <= DRAIN_BYTES and self._open:
            return
        self._asked = False
        if self._ended and self._lasts and self._open and self._failure is None and self.keep is not None:
            self._look_in(KEEP_ALIVE_SECONDS)
            self._kept = True
            self.keep()
        else:
            self.abort()

    async def _send(self, body: AsyncIterable[bytes]) -> None:
        """A large body piece by piece, until it is answered: an upstream need not hear it out."""
        async for piece in body:
            if self._begun or self._failure is not None:
                self.keep = None  # it would wait for the rest
                return
            self.transport.write(piece)
            while self._clogged and not self._begun and self._failure is None:
                self._writing = self._loop.create_future()
                await self._writing

    def _fail(self, failure: Exception) -> None:
        self._failure = self._failure or failure
        self.abort()
        self._wake()

    def _wake_or_gather(self) -> None:
        """What comes within a moment of the last piece waits for the end of that moment; the first few never do."""
        left = self._spoke + GATHER_SECONDS - self._loop.time()
        if left <= 0 or self._given < PROMPT_PIECES or self._ended or self._paused or self._failure is not None:
            self._wake()
        elif not self._gathering:
            self._gathering = True
            self.transport.pause_reading()  # the system gathers at a lower price
            self._loop.call_later(left, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        if self._open and not self._paused:
            self.transport.resume_reading()
        self._wake()

    def _wake(self) -> None:
        for waiting in (self._reading, self._writing):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    def _ends_with_connection(self) -> bool:
        names = {name.lower() for name, _ in self._headers}
        return not names & {b"content-length", b"transfer-encoding"}

    def _look_in(self, seconds: float) -> None:
        """Look at the time then. One timer serves for all: it is set again when it rings too early."""
        self._deadline = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if (left := self._deadline - self._loop.time()) > 0.001:
            self._look_in(left)
        else:
            self._fail(httpx.ReadTimeout("silent"))


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
        case OSError() | UnicodeError() | RuntimeError() | httpx.TransportError():
            return httpx.ProxyError("no proxy") if through_proxy else httpx.ConnectError("no connection")
        case _:
            return exc


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    Raises:
        LocalProtocolError: One would end in the middle, and another begin.
    """
    lines = [b"%s: %s\r\n" % each for each in headers]
    text = b"".join(lines)
    if text.count(b"\n") != len(lines) or text.count(b"\r") != len(lines):
        raise httpx.LocalProtocolError("a line break within a header")
    return text
