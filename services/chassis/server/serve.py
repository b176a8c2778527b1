"""`python -m chassis.server tts`: one service under uvicorn.

With `--workers` a parent keeps that many processes alive behind one socket; see `workers`. Without, the service is this
process. SIGTERM: no new requests, those under way get `GRACE_SECONDS`, exit 0.
"""

import argparse
import logging
import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from chassis import process
from chassis.server import log_lines
from chassis.server.worker import STARTUP_FAILURE, config, create
from chassis.server.workers import Duty, Workers

log = logging.getLogger("talkbox")


def main() -> int:
    """Serve until SIGTERM.

    Returns:
        The exit code: 0 after a shutdown that was asked for, 3 if the service could not start.
    """
    arguments = _parser().parse_args()
    if arguments.check:
        create(arguments.service)
        return 0
    if arguments.workers is None:
        _serve_alone(arguments)
    log_lines.configure("info")
    return _serve_with_workers(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chassis.server", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("service", choices=["stt", "llm", "tts"])
    parser.add_argument("--host", default="127.0.0.1", help="`::` is all addresses, of IPv6 as far as there are any")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--check", action="store_true", help="only read the settings; exit code 3 if one is unusable")
    parser.add_argument("--workers", type=int, help="processes behind one socket; SIGTTIN and SIGTTOU change it")
    parser.add_argument("--counts", type=Path, help="folder for the counts of several workers")
    parser.add_argument("--start-command", default="", help="what SIGHUP starts in this process's place")
    handover = parser.add_argument_group("what a parent hands over to the next one on SIGHUP")
    handover.add_argument("--listener", type=int, help="the descriptor of the socket")
    handover.add_argument("--former", type=_numbers, default=(), help="the workers there are")
    handover.add_argument("--deaths", type=int, default=0, help="how many died")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _serve_alone(arguments: argparse.Namespace) -> NoReturn:
    import uvicorn  # not at the top: the parent of several workers stays small without it

    class Server(uvicorn.Server):
        """uvicorn's server, for which a shutdown that was asked for is a success."""

        @contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            process.end_by_signal(self)
            yield

    server = Server(config(create(arguments.service), host=arguments.host, port=arguments.port))
    server.run()
    process.end_now(0 if server.started else STARTUP_FAILURE)


def _serve_with_workers(arguments: argparse.Namespace) -> int:
    try:
        listener = _listener(arguments)
    except OSError as exc:
        log.critical("%s cannot listen on %s:%d: %s", arguments.service, arguments.host, arguments.port, exc)
        return STARTUP_FAILURE
    counts = arguments.counts or Path(tempfile.gettempdir()) / f"talkbox-{arguments.service}-{arguments.port}"
    if not arguments.former:  # what is there was counted by processes that are no more
        shutil.rmtree(counts, ignore_errors=True)
    duty = Duty(
        arguments.service, arguments.workers, arguments.start_command, arguments.former, arguments.deaths, counts
    )
    return Workers(duty, listener).run()


def _listener(arguments: argparse.Namespace) -> socket.socket:
    if arguments.listener is not None:
        listener = socket.socket(fileno=arguments.listener)
        listener.set_inheritable(False)
        return listener
    if arguments.host == "::" and not socket.has_dualstack_ipv6():
        arguments.host = "0.0.0.0"
    listener = socket.socket(socket.AF_INET6 if ":" in arguments.host else socket.AF_INET)
    if arguments.host == "::":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((arguments.host, arguments.port))  # the first worker listens; a proxy asks another replica until then
    return listener
