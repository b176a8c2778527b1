"""Processes of this installation, as /proc shows them: workers, memory, and those that nobody looks after."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deploy.installation import ROOT
from deploy.native.layout import RUN, socket_path

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
    """Return the processes of this installation that no command reaches: supervisor or nginx's master was killed,
    supervisor's socket was removed, or the folder was moved while they ran."""
    supervisor = _supervisor_pid()
    known = set(family(supervisor)) if supervisor else set()
    return [pid for pid in installed() if pid not in known]


def orphaned_proxies() -> list[int]:
    """Return the workers of nginx whose master is gone."""
    return [
        pid for pid in _all() if _is_our_nginx_worker(pid) and b"nginx: master" not in _command(_parent(_folder(pid)))
    ]


def _supervisor_pid() -> int | None:
    """Return the process of the supervisor that can be spoken with and reads our configuration; None: there is none."""
    config = str(RUN / "supervisord.conf").encode()
    ours = [pid for pid in _all() if _is_supervisor(pid) and config in _command(pid)]
    return max(ours, key=_begun, default=None) if _answers() else None  # the last one to begin took the socket over


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(socket_path())) == 0


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
    return _stat(_folder(pid))[:1] not in ([], [b"Z"])


def installed() -> list[int]:
    """Return all processes of this installation, but those that its services start themselves."""
    return [pid for pid in _all() if _is_supervisor(pid) or _is_service(pid) or _is_our_nginx(pid)]


def _is_supervisor(pid: int) -> bool:
    return b"supervisor.supervisord" in _command(pid) and _is_at_home(pid)


def _is_service(pid: int) -> bool:
    """Recognise a service by the program in its command that starts it again; no service in a test has one."""
    return b"chassis.server" in _command(pid) and b"deploy.native.service" in _command(pid) and _is_at_home(pid)


def _is_our_nginx(pid: int) -> bool:
    return _command(pid).startswith((b"nginx: master", b"nginx: worker")) and _is_at_home(pid)


def _is_our_nginx_worker(pid: int) -> bool:
    return _command(pid).startswith(b"nginx: worker") and _is_at_home(pid)


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
    fields = _stat(folder)
    return int(fields[1]) if fields else None


def _begun(pid: int) -> int:
    """Return when the process began, in ticks since the machine did."""
    fields = _stat(_folder(pid))
    return int(fields[19]) if fields else 0


def _stat(folder: Path) -> list[bytes]:
    """Return the fields of a process from its state on; none if it is gone."""
    return _read(folder / "stat").rpartition(b") ")[2].split()


def _read(path: Path) -> bytes:
    """Return the content; empty if the process is gone or not ours."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
