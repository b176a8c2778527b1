"""HTTP as uvicorn speaks it, with requests that cannot be parsed answered in the shape of every other error."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.errors import BadRequest
from chassis.server.streams import HANGUPS

MAX_HEAD_BYTES = 128 * 2**10
"""The largest head of a request; the proxy's limit is lower."""
_MOST_WAITING = 16
"""Requests that are read ahead on one connection; the next ones wait outside."""


class Cork:
    """A transport that joins what is written in one turn of the loop into one write.

    uvicorn writes a head, each piece and the end of a body by themselves.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self.is_closing = transport.is_closing  # asked for each request, and `__getattr__` is the long way

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Hold `data` until the end of the loop's turn."""
        if not self._held:
            self._loop.call_soon(self._pull)
        self._held.append(data)

    def close(self) -> None:
        """Write what is held, then close."""
        self._pull()
        self._transport.close()

    def _pull(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with four things more.

    - A proxy may pass on what uvicorn's parser refuses (an unknown method, control characters, an address in raw
      UTF-8). No application sees such a request, so `send_400_response` answers it.
    - What is sent in one turn of the loop leaves in one write.
    - A caller who leaves before the end is reported at once, to the functions in `HANGUPS`.
    - What is gathered for a request has a limit: its head, what may follow its body, and requests that wait for it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hangups: set[Callable[[], None]] = set()
        self._bytes_beside = 0
        """Bytes since a request began or the last of its body came; what came together with these is not counted."""

    def data_received(self, data: bytes) -> None:
        """Read, and refuse a head or trailers without an end."""
        self._bytes_beside += len(data)
        super().data_received(data)
        if self._bytes_beside > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(f"The request has more than {MAX_HEAD_BYTES} bytes beside its body. Send fewer headers.")

    def on_body(self, body: bytes) -> None:
        """Begin to count anew."""
        self._bytes_beside = 0
        super().on_body(body)

    def on_message_begin(self) -> None:
        """Hand the application the set of functions to call at a hangup."""
        super().on_message_begin()
        self._bytes_beside = 0
        cast(dict[str, Any], self.scope)["extensions"] = {HANGUPS: self._hangups}

    def on_message_complete(self) -> None:
        """Read on: uvicorn pauses until more of a large body is asked for, and would not notice a caller who leaves."""
        super().on_message_complete()
        if len(self.pipeline) < _MOST_WAITING:
            self.flow.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the hangup."""
        super().connection_lost(exc)
        for leave in tuple(self._hangups):
            leave()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the cork on."""
        super().connection_made(cast(asyncio.Transport, Cork(transport)))

    def send_400_response(self, msg: str) -> None:
        """Answer a request that the parser refuses, and close."""
        self._refuse(f"{msg} Its method, address, headers or body's length cannot be read.")

    def _refuse(self, message: str) -> None:
        body = json.dumps(BadRequest(message).envelope, separators=(",", ":"))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {uuid.uuid4().hex}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(f"{head}{body}".encode())
        self.transport.close()
