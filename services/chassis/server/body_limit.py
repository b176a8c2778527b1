"""Limit the size of request bodies."""

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import TooLarge
from chassis.server.headers import header

DRAIN_BYTES = 128 * 2**20

DRAIN_SECONDS = 10.0


class BodyLimit:
    """Answer 413 above `max_bytes`, counted as they come; and let a refused caller finish its upload.

    A connection closed under an upload loses the answer, and the SDKs then send the upload three times. So an answer
    that is ready before the body has been read waits for the rest of it, within `DRAIN_BYTES` and `DRAIN_SECONDS`.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        upload = _Upload(receive, self.max_bytes, expects_continue=header(scope, b"expect") != "")

        async def send_after_upload(message: Message) -> None:
            await upload.drain()
            await send(message)

        def send_in_time(message: Message) -> Awaitable[None]:
            return send(message) if upload.is_over else send_after_upload(message)

        upload.announced(header(scope, b"content-length"))
        await self.app(scope, upload.receive, send_in_time)


class _Upload:
    """A request body on its way in."""

    def __init__(self, receive: Receive, max_bytes: int, *, expects_continue: bool) -> None:
        self._receive, self.max_bytes = receive, max_bytes
        self.bytes, self.ended = 0, False
        self.untouched = expects_continue
        self.too_large = False

    def announced(self, length: str) -> None:
        self.too_large = length.isdigit() and int(length) > self.max_bytes

    async def receive(self) -> Message:
        if self.too_large:
            raise self._refusal()
        message = await self._next()
        if self.bytes > self.max_bytes:
            raise self._refusal()
        return message

    async def _next(self) -> Message:
        self.untouched = False
        message = await self._receive()
        self.bytes += len(message.get("body", b""))
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    def _refusal(self) -> TooLarge:
        return TooLarge(f"The request is larger than {self.max_bytes} bytes. Send less.")

    @property
    def is_over(self) -> bool:
        """True where nothing more comes: a caller that waits for "100 Continue" sends nothing once it is refused."""
        return self.ended or self.untouched

    async def drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.ended and self.bytes < DRAIN_BYTES:
                    await self._next()
        except TimeoutError:
            self.ended = True
