import time
from datetime import datetime

import pytest

from chassis.budgets.counters import Rate
from chassis.settings import SettingError


async def test_what_one_has_spent_is_not_missing_to_another() -> None:
    rate = Rate("2/hour", "LLM_KEY_REQUESTS")
    assert [await rate.take("bear") for _ in range(2)] == [None, None]

    assert (spent := await rate.take("bear")) is not None
    assert 1 <= spent.seconds <= 3600
    assert await rate.take("fox") is None


async def test_a_day_ends_at_midnight_though_it_began_in_the_evening() -> None:
    now = datetime(2026, 11, 30, 19, 30)
    rate = Rate("1/minute; 2/day", "LLM_KEY_REQUESTS", now=lambda: now)
    await rate.spend("bear", 2)

    assert (spent := await rate.left("bear")) is not None
    assert spent.seconds == 4.5 * 3600

    now = datetime(2026, 12, 1, 0, 0, 1)
    assert (spent := await rate.left("bear")) is not None
    assert spent.limit == "1 per 1 minute"  # a minute has nothing to do with midnight


async def test_looking_costs_nothing() -> None:
    rate = Rate("1/hour", "LLM_KEY_REQUESTS")

    assert [await rate.left("bear") for _ in range(3)] == [None] * 3


@pytest.mark.parametrize("text", ["1/minute; 1/day", "1/day, 1/minute", "1 per minute; 1 per day"])
async def test_of_several_limits_the_one_that_lasts_longest_is_waited_for(text: str) -> None:
    rate = Rate(text, "LLM_KEY_REQUESTS")
    await rate.take("bear")

    assert (spent := await rate.take("bear")) is not None
    assert 60 < spent.seconds <= 86_400


async def test_a_wide_limit_that_is_not_reached_does_not_lengthen_the_wait() -> None:
    rate = Rate("1/minute; 500/day", "LLM_KEY_REQUESTS")
    await rate.take("bear")

    assert (spent := await rate.take("bear")) is not None
    assert 1 <= spent.seconds <= 60


async def test_an_answer_that_cost_more_than_was_left_is_counted_whole() -> None:
    rate = Rate("10/minute; 1000/day", "LLM_KEY_TOKENS")
    await rate.spend("bear", 9)
    assert await rate.left("bear") is None

    await rate.spend("bear", 990)
    assert (spent := await rate.left("bear")) is not None
    assert 1 <= spent.seconds <= 60
    await rate.spend("bear", 1)
    assert (spent := await rate.left("bear")) is not None
    assert spent.seconds > 60


async def test_two_rates_in_memory_do_not_share_their_counts() -> None:
    spent, fresh = Rate("1/day", "LLM_UP_RATE"), Rate("1/day", "LLM_OTHER_RATE")
    await spent.take("bear")

    assert await spent.left("bear") is not None
    assert await fresh.left("bear") is None


@pytest.mark.parametrize("text", ["plenty", "20/fortnight", "20/minute; lots"])
def test_what_cannot_be_counted_is_refused_with_its_name_and_how_to_write_it(text: str) -> None:
    with pytest.raises(SettingError, match=r"LLM_UP_RATE: .*20/minute; 500/day") as caught:
        Rate(text, "LLM_UP_RATE")
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("years", [-50, 50])
async def test_a_clock_that_jumps_takes_nobodys_budget_for_longer_than_its_window(
    years: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate, now = Rate("1/day", "LLM_KEY_REQUESTS"), time.time()
    assert await rate.take("bear") is None
    assert await rate.left("bear") is not None

    monkeypatch.setattr(time, "time", lambda: now + years * 365 * 86_400)
    monkeypatch.setattr("chassis.budgets.counters.time", time.time)
    assert await rate.left("bear") is None
    assert await rate.take("bear") is None
