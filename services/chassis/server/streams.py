"""Responses sent piece by piece, and the end of work for callers who have left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import AppStatus, EventSourceResponse
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.sse import KEEP_ALIVE, close

HANGUPS = "talkbox.hangups"
"""Extension of the ASGI scope: a set of functions that the server calls when the caller leaves."""
_PING_SECONDS = 2.0
"""Pause after which an event stream sends a comment; clients give up after 5 s without a byte."""


class Hangup:
    """Cancel the work for a caller who has left, whether the answer is streamed or not.

    Our server calls the functions in `HANGUPS`. ASGI's own way, to wait for `http.disconnect`, takes a task for each
    request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        work = asyncio.current_task()
        assert work is not None
        left = answered = False

        def leave() -> None:
            nonlocal left
            if not answered:
                left = True
                work.cancel()

        def send_until_answered(message: Message) -> Awaitable[None]:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            return send(message)

        hangups: set[Callable[[], None]] = scope.get("extensions", {}).get(HANGUPS, set())
        hangups.add(leave)
        try:
            await self.app(scope, receive, send_until_answered)
        except asyncio.CancelledError:
            if not left:
                raise
            work.uncancel()
        finally:
            hangups.discard(leave)


class Stream(StreamingResponse):
    """A body sent piece by piece; its iterator is closed whatever happens.

    When the iterator raises, the body ends without its last chunk, so that the caller sees it broken.
    """

    def __init__(
        self, body: AsyncIterator[bytes], *, media_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(body, media_type=media_type, headers=headers)
        self.pieces = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await close(self.pieces)


class EventStream(EventSourceResponse):
    """Events sent as they come, with a comment in each pause; the iterator is closed whatever happens.

    sse-starlette ends its streams when uvicorn is asked to exit, by a patch of `uvicorn.Server.handle_exit`. That is
    switched off here: a stream that has begun is finished within the grace period.
    """

    def __init__(self, events: AsyncIterator[bytes], *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(events, headers=headers, sep="\n", ping=_PING_SECONDS, ping_message_factory=_KeepAlive)
        self.events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await close(self.events)


class _KeepAlive(ServerSentEvent):
    """A comment without the blank line that sse-starlette would add, which dispatches an empty event in clients."""

    def encode(self) -> bytes:
        return KEEP_ALIVE


AppStatus.enable_automatic_graceful_drain = False
logging.getLogger("sse_starlette").setLevel(logging.INFO)  # at DEBUG it logs each event: the child's words
