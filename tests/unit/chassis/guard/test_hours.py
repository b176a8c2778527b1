"""Hours in which a toy talks."""

from datetime import datetime

import pytest

from chassis.guard.hours import Hours
from chassis.settings import SettingError


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 29, hour, minute)


@pytest.mark.parametrize(
    ("key", "now", "talks"),
    [
        (None, at(7), True),
        (None, at(6, 59), False),
        (None, at(20), False),
        ("kitchen", at(6, 30), True),
        ("kitchen", at(19, 30), False),
        ("parents", at(3), True),
        ("owl", at(23), True),
        ("owl", at(1, 59), True),
        ("owl", at(12), False),
    ],
)
def test_a_key_has_the_hours_that_its_name_says(key: str | None, now: datetime, talks: bool) -> None:
    hours = Hours("7-20, kitchen: 6:30-19:30, parents: off, owl: 22-2:00")

    assert hours.are_open(key, now) == talks


def test_without_hours_a_toy_always_talks() -> None:
    assert Hours("").are_open("kitchen", at(3))


@pytest.mark.parametrize("text", ["7", "7-25", "seven-eight", "7:70-8", "kitchen: 7-20-21"])
def test_hours_that_are_none_are_said_at_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="LIMITS_HOURS"):
        Hours(text)
