"""One HTTP/1.1 connection to an upstream: httptools' parser on a transport of the loop, one answer at a time.

How a connection stands (`Phase`), and what moves it on:

    IDLE ──ask──▶ ASKED ──headers──▶ BODY ──last byte──▶ ENDED
      ▲                                │                   │
      │                              drain               drain
      │                                ▼                   │
      └─────────last byte────────── DRAINING ◀─────────────┘
                 (`keep` is called, if it may be used again)

    every one of them ──abort, a failure, the other side──▶ closed (`gone` is called; what had come can still be read)

Two things go on beside this. Reading is paused while too much waits for the owner, or while pieces that come too fast
are gathered (`flow_control.Intake`). Sending waits while the transport's buffer is full (`_clogged`). One timer serves
all deadlines: the silence between two pieces, a body that is not taken, a rest that does not pass, and an idle
connection that grows old.
"""

import asyncio
from collections.abc import AsyncIterable, Callable
from enum import Enum
from typing import cast

import httpx
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from chassis.upstream.http.body import Headers, Unbegun, ends_with_connection
from chassis.upstream.http.deadline import Deadline
from chassis.upstream.http.flow_control import Intake
from chassis.upstream.http.lenient_parser import lenient_parser

KEEP_ALIVE_SECONDS = 60.0
"""Age at which an idle connection is closed."""
SEND_SECONDS = 20.0
"""The longest wait for the upstream to take the next piece of a large body."""
DRAIN_SECONDS = 0.5
DRAIN_BYTES = 64 * 2**10
"""The rest of an answer that nobody reads may take so long and be so large; else the connection is closed."""
MAX_HEAD_BYTES = 64 * 2**10


class Phase(Enum):
    """The progress of the one answer under way; the drawing is above."""

    IDLE = "idle"
    ASKED = "asked"
    BODY = "body"
    ENDED = "ended"
    DRAINING = "draining"


IDLE, ASKED, BODY, ENDED, DRAINING = Phase  # looked up for each piece of each answer


class Connection(asyncio.Protocol):
    """One connection, and the one answer at a time that comes in on it."""

    transport: asyncio.Transport
    keep: Callable[[], None] | None = None
    """Function that is called when the connection is free for the next request."""
    gone: Callable[[], None] | None = None
    """Function that is called when the connection is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._phase = IDLE
        self._open = False
        self._answers = 0
        """Answers that came to their end."""
        self._status = 0
        self._headers: Headers = []
        self._head_bytes = 0
        self._drained_bytes = 0
        self._failure: Exception | None = None
        self._can_be_kept = False
        """The answer that ended allows another one on this connection."""
        self._clogged = False
        self._intake = Intake(self._loop, self._wake)
        self._waiting: asyncio.Future[None] | None = None
        """The owner, waiting for a piece or for room to send."""
        self._parser: HttpResponseParser | None = None
        self._silence_seconds: float | None = None
        self._deadline = Deadline(self._loop, self._be_late)
        self._late: type[httpx.TimeoutException] = httpx.ReadTimeout

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._open = True
        self._intake.open(self.transport)
        self._parser = lenient_parser(self)

    def data_received(self, data: bytes) -> None:
        phase = self._phase
        if phase is IDLE:  # nobody has asked anything
            return self.abort()
        if self._silence_seconds is not None:
            self._deadline.put_off(self._silence_seconds)
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as exc:
            self._misread(exc)
        if phase is ASKED:
            self._count_head(len(data))
        elif phase is DRAINING:
            return self._drain(len(data))
        if self._intake.is_high and self._phase is BODY:
            self._deadline.forget()
            self._intake.pause()
        if self._phase is ENDED or self._failure is not None:
            self._wake()
        else:
            self._intake.hand_on()

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open = False
        self._intake.close()
        if self._phase in (ASKED, BODY, DRAINING) and self._failure is None:  # else it was closed here
            self._lose(broken=exc is not None)
        self._deadline.cancel()
        if self.gone is not None:
            self.gone()
        self._parser = self.keep = self.gone = None  # they hold this, and this holds them
        self._wake()

    def _lose(self, *, broken: bool) -> None:
        """Take the end of the connection for the end of the answer, if that is how it ends, or for a failure."""
        if self._phase is not ASKED and not broken and ends_with_connection(self._headers):
            self._phase = ENDED
        elif self._phase is ASKED and self._answers and not self._head_bytes:
            self._failure = Unbegun("closed")
        else:
            self._failure = httpx.ReadError("closed before its end")

    def _misread(self, exc: Exception) -> None:
        if self._phase is ENDED:  # bytes after an answer that is the connection's last are of no interest
            return
        failure = httpx.RemoteProtocolError("no HTTP") if self._phase is ASKED else httpx.ReadError("broken HTTP")
        failure.__cause__ = exc
        self._fail(failure)

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._phase is ASKED and self._head_bytes > MAX_HEAD_BYTES:
            self._fail(httpx.RemoteProtocolError("headers without an end"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._phase is ENDED:
            self._fail(httpx.RemoteProtocolError("two answers to one request"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is ASKED:  # trailers are of no interest
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._phase is not ASKED:
            return
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:  # something ahead of the answer
            self._headers = []
        else:
            self._status, self._phase = status, BODY

    def on_body(self, body: bytes) -> None:
        if self._phase is BODY:
            self._intake.add(body)

    def on_message_complete(self) -> None:
        if self._phase is BODY or self._phase is DRAINING:
            assert self._parser is not None
            self._can_be_kept = self._parser.should_keep_alive()
            self._phase = ENDED
            self._deadline.forget()

    # What the owner calls.

    async def ask(
        self, head: bytes, body: "bytes | AsyncIterable[bytes]", silence_seconds: float | None
    ) -> tuple[int, Headers]:
        """Send a request; return status and headers of the answer that has begun.

        Raises:
            Unbegun: The connection was kept, and is closed.
            WriteTimeout, ReadTimeout: The body is not taken, or the answer does not begin.
            ReadError, RemoteProtocolError: The connection broke, or what came is no HTTP.
        """
        self._phase = ASKED
        self._head_bytes = self._drained_bytes = 0
        self._intake.begin()
        self._headers = []
        self._silence_seconds = None
        self._deadline.forget()  # it was that of an idle connection
        if isinstance(body, bytes):
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            await self._send(body)
        self._silence_seconds = silence_seconds
        if silence_seconds is not None:
            self._deadline.put(silence_seconds)
        while self._phase is ASKED:
            if self._failure is not None:
                raise self._failure
            await self._wait()
        return self._status, self._headers

    async def piece(self) -> bytes:
        """Return all that has come since the last piece; empty at the end of the answer.

        Raises:
            ReadTimeout, ReadError, RemoteProtocolError: As `ask`.
        """
        while not self._intake.unread:
            if self._phase is ENDED:
                return b""
            if self._failure is not None:
                raise self._failure
            await self._wait()
        piece = self._intake.take()
        if self._intake.is_paused:
            self._intake.resume()
            if self._silence_seconds is not None and self._phase is BODY:
                self._deadline.put(self._silence_seconds)
        return piece

    def drain(self) -> None:
        """Keep the connection for the next request, once what is left of this answer has passed."""
        if self._phase is BODY:
            self._phase, self._silence_seconds = DRAINING, None
            self._deadline.put(DRAIN_SECONDS)
        self._intake.resume()
        self._drain(0)

    def leave(self) -> None:
        """End an answer of which nothing more is wanted."""
        if self._phase is ENDED:
            self.drain()
        else:
            self.abort()

    def abort(self) -> None:
        if self._open:
            self.transport.abort()

    def _wait(self) -> asyncio.Future[None]:
        self._waiting = self._loop.create_future()
        return self._waiting

    def _drain(self, size: int) -> None:
        self._intake.drop()
        self._drained_bytes += size
        if self._phase is DRAINING and self._drained_bytes <= DRAIN_BYTES and self._open:
            return
        can_be_kept = self._phase is ENDED and self._can_be_kept and self._open and self._failure is None
        self._phase = IDLE
        if can_be_kept and self.keep is not None:
            self._answers += 1
            self._deadline.put(KEEP_ALIVE_SECONDS)
            self.keep()
        else:
            self.abort()

    async def _send(self, body: AsyncIterable[bytes]) -> None:
        """Send a large body piece by piece, until it is answered: an upstream need not hear it out."""
        self._late = httpx.WriteTimeout
        async for piece in body:
            if self._phase is not ASKED or self._failure is not None:
                self.keep = None  # the upstream would wait for the rest
                break
            self.transport.write(piece)
            while self._clogged and self._phase is ASKED and self._failure is None:
                self._deadline.put(SEND_SECONDS)
                await self._wait()
        self._deadline.forget()
        self._late = httpx.ReadTimeout

    def _fail(self, failure: Exception) -> None:
        self._failure = self._failure or failure
        self.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _be_late(self) -> None:
        self._fail(self._late("silent"))
