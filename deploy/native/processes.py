"""What /proc tells of a service: its workers and its memory."""

from pathlib import Path

PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """Direct ones, oldest first."""
    folders = (folder for folder in PROC.iterdir() if folder.name.isdigit())
    return sorted(int(folder.name) for folder in folders if _parent(folder) == pid)


def workers(parent: int) -> list[int]:
    """The processes behind a service's socket (its parent has a helper of multiprocessing beside them)."""
    return [pid for pid in children(parent) if b"spawn_main" in _read(PROC / str(pid) / "cmdline")]


def family(pid: int) -> list[int]:
    """The process and all that came from it."""
    return [pid, *(member for child in children(pid) for member in family(child))]


def memory_bytes(pids: list[int]) -> int:
    """Together, what they share counted once."""
    return sum(_proportional_bytes(pid) for pid in pids)


def _proportional_bytes(pid: int) -> int:
    for line in _read(PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _parent(folder: Path) -> int | None:
    _, _, fields = _read(folder / "stat").rpartition(b") ")
    return int(fields.split()[1]) if fields else None


def _read(path: Path) -> bytes:
    """Nothing, if the process is gone or not ours."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
