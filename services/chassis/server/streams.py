"""Bytes leave when they exist; and whoever leaves, or breaks off, is noticed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.sse import close

HANGUPS = "talkbox.hangups"
"""A set: what is to be called when the caller leaves."""


class Hangup:
    """Cancel the work for a caller who has left, whether it was to be streamed or not.

    The server tells, through `HANGUPS` in the scope's extensions: to ask it, as ASGI has it, takes a task for each
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

        async def send_until_answered(message: Message) -> None:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

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


class Stream(Response):
    """A body sent piece by piece; its iterator is closed whatever happens.

    When the iterator raises, the body ends without its last chunk, so that the caller sees it broken.
    """

    def __init__(
        self, body: AsyncIterator[bytes], *, media_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status_code, self.media_type, self.background = 200, media_type, None
        self.pieces = body
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await close(self.pieces)
