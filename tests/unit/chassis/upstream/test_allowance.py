import asyncio

import pytest

from chassis.errors import TooBusy
from chassis.settings import SettingError
from chassis.upstream.allowance import Allowance, LimitOptions


def allowed(**limits: object) -> Allowance:
    return Allowance(LimitOptions(**limits), "up", "TTS_UP_")  # type: ignore[arg-type]


async def test_without_limits_there_is_always_a_place() -> None:
    async with allowed().place(), allowed().place():
        pass


async def test_a_place_is_waited_for_until_an_answer_ends() -> None:
    allowance = allowed(concurrent=1)
    async with allowance.place():
        waiting = asyncio.create_task(allowance.place().__aenter__())
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 30)


async def test_who_waits_too_long_is_the_next_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.upstream.allowance._PATIENCE_SECONDS", 0.01)
    allowance = allowed(concurrent=1)
    async with allowance.place():
        with pytest.raises(TooBusy, match="All places at up"):
            await allowance.place().__aenter__()
    async with allowance.place():
        pass


async def test_a_rate_is_kept_to_before_the_provider_has_to_refuse() -> None:
    allowance = allowed(requests="2/day")
    for _ in range(2):
        async with allowance.place():
            pass
    with pytest.raises(TooBusy) as caught:
        await allowance.place().__aenter__()
    assert caught.value.retry_after


def test_a_rate_that_cannot_be_read_is_named() -> None:
    with pytest.raises(SettingError, match="TTS_UP_REQUESTS"):
        allowed(requests="often")


@pytest.mark.parametrize(("concurrent", "spare"), [(None, 2), (1, 0), (2, 1), (9, 2)])
def test_no_caller_takes_the_places_that_it_needs_itself(concurrent: int | None, spare: int) -> None:
    assert LimitOptions(concurrent=concurrent).spare(2) == spare
