import asyncio

import pytest

from chassis.errors import TooBusy
from llm.engines.gguf.shared_context import SharedContext


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_fits_beside_the_others_is_let_in_at_once() -> None:
    context = SharedContext(100, 10)

    assert [await context.take(40), await context.take(60)] == [40, 60]
    assert context.free == 0


async def test_nobody_takes_more_than_there_is() -> None:
    assert await SharedContext(100, 10).take(4000) == 100


async def test_who_does_not_fit_waits_and_is_not_overtaken() -> None:
    context = SharedContext(100, 10)
    first = await context.take(80)
    large, small = asyncio.create_task(context.take(50)), asyncio.create_task(context.take(10))
    await settled()
    assert not large.done()
    assert not small.done()

    context.give_back(first)

    assert [await large, await small] == [50, 10]


async def test_who_waits_too_long_is_refused_and_takes_nothing() -> None:
    context = SharedContext(100, 0.01)
    first = await context.take(80)
    with pytest.raises(TooBusy) as caught:
        await context.take(50)
    context.give_back(first)

    assert context.free == 100
    assert caught.value.retry_after
    assert await context.take(100) == 100


async def test_who_leaves_the_queue_lets_those_behind_move_up() -> None:
    context = SharedContext(100, 10)
    await context.take(80)
    large, small = asyncio.create_task(context.take(50)), asyncio.create_task(context.take(10))
    await settled()

    large.cancel()

    assert await small == 10
    assert context.free == 10


async def test_who_leaves_as_the_tokens_come_gives_them_back() -> None:
    context = SharedContext(100, 10)
    first = await context.take(80)
    waiting = asyncio.create_task(context.take(50))
    await settled()
    context.give_back(first)
    waiting.cancel()
    await asyncio.wait({waiting})

    assert waiting.cancelled()
    assert context.free == 100
