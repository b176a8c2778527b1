import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis.patience import Patience


@asynccontextmanager
async def ours(seconds: float | None) -> AsyncIterator[None]:
    with Patience(seconds):
        yield


LIMITS = pytest.mark.parametrize("limit", [asyncio.timeout, ours], ids=["asyncio's", "ours"])
"""What holds of ours is tried on asyncio's too."""


@LIMITS
@pytest.mark.parametrize("seconds", [0.01, 0.0, -1.0])
async def test_a_wait_ends_when_its_time_is_up(limit: Any, seconds: float) -> None:
    with pytest.raises(TimeoutError) as raised:
        async with limit(seconds):
            await asyncio.Event().wait()

    assert isinstance(raised.value.__cause__, asyncio.CancelledError)


@LIMITS
@pytest.mark.parametrize("seconds", [30.0, None])
async def test_a_wait_that_ends_in_time_leaves_nothing_behind(limit: Any, seconds: float | None) -> None:
    async with limit(seconds):
        await asyncio.sleep(0)

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@LIMITS
async def test_an_error_in_time_is_that_error(limit: Any) -> None:
    with pytest.raises(ValueError, match="in time"):
        async with limit(30.0):
            raise ValueError("in time")


@LIMITS
async def test_who_is_cancelled_from_outside_is_cancelled_and_not_late(limit: Any) -> None:
    async def work() -> None:
        async with limit(30.0):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@LIMITS
async def test_who_is_cancelled_in_the_moment_that_its_time_is_up_is_cancelled(limit: Any) -> None:
    async def work() -> None:
        async with limit(0.0):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await task


@LIMITS
async def test_of_two_limits_the_outer_one_ends_both_and_only_itself_is_late(limit: Any) -> None:
    late = []
    try:
        async with limit(0.01):
            try:
                async with limit(30.0):
                    await asyncio.Event().wait()
            except TimeoutError:
                late.append("inner")
    except TimeoutError:
        late.append("outer")

    assert late == ["outer"]


async def test_it_tells_that_its_time_was_up() -> None:
    in_time, late = Patience(30.0), Patience(0.0)
    with in_time:
        pass
    with pytest.raises(TimeoutError), late:
        await asyncio.Event().wait()

    assert (in_time.is_over, late.is_over) == (False, True)
