import asyncio
import os
import sys
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pytest

from chassis.threads import NICENESS, Stop, cores, granted_cores, pieces, set_back, workers
from stt.machine import free_bytes, memory_bytes

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, thread_name_prefix="work") as executor:
        yield executor


async def test_pieces_come_as_they_are_made(executor: ThreadPoolExecutor) -> None:
    go_on = threading.Event()

    def work(stop: Stop) -> Generator[int, None, None]:
        yield 1
        go_on.wait(10)
        yield 2

    async with aclosing(pieces(executor, work)) as made:
        assert await anext(made) == 1
        go_on.set()
        assert [piece async for piece in made] == [2]


async def test_what_the_work_raises_arrives_after_what_it_made(executor: ThreadPoolExecutor) -> None:
    def work(stop: Stop) -> Generator[int, None, None]:
        yield 1
        raise RuntimeError("broke")

    async with aclosing(pieces(executor, work)) as made:
        assert await anext(made) == 1
        with pytest.raises(RuntimeError, match="broke"):
            await anext(made)


async def test_closing_stops_the_work_and_breaks_off_its_step(executor: ThreadPoolExecutor) -> None:
    begun, broken_off, ended = threading.Event(), threading.Event(), threading.Event()

    def work(stop: Stop) -> Generator[int, None, None]:
        with stop.breaking_off(broken_off.set):
            yield 1
            begun.set()
            assert broken_off.wait(10)
            assert stop
        ended.set()
        yield 2

    async with aclosing(pieces(executor, work)) as made:
        await anext(made)
        assert await asyncio.to_thread(begun.wait, 10)

    assert await asyncio.to_thread(ended.wait, 10)


async def test_closing_between_two_steps_ends_the_work_in_its_own_thread(executor: ThreadPoolExecutor) -> None:
    ended_in: list[str] = []

    def work(stop: Stop) -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            ended_in.append(threading.current_thread().name)

    async with aclosing(pieces(executor, work)) as made:
        await anext(made)
    await asyncio.to_thread(executor.shutdown)

    assert ended_in == ["work_0"]


async def test_what_was_to_break_off_a_step_is_left_alone_after_it(executor: ThreadPoolExecutor) -> None:
    calls: list[str] = []

    def work(stop: Stop) -> Generator[int, None, None]:
        with stop.breaking_off(lambda: calls.append("broken off")):
            pass
        yield 1

    async with aclosing(pieces(executor, work)) as made:
        assert [piece async for piece in made] == [1]

    assert calls == []


async def test_work_that_was_closed_before_its_turn_is_not_begun(executor: ThreadPoolExecutor) -> None:
    door, begun = threading.Event(), threading.Event()
    executor.submit(door.wait, 10)

    def work(stop: Stop) -> Generator[int, None, None]:
        begun.set()
        yield 1

    waiting = asyncio.create_task(anext(pieces(executor, work)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    door.set()
    await asyncio.to_thread(executor.shutdown)

    assert not begun.is_set()


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@linux
def test_who_works_in_a_thread_steps_back_behind_who_answers() -> None:
    own = niceness()
    with workers(1, "work") as executor:
        assert executor.submit(niceness).result(10) == min(19, own + NICENESS)

    assert niceness() == own


@linux
def test_threads_that_are_started_set_back_stay_there_and_who_started_them_does_not() -> None:
    own, found = niceness(), list[int]()

    def start() -> threading.Thread:
        thread = threading.Thread(target=lambda: found.append(niceness()))
        thread.start()
        return thread

    set_back(start).join(10)

    assert found == [min(19, own + NICENESS)]
    assert niceness() == own


def test_what_fails_set_back_fails_for_who_asked() -> None:
    def fail() -> None:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        set_back(fail)


def test_there_is_less_memory_free_than_there_is() -> None:
    assert 0 < free_bytes() < memory_bytes()


@pytest.mark.parametrize(
    ("files", "granted"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "20000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_the_limit_of_a_container_is_read_of_both_kinds_of_kernels(
    tmp_path: Path, files: dict[str, str], granted: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert granted_cores(tmp_path) == granted
