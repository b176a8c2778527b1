"""Change the number of a service's workers: `make scale`."""

import os
import signal
import time
from collections.abc import Sequence

from deploy.installation import SERVICES
from deploy.native import layout, processes
from deploy.native.changes import REPLACE_SECONDS
from deploy.native.supervision import Trouble, alone, is_running, state, supervisor, until
from supervisor.states import ProcessStates

_MAX_WORKERS = 64
_SIGNAL_SECONDS = 0.3
"""Pause between two signals to one process, which would otherwise arrive as one."""
_SETTLED_SECONDS = 1.0


def scale(wishes: Sequence[str]) -> int:
    """Change the numbers of workers (`stt=3 …`); one that goes first finishes what it does."""
    numbers = [_wish(wish) for wish in wishes]
    if not numbers:
        raise Trouble("Say which service and how many: `make scale stt=3`.")
    with alone():
        for service, number in numbers:
            before = layout.workers()[service]
            layout.remember_workers(service, number)
            if not is_running() or state(supervisor(), service) != ProcessStates.RUNNING:
                print(f"{service} is not up; it starts with {_workers(number)}.")
                continue
            _scale(service, before, number)
    return 0


def _wish(wish: str) -> tuple[str, int]:
    service, _, number = wish.partition("=")
    if service not in SERVICES or not number.isdigit() or not 1 <= int(number) <= _MAX_WORKERS:
        raise Trouble(f"Cannot scale {wish!r}. Like this: `make scale stt=3` (stt, llm or tts; 1 to {_MAX_WORKERS}).")
    return service, int(number)


def _scale(service: str, before: int, number: int) -> None:
    parent = supervisor().getProcessInfo(service)["pid"]
    for _ in range(abs(number - before)):
        os.kill(parent, signal.SIGTTIN if number > before else signal.SIGTTOU)
        time.sleep(_SIGNAL_SECONDS)
    if not until(lambda: _has_settled(parent, number), REPLACE_SECONDS):
        raise Trouble(f"{service} does not change its number of workers; `make logs S={service}` may say why.")
    print(f"{service} has {_workers(number)} now, and keeps that number when it is started again.")


def _has_settled(parent: int, number: int) -> bool:
    """Return True if there are so many workers, and still are a moment later."""
    if len(processes.workers(parent)) != number:
        return False
    time.sleep(_SETTLED_SECONDS)
    return len(processes.workers(parent)) == number


def _workers(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"
