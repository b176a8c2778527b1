"""Blocking work in threads, and its results on the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")

NICENESS = 5
"""How far the work in threads steps back behind the event loop, which has callers to answer: a third of its weight.
With 10, a tenth, /healthz was hardly quicker; but beside two busy programs on two cores nobody was heard in time."""


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
