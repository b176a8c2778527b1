import pytest

from chassis.settings import SettingError
from llm.budgets import Rate


async def test_what_one_has_spent_is_not_missing_to_another() -> None:
    rate = Rate("2/hour", "LLM_KEY_REQUESTS")
    await rate.spend("bear")
    assert await rate.wait("bear") == 0

    await rate.spend("bear")
    assert 1 <= await rate.wait("bear") <= 3600
    assert await rate.wait("fox") == 0


async def test_looking_costs_nothing() -> None:
    rate = Rate("1/hour", "LLM_KEY_REQUESTS")

    assert [await rate.wait("bear") for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("text", ["1/minute; 1/day", "1/day, 1/minute", "1 per minute; 1 per day"])
async def test_of_several_limits_the_one_that_lasts_longest_is_waited_for(text: str) -> None:
    rate = Rate(text, "LLM_KEY_REQUESTS")
    await rate.spend("bear")

    assert 60 < await rate.wait("bear") <= 86_400


async def test_a_wide_limit_that_is_not_reached_does_not_lengthen_the_wait() -> None:
    rate = Rate("1/minute; 500/day", "LLM_KEY_REQUESTS")
    await rate.spend("bear")

    assert 1 <= await rate.wait("bear") <= 60


async def test_an_answer_that_cost_more_than_was_left_is_counted_whole() -> None:
    rate = Rate("10/minute; 1000/day", "LLM_KEY_TOKENS")
    await rate.spend("bear", 9)
    assert await rate.wait("bear") == 0

    await rate.spend("bear", 990)
    assert 1 <= await rate.wait("bear") <= 60
    await rate.spend("bear")
    assert await rate.wait("bear") > 60


async def test_two_rates_in_memory_do_not_share_their_counts() -> None:
    spent, fresh = Rate("1/day", "LLM_UP_RATE"), Rate("1/day", "LLM_OTHER_RATE")
    await spent.spend("bear")

    assert await spent.wait("bear") >= 1
    assert await fresh.wait("bear") == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [("plenty", "memory://"), ("20/fortnight", "memory://"), ("20/minute; lots", "memory://"), ("1/day", "nowhere://")],
)
def test_what_cannot_be_counted_is_refused_with_its_name_and_how_to_write_it(text: str, place: str) -> None:
    with pytest.raises(SettingError, match=r"LLM_UP_RATE: .*20/minute; 500/day") as caught:
        Rate(text, "LLM_UP_RATE", place)
    assert repr(text) in str(caught.value)
    assert place in str(caught.value)
