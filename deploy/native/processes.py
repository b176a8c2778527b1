"""Processes of this installation, as /proc shows them: workers, memory, and those that nobody looks after."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deploy.installation import ROOT, STATE

_PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """Return the direct children, oldest first."""
    return [child for child in _all() if _parent(_folder(child)) == pid]


def workers(parent: int) -> list[int]:
    """Return the processes behind a service's socket; its parent has a helper of multiprocessing beside them."""
    return [pid for pid in children(parent) if b"spawn_main" in _read(_PROC / str(pid) / "cmdline")]


def family(pid: int) -> list[int]:
    """Return the process and all that came from it."""
    return [pid, *(member for child in children(pid) for member in family(child))]


def orphans() -> list[int]:
    """Return the processes of this installation that supervisor does not know: it or nginx's master was killed."""
    supervisor = _supervisor_pid()
    known = set(family(supervisor)) if supervisor else set()
    return [pid for pid in _installed() if pid not in known]


def orphaned_proxies() -> list[int]:
    """Return the workers of nginx whose master is gone."""
    return [
        pid for pid in _all() if _is_our_nginx_worker(pid) and b"nginx: master" not in _command(_parent(_folder(pid)))
    ]


def _supervisor_pid() -> int | None:
    """Return the process of this installation's supervisor; None: there is none."""
    return next((pid for pid in _all() if _is_supervisor(pid)), None)


def end(pids: list[int], until: Callable[[Callable[[], bool], float], bool], seconds: float) -> None:
    """End processes: what they are doing is finished first, within `seconds`."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT if b"nginx:" in _command(pid) else signal.SIGTERM)
    until(lambda: not any(map(exists, pids)), seconds)
    for pid in filter(exists, pids):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def exists(pid: int) -> bool:
    """Return True while the process runs; one that only waits to be taken note of does not."""
    state = _read(_folder(pid) / "stat").rpartition(b") ")[2][:1]
    return state not in (b"", b"Z")


def _installed() -> list[int]:
    return [pid for pid in _all() if _is_supervisor(pid) or _is_service(pid) or _is_our_nginx(pid)]


def _is_supervisor(pid: int) -> bool:
    return b"supervisor.supervisord" in _command(pid) and _config("supervisord.conf") in _command(pid)


def _is_service(pid: int) -> bool:
    """Recognise a service by the program in its command that starts it again; no service in a test has one."""
    return b"chassis.server" in _command(pid) and b"deploy.native.service" in _command(pid) and _is_at_home(pid)


def _is_our_nginx(pid: int) -> bool:
    return _is_our_nginx_worker(pid) or (b"nginx: master" in _command(pid) and _config("nginx.conf") in _command(pid))


def _is_our_nginx_worker(pid: int) -> bool:
    return _command(pid).startswith(b"nginx: worker") and _is_at_home(pid)


def _config(name: str) -> bytes:
    return str(STATE / "run" / name).encode()


def _is_at_home(pid: int) -> bool:
    try:
        return (_folder(pid) / "cwd").readlink() == ROOT
    except OSError:
        return False


def _all() -> list[int]:
    return sorted(int(folder.name) for folder in _PROC.iterdir() if folder.name.isdigit())


def _folder(pid: int | None) -> Path:
    return _PROC / str(pid)


def _command(pid: int | None) -> bytes:
    return _read(_folder(pid) / "cmdline")


def memory_bytes(pids: list[int]) -> int:
    """Return the memory of all together, with what they share counted once."""
    return sum(_proportional_bytes(pid) for pid in pids)


def _proportional_bytes(pid: int) -> int:
    for line in _read(_PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _parent(folder: Path) -> int | None:
    _, _, fields = _read(folder / "stat").rpartition(b") ")
    return int(fields.split()[1]) if fields else None


def _read(path: Path) -> bytes:
    """Return the content; empty if the process is gone or not ours."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
