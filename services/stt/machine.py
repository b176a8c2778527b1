"""Work that would block the event loop, done in threads piece by piece."""

import ctypes
import gc
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def cores() -> int:
    """How many processors this process may use, a container's limit included."""
    allowed = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        allowed = min(allowed, max(1, round(int(quota) / int(period))))
    return allowed


def give_memory_back() -> None:
    """To the system: Python and the C library would keep what is free for later."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has none, and needs none
            ctypes.CDLL("libc.so.6").malloc_trim(0)


@cache
def memory_bytes() -> int:
    """How much memory this process may use, a container's limit included."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def free_bytes() -> int:
    """How much memory can still be had, a container's limit included."""
    free = memory_bytes()
    with suppress(OSError):  # only Linux tells
        free = min(free, 1024 * _numbers("/proc/meminfo")["MemAvailable:"])
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        used = int((group / "memory.current").read_text()) - _numbers(str(group / "memory.stat"))["inactive_file"]
        free = min(free, int((group / "memory.max").read_text()) - used)
    return free


def _numbers(file: str) -> dict[str, int]:
    """Name and number of each line."""
    return {line.split()[0]: int(line.split()[1]) for line in Path(file).read_text().splitlines()}
