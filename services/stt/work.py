"""Work that would block the event loop, done in threads piece by piece."""

import asyncio
import ctypes
import gc
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

NICENESS = 5
"""How far the work in threads steps back behind the event loop, which has callers to answer: a third of its weight.
With 10, a tenth, /healthz was hardly quicker; but beside two busy programs on two cores nobody was heard in time."""


@cache
def cores() -> int:
    """How many processors this process may use, a container's limit included."""
    allowed = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        allowed = min(allowed, max(1, round(int(quota) / int(period))))
    return allowed


def step_back() -> None:
    """Let others go first, from now on and in this thread and those it starts; Linux counts that by thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # it may have been forbidden
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def workers(count: int, name: str) -> ThreadPoolExecutor:
    """Threads for work that takes long."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=step_back)


def set_back(function: Callable[[], T]) -> T:
    """What `function` returns; the threads which it starts have stepped back."""
    result: Future[T] = Future()

    def run() -> None:
        step_back()
        try:
            result.set_result(function())
        except BaseException as exc:
            result.set_exception(exc)

    thread = threading.Thread(target=run, name="start", daemon=True)
    thread.start()
    thread.join()
    return result.result()


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


class Stop:
    """Asks the work in a thread to end. The thread looks between two steps, or says how to break one off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._break_off: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        return self._set

    def set(self) -> None:
        with self._lock:
            self._set = True
            if self._break_off is not None:
                self._break_off()

    @contextmanager
    def breaking_off(self, how: Callable[[], None]) -> Iterator[None]:
        """During the block, `set` does `how` too; after it, no more."""
        with self._lock:
            self._break_off = how
            if self._set:
                how()
        try:
            yield
        finally:
            with self._lock:
                self._break_off = None


async def pieces(executor: Executor, work: Callable[[Stop], Generator[T, None, None]]) -> AsyncGenerator[T, None]:
    """What `work` yields in one of the executor's threads; closing the iterator stops it."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()
    stop = Stop()

    def put(item: tuple[T] | BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def run() -> None:
        try:
            if not stop:
                with closing(work(stop)) as steps:
                    for piece in steps:
                        put((piece,))
                        if stop:
                            break
        except BaseException as exc:
            put(exc)
        else:
            put(None)

    future = executor.submit(copy_context().run, run)
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        stop.set()
        future.cancel()
