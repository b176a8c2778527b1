"""HTTP as uvicorn speaks it, with requests that cannot be parsed answered in the shape of every other error."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.errors import BadRequest
from chassis.server.streams import HANGUPS


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
    """uvicorn's protocol, with three things more.

    - A proxy may pass on what uvicorn's parser refuses (an unknown method, control characters, an address in raw
      UTF-8). No application sees such a request, so `send_400_response` answers it.
    - What is sent in one turn of the loop leaves in one write.
    - A caller who leaves before the end is reported at once, to the functions in `HANGUPS`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hangups: set[Callable[[], None]] = set()

    def on_message_begin(self) -> None:
        """Hand the application the set of functions to call at a hangup."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {HANGUPS: self._hangups}

    def on_message_complete(self) -> None:
        """Read on: uvicorn pauses until more of a large body is asked for, and would not notice a caller who leaves."""
        super().on_message_complete()
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
        refusal = BadRequest(f"{msg} Its method, address, headers or body's length cannot be read.")
        body = json.dumps(refusal.envelope, separators=(",", ":"))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {uuid.uuid4().hex}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(f"{head}{body}".encode())
        self.transport.close()
