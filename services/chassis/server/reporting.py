"""A uvicorn server that reports to the parent of several workers."""

import os
import socket
from contextlib import suppress
from multiprocessing.connection import Connection

import uvicorn

_TICKS = 10
"""Ticks of uvicorn's loop, of 0.1 s each, between two reports."""


class Reporting(uvicorn.Server):
    """Report once a second that the event loop turns, and that it ends; end without the parent."""

    def __init__(self, config: uvicorn.Config, reports: Connection, parent: int) -> None:
        super().__init__(config)
        os.set_blocking(reports.fileno(), False)  # a parent that is busy must not hold up the loop
        self._reports, self._parent = reports, parent

    async def on_tick(self, counter: int) -> bool:
        """Report, and look for the parent."""
        if counter % _TICKS == 0:
            self._report(b"alive")
        if os.getppid() != self._parent:  # left alone, it would keep the port from the next one
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Report the end, so that the silence that follows is not taken for a fault."""
        self._report(b"leaving")
        await super().shutdown(sockets)

    def _report(self, message: bytes) -> None:
        with suppress(OSError):  # nobody reads: the parent became a new one
            self._reports.send_bytes(message)
