"""Serve as one of several workers behind a socket, and report to the parent from the event loop."""

import logging
import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from chassis import process
from chassis.server import log_lines
from chassis.settings import SettingError, read

if TYPE_CHECKING:  # the parent of several workers stays small without them
    import uvicorn
    from starlette.applications import Starlette

STARTUP_FAILURE = 3
"""Exit code of a service that cannot start, and would not if it were started again; uvicorn's own number for it."""
GRACE_SECONDS = 20
KEEP_ALIVE_SECONDS = 75
"""Time for which an idle connection is kept: longer than nginx' 60 s, so that it is the proxy who closes, and never
under a request."""
_COUNT_KINDS = ("counter", "histogram", "gauge_livesum", "gauge_livemin", "gauge_livemax", "gauge_max")
"""Kinds of files that prometheus-client makes for the metrics there are."""
_COUNT_BYTES = 2**19
_FEW_FILES = 256

log = logging.getLogger("talkbox")


@dataclass(frozen=True)
class Orders:
    """Orders that a worker gets from its parent.

    Args:
        service: `stt`, `llm` or `tts`.
        parent: The parent's process; a worker without it ends.
        warm_seconds: Longest time to load engines before the first caller is taken; 0 where nobody else serves.
        deaths: Workers that died before.
        counts: Folder where several workers keep their counts; None: this one counts for itself.
    """

    service: str
    parent: int
    warm_seconds: float
    deaths: int
    counts: Path | None


def create(service: str) -> "Starlette":
    """Make the service's app, with its log set up; a setting that cannot be used ends the process with one line."""
    log_lines.configure("info")  # what is wrong with the level itself is a line like any other
    if (files := process.open_many_files()) < _FEW_FILES:
        log.warning(
            "only %d files may be open here, and each caller and each connection takes one: raise the limit "
            "(`ulimit -n`; `ulimits: {nofile: 65536}` in Compose)",
            files,
        )
    try:
        log_lines.configure(read(log_lines.LogOptions).level)
        app: Starlette = import_module(f"{service}.app").create_app()
    except SettingError as exc:
        log.critical("%s cannot start: %s", service, exc)
        sys.exit(STARTUP_FAILURE)
    except Exception:  # once more would not help, and a supervisor would start it for ever
        log.critical("%s cannot start", service, exc_info=True)
        sys.exit(STARTUP_FAILURE)
    process.spare_the_living()
    return app


def config(app: "Starlette", **where: Any) -> "uvicorn.Config":
    """Return uvicorn's configuration, alike for a worker and a service without workers."""
    import uvicorn

    return uvicorn.Config(
        app,
        http="chassis.server.protocol:Protocol",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        **where,
    )


def serve(orders: Orders, listener: socket.socket, reports: Connection) -> NoReturn:
    """Serve until SIGTERM or the parent's end."""
    log_lines.configure("info")
    if orders.counts is not None:
        count_together(orders.counts)
    app = create(orders.service)
    app.state.warm_seconds, app.state.deaths = orders.warm_seconds, orders.deaths

    from chassis.server.reporting import Reporting  # after `count_together`, and only in a worker

    Reporting(config(app), reports, orders.parent).run([listener])
    process.end_now(0)


def count_together(folder: Path) -> None:
    """Let prometheus-client add up the counts of all workers, in files of `folder`; call it before that is imported.

    It maps the files into memory, where a disk that is full later on would end the process; so their room is taken now.
    Without room this worker counts for itself.
    """
    files = [folder / f"{kind}_{os.getpid()}.db" for kind in _COUNT_KINDS]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            with file.open("ab") as opened:
                os.posix_fallocate(opened.fileno(), 0, _COUNT_BYTES)
    except OSError as exc:
        log.warning("no room for the counts of several workers (%s); each counts for itself: make room", exc)
        for file in files:
            with suppress(OSError):
                file.unlink()
        return
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
