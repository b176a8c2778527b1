"""`python -m chassis.server tts`: one service under uvicorn.

With `--workers` a parent keeps that many processes alive behind one socket: SIGTTIN adds one, SIGTTOU lets one finish
and go. Without, the service is this process. SIGTERM: no new requests, those under way get `GRACE_SECONDS`, exit 0.
"""

import signal
import sys

if __name__ == "__main__":
    # A container's first process ignores a signal for which it has no handler, and the rest takes a while to import.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import argparse
import logging
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from multiprocessing.connection import wait
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from chassis import process
from chassis.settings import SettingError, read

GRACE_SECONDS = 20
KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s for which nginx keeps an idle connection: it is the proxy who closes, never under a request."""


class Server(uvicorn.Server):
    """Uvicorn's, but a shutdown that was asked for is a success: uvicorn raises the signal again and dies of it."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        process.end_by_signal(self)
        yield


def create(service: str) -> Any:
    """The service's app, with its log set up; a setting that cannot be used ends the process with one line."""
    _leave_with_parent()
    from chassis.server import logs  # not at the top: the parent of several workers stays small without it

    logs.configure("info")  # what is wrong with the level itself is a line like any other
    try:
        logs.configure(read(logs.LogOptions).level)
        app = import_module(f"{service}.app").create_app()
    except SettingError as exc:
        logging.getLogger("talkbox").critical("%s cannot start: %s", service, exc)
        sys.exit(STARTUP_FAILURE)
    except Exception:  # once more would not help, and a parent of several workers would start it for ever
        logging.getLogger("talkbox").critical("%s cannot start", service, exc_info=True)
        sys.exit(STARTUP_FAILURE)
    process.spare_the_living()
    return app


def _leave_with_parent() -> None:
    """End a worker whose parent was killed: left alone it would keep the port from the next one."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Serve until told to stop.

    Returns:
        The exit code: 0 after a shutdown that was asked for, 3 if the service could not start.
    """
    parser = argparse.ArgumentParser(prog="python -m chassis.server", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("service", choices=["stt", "llm", "tts"])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, help="processes behind one socket; SIGTTIN and SIGTTOU change it")
    wanted = parser.parse_args()
    config = uvicorn.Config(
        partial(create, wanted.service),
        factory=True,
        http="chassis.server.protocol:Protocol",  # by name: the parent of several workers stays small without it
        host=wanted.host,
        port=wanted.port,
        workers=wanted.workers or 1,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    if wanted.workers is None:
        server = Server(config)
        server.run()
        return 0 if server.started else STARTUP_FAILURE
    with tempfile.TemporaryDirectory(prefix=f"talkbox-{wanted.service}-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts  # where prometheus-client adds up what the workers count
        workers = Multiprocess(config, sockets=[config.bind_socket()])
        workers.run()
        failed = any(worker.exitcode == STARTUP_FAILURE for worker in workers.processes)
    return STARTUP_FAILURE if failed else 0
