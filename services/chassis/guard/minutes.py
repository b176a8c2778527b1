"""Minutes in which a toy talks with each key: how many in a day, and for how long without a pause."""

import math
from collections.abc import Sequence
from datetime import datetime, time
from itertools import pairwise
from typing import NamedTuple

from chassis.guard.diary import Diary
from chassis.guard.options import LimitsOptions
from chassis.settings import SettingError, by_name

_GAP_MINUTES = 3
"""Longest silence that still belongs to a talk: a story is heard, or the child thinks."""
_PAUSE_MINUTES = 10
"""Silence that is a rest: the time without a pause begins anew."""
_OFF = "off"


class Talked(NamedTuple):
    """A key's minutes at one moment, and what follows from them."""

    is_over: bool
    """True where the minutes of the day are used up."""
    reminder: int | None
    """Minutes without a pause, where it is time to say so."""


class Minutes:
    """Counts the minutes of each key, and knows when they are enough.

    Raises:
        SettingError: A setting cannot be understood.
    """

    def __init__(self, options: LimitsOptions, diary: Diary) -> None:
        self._most = _of_keys(options.minutes, "LIMITS_MINUTES")
        self._reminders = _of_keys(options.reminder_minutes, "LIMITS_REMINDER_MINUTES")
        self._diary = diary

    async def note(self, key: str | None, now: datetime | None = None) -> Talked:
        """Note that the toy with this key talks now."""
        most, reminder = (_for(key, each) for each in (self._most, self._reminders))
        if most is None and reminder is None:
            return Talked(is_over=False, reminder=None)
        at = now or datetime.now()
        minute = int(at.timestamp() - datetime.combine(at.date(), time()).timestamp()) // 60
        before = await self._diary.note(key or "", at.date(), minute)
        is_over = most is not None and used(sorted({*before, minute})) > most
        return Talked(is_over, _due(before, minute, reminder) if reminder and minute not in before else None)


def used(minutes: Sequence[int]) -> int:
    """Return how long was talked in minutes of a day, in order; short silences between them belong to it."""
    gaps = (later - earlier for earlier, later in pairwise(minutes))
    return min(1, len(minutes)) + sum(gap if gap <= _GAP_MINUTES else 1 for gap in gaps)


def _due(before: Sequence[int], now: int, every: int) -> int | None:
    """Return the minutes without a pause, where they have just come to a multiple of `every`."""
    begin = now
    for minute in reversed(before):
        if begin - minute > _PAUSE_MINUTES:
            break
        begin = minute
    long, shorter = now - begin, (before[-1] if before else now) - begin
    return long if long // every > shorter // every else None


def _for(key: str | None, of_keys: dict[str, int | None]) -> int | None:
    return of_keys.get(key or "", of_keys.get(""))


def _of_keys(text: str, variable: str) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name, (*_, value) in by_name(text).items():
        try:
            number = math.inf if value == _OFF else int(value)
        except ValueError:
            number = 0
        if number < 1:
            raise SettingError(f"{variable}: cannot use {value!r}. Write it as `60, kitchen: 30, parents: off`.")
        found[name] = None if value == _OFF else int(value)
    return found
