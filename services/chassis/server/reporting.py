"""A uvicorn server that reports to the parent of several workers."""

import logging
import os
import resource
import socket
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic

import uvicorn

_TICKS = 10
"""Ticks of uvicorn's loop, of 0.1 s each, between two reports."""
_PAUSE_SECONDS = 60.0
"""Time between two lines that say that no more files can be opened."""

log = logging.getLogger("talkbox")


class Reporting(uvicorn.Server):
    """Report once a second that the event loop turns, and that it ends; end without the parent."""

    def __init__(self, config: uvicorn.Config, reports: Connection, parent: int) -> None:
        super().__init__(config)
        os.set_blocking(reports.fileno(), False)  # a parent that is busy must not hold up the loop
        self._reports, self._parent = reports, parent
        self._next_line = 0.0

    async def on_tick(self, counter: int) -> bool:
        """Report, and look for the parent."""
        if counter % _TICKS == 0:
            self._report(b"alive")
            self._look_for_descriptors()
        if os.getppid() != self._parent:  # left alone, it would keep the port from the next one
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Report the end, so that the silence that follows is not taken for a fault."""
        self._report(b"leaving")
        await super().shutdown(sockets)

    def _look_for_descriptors(self) -> None:
        """Say so where none is left: the event loop then closes what new callers open, without a word."""
        try:
            os.close(os.dup(self._reports.fileno()))
        except OSError:
            if monotonic() >= self._next_line:
                self._next_line = monotonic() + _PAUSE_SECONDS
                limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
                log.error(
                    "EMFILE: all %d files are open, new callers are refused: raise the limit (`ulimit -n`)", limit
                )

    def _report(self, message: bytes) -> None:
        with suppress(OSError):  # nobody reads: the parent became a new one
            self._reports.send_bytes(message)
