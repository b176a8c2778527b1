from typing import Any

import pytest

from chassis.budgets.key_budgets import KeyBudgets
from chassis.errors import BadRequest, EngineFailed, TooBusy
from chassis.settings import SettingError
from unit.chassis.fakes import EchoSettings


def budgets(limits: str = "", names: tuple[str, ...] = (), **settings: Any) -> KeyBudgets:
    """Budgets of a service whose work is measured in seconds of sound."""
    return KeyBudgets(EchoSettings(**settings), "seconds of sound", limits, names)


async def test_a_key_that_has_asked_enough_waits_and_another_does_not() -> None:
    keys = budgets(key_requests="2/day; 100/day")
    await keys.admit("bear")
    await keys.admit("bear")

    with pytest.raises(TooBusy, match="requests") as caught:
        await keys.admit("bear")
    assert int(caught.value.headers["retry-after"]) >= 1
    await keys.admit("fox")


async def test_one_key_may_have_a_budget_of_its_own_or_none() -> None:
    keys = budgets(key_requests="1/day, bear: 2/day; 50/hour, fox: off", names=("bear", "fox", "key3"))

    async def served(key: str | None) -> int:
        for number in range(5):
            try:
                await keys.admit(key)
            except TooBusy:
                return number
        return 5

    assert [await served(key) for key in ("bear", "fox", "key3", None)] == [2, 5, 1, 1]


async def test_where_only_one_key_has_a_budget_the_others_have_none() -> None:
    keys = budgets("bear: 10/day", ("bear", "fox"))
    for key in ("bear", "fox"):
        await keys.spend(key, 10)

    await keys.admit("fox")
    with pytest.raises(TooBusy, match=r"seconds of sound \(10 per 1 day\)"):
        await keys.admit("bear")


async def test_work_under_way_is_counted_before_it_is_done() -> None:
    keys = budgets("10/minute")
    async with keys.spending("bear", 10):
        with pytest.raises(TooBusy):
            await keys.admit("bear")
        with pytest.raises(TooBusy):
            await keys.spending("bear", 1).__aenter__()


async def test_as_long_as_something_is_left_the_next_is_served_whole() -> None:
    keys = budgets("10/minute")
    async with keys.spending("bear", 9):
        pass
    async with keys.spending("bear", 600):
        pass

    with pytest.raises(TooBusy):
        await keys.check("bear")


@pytest.mark.parametrize("failure", [EngineFailed("it broke off"), BadRequest("no voice"), TooBusy("no place")])
async def test_what_failed_costs_nothing(failure: Exception) -> None:
    keys = budgets("10/minute")
    for _ in range(3):
        with pytest.raises(type(failure)):
            async with keys.spending("bear", 10):
                raise failure

    await keys.admit("bear")


@pytest.mark.parametrize(("failure", "served"), [(TooBusy("no place"), 5), (EngineFailed("it broke off"), 2)])
async def test_a_request_for_which_there_was_no_place_is_none(failure: Exception, served: int) -> None:
    keys = budgets("10/minute", key_requests="2/day")
    for number in range(5):
        try:
            await keys.admit("bear")
        except TooBusy:
            assert number == served
            return
        with pytest.raises(type(failure)):
            async with keys.spending("bear", 10):
                raise failure

    assert served == 5


def test_a_budget_for_a_key_that_is_none_is_told(caplog: pytest.LogCaptureFixture) -> None:
    budgets(names=("bear",), key_requests="1/day, baer: 2/day")

    assert "ECHO_KEY_REQUESTS names 'baer'" in caplog.text
    assert "bear" in caplog.text


def test_a_budget_that_cannot_be_understood_is_told_with_its_variable() -> None:
    with pytest.raises(SettingError, match="ECHO_KEY_SECONDS"):
        budgets("plenty")
