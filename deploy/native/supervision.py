"""Speak with supervisor, and end what it has lost."""

import fcntl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from deploy.installation import STATE
from deploy.native import layout, processes, render
from supervisor.xmlrpc import Faults, SupervisorTransport

DOWN_SECONDS = render.STOP_SECONDS + 8


class Trouble(Exception):
    """A message for the person at the keyboard, instead of a trace."""


def supervisor() -> Any:
    """Return supervisor's methods, over its socket; they raise OSError where none is running."""
    transport = SupervisorTransport(None, None, f"unix://{layout.socket_path()}")
    return ServerProxy("http://127.0.0.1", transport).supervisor


def is_running() -> bool:
    try:
        supervisor().getPID()
    except OSError:
        return False
    return True


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Return True as soon as `done` does; False if it does not in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def alone() -> Generator[None, None, None]:
    """Let one command at a time change things."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tell(method: Callable[[str, bool], object], name: str) -> None:
    """Start or stop a program without waiting for it, if it is not so already."""
    try:
        method(name, False)
    except Fault as exc:
        if exc.faultCode not in (Faults.ALREADY_STARTED, Faults.NOT_RUNNING):
            raise


def state(rpc: Any, name: str) -> int:
    return int(rpc.getProcessInfo(name)["state"])


def heal() -> None:
    """End processes that nobody looks after any more; they hold the ports, and never read a setting again."""
    if lost := processes.orphans():
        print(f"Ending {len(lost)} processes whose supervisor or master was killed …", flush=True)
        processes.end(lost, until, DOWN_SECONDS)
