"""One write for what is sent together: uvicorn writes a head, each piece and the end of a body by themselves."""

import asyncio
from typing import Any


class Cork:
    """A transport whose writes leave at the end of the loop's turn in which they were made."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._pull)
        self._held.append(data)

    def close(self) -> None:
        self._pull()
        self._transport.close()

    def _pull(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))
