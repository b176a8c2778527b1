"""Blocking work in threads, and its results on the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager, suppress
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

NICENESS = 5
"""Steps by which work in threads yields to the event loop, which has callers to answer: a third of its weight.
With 10, a tenth of its weight, /healthz was hardly quicker, and beside two busy programs on two cores no caller was
answered in time."""


@cache
def cores() -> int:
    """Return how many processors this process may use."""
    return min(len(os.sched_getaffinity(0)), granted_cores(Path("/sys/fs/cgroup")) or sys.maxsize)


def granted_cores(cgroup: Path) -> int | None:
    """Return how many processors' time the container is limited to, at least 1; None if it has no limit.

    Args:
        cgroup: Folder of the limits, of version 2 or 1.
    """
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with suppress(OSError, ValueError):  # version 2 says `max`
            quota, period = map(int, " ".join((cgroup / file).read_text() for file in files).split())
            return max(1, round(quota / period)) if quota > 0 else None
    return None


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """Run something that may take minutes, such as a download, in a thread that does not hold up the exit."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], value: object) -> None:
        if not result.done():
            setter(value)

    def run() -> None:
        try:
            value = function()
        except BaseException as exc:
            outcome: tuple[Callable[[Any], None], object] = (result.set_exception, exc)
        else:
            outcome = (result.set_result, value)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await result


def step_back() -> None:
    """Lower the priority of this thread and of those it starts; Linux counts priority by thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # it may have been forbidden
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def workers(count: int, name: str) -> ThreadPoolExecutor:
    """Return an executor for long work, whose threads have stepped back."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=step_back)


def set_back(function: Callable[[], T]) -> T:
    """Call `function` so that the threads it starts have stepped back, and return its result."""
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


class Stop:
    """A request to the work in a thread to end.

    The thread looks at it between two steps, or says how to break a step off.
    """

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
        """Let `set` call `how` too, as long as the block runs."""
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
    """Yield what `work` yields in one of the executor's threads; closing the iterator stops it."""

    def step_through(put: Callable[[T], None], stop: Stop) -> None:
        with closing(work(stop)) as steps:
            for piece in steps:
                put(piece)
                if stop:
                    break

    async with aclosing(handed_over(executor, step_through)) as made:
        async for piece in made:
            yield piece


async def handed_over(executor: Executor, work: Callable[[Callable[[T], None], Stop], None]) -> AsyncGenerator[T, None]:
    """Yield what `work` hands over from one of the executor's threads; closing the iterator asks it to stop.

    Args:
        work: Called with a function that takes each piece, and a `Stop` to look at between two of them.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()
    stop = Stop()

    def put(item: tuple[T] | BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def run() -> None:
        try:
            if not stop:
                work(lambda piece: put((piece,)), stop)
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
