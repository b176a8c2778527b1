"""HTTP as uvicorn speaks it, but what is no HTTP is told so in the shape of every other error."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.errors import BadRequest
from chassis.server.cork import Cork
from chassis.server.streams import HANGUPS


class Protocol(HttpToolsProtocol):
    """A proxy may pass on what uvicorn's parser refuses: an unknown method, control characters, an address in raw
    UTF-8. No application sees such a request, so this answers it. What is sent together leaves in one write; and who
    leaves before the end is told of at once, for `Hangup`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hangups: set[Callable[[], None]] = set()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {HANGUPS: self._hangups}

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for leave in tuple(self._hangups):
            leave()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, Cork(transport)))

    def send_400_response(self, msg: str) -> None:
        refusal = BadRequest(f"{msg} Its method, address, headers or body's length cannot be read.")
        body = json.dumps({"error": refusal.body}, separators=(",", ":"))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {uuid.uuid4().hex}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(f"{head}{body}".encode())
        self.transport.close()
