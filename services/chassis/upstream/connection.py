"""HTTP/1.1 to upstreams, under httpx's interface: httptools' parser on the loop's own connections, and little else.

No redirects, cookies, retries or decoding: whoever asks through this wants the bytes as they come, soon and cheaply.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TypeAlias, cast

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

KEEP_ALIVE_SECONDS = 60.0

DRAIN_SECONDS = 0.5

DRAIN_BYTES = 64 * 2**10

MAX_HEAD_BYTES = 64 * 2**10

HIGH_WATER_BYTES = 256 * 2**10
"""Of an answer that nobody takes: then the upstream waits."""

GATHER_SECONDS = 0.004
"""The least time between two pieces of an answer that comes faster than anybody could tell, after its first
`PROMPT_PIECES`: what comes in between leaves together."""

PROMPT_PIECES = 8

Headers: TypeAlias = list[tuple[bytes, bytes]]


class Unbegun(httpx.ReadError):
    """A kept connection was closed before anything of an answer came: most likely it was being closed already."""


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
