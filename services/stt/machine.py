"""Facts about the machine's memory, a container's limit included."""

import ctypes
import gc
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path


def give_memory_back() -> None:
    """Return free memory to the system; Python and the C library would keep it for later."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has none, and needs none
            ctypes.CDLL("libc.so.6").malloc_trim(0)


@cache
def memory_bytes() -> int:
    """Return how much memory this process may use."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def free_bytes() -> int:
    """Return how much memory can still be had."""
    free = memory_bytes()
    with suppress(OSError):  # other systems have no such file
        free = min(free, 1024 * _numbers("/proc/meminfo")["MemAvailable:"])
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        used = int((group / "memory.current").read_text()) - _numbers(str(group / "memory.stat"))["inactive_file"]
        free = min(free, int((group / "memory.max").read_text()) - used)
    return free


def _numbers(file: str) -> dict[str, int]:
    """Read the name and the number of each line."""
    return {line.split()[0]: int(line.split()[1]) for line in Path(file).read_text().splitlines()}
