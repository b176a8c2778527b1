"""Minutes of a day, and reminders: by key, over a restart, and while the place where they are noted is away."""

import asyncio
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.guard.diary import Diary
from chassis.guard.minutes import Minutes, Talked, used
from chassis.guard.options import LimitsOptions
from chassis.settings import SettingError

MORNING = datetime(2026, 11, 29, 9, 0)


def minutes(tmp_path: Path, *, minutes: str = "", reminder: str = "", store: str = "") -> Minutes:
    place = store or str(tmp_path / "new" / "limits.db")
    return Minutes(LimitsOptions(minutes=minutes, reminder_minutes=reminder), Diary(place))


async def talk(
    counted: Minutes, key: str | None, *, begin: datetime = MORNING, last: int, every: int = 1
) -> list[Talked]:
    return [await counted.note(key, begin + timedelta(minutes=at)) for at in range(0, last, every)]


@pytest.mark.parametrize(
    ("talked", "long"), [([], 0), ([5], 1), ([5, 6, 7], 3), ([5, 8], 4), ([5, 9], 2), ([5, 6, 30, 31], 4)]
)
def test_short_silences_belong_to_a_talk(talked: list[int], long: int) -> None:
    assert used(talked) == long


async def test_the_minutes_of_a_day_end_and_the_next_day_has_new_ones(tmp_path: Path) -> None:
    counted = minutes(tmp_path, minutes="10, kitchen: 20, parents: off")
    said = await talk(counted, None, last=12)
    tomorrow = await counted.note(None, MORNING + timedelta(days=1))

    assert [each.is_over for each in said] == [False] * 10 + [True] * 2
    assert not tomorrow.is_over
    assert not any(each.is_over for each in await talk(counted, "kitchen", last=20))
    assert not any(each.is_over for each in await talk(counted, "parents", last=90))


async def test_a_restart_does_not_give_a_fresh_day(tmp_path: Path) -> None:
    await talk(minutes(tmp_path, minutes="10"), "kitchen", last=11)
    again = minutes(tmp_path, minutes="10")

    assert (await again.note("kitchen", MORNING + timedelta(hours=8))).is_over
    assert not (await again.note("garden", MORNING + timedelta(hours=8))).is_over


async def test_several_processes_share_the_file(tmp_path: Path) -> None:
    one, other = (minutes(tmp_path, minutes="10") for _ in range(2))
    await asyncio.gather(
        *(each.note("kitchen", MORNING + timedelta(minutes=at)) for at in range(11) for each in (one, other))
    )

    assert (await one.note("kitchen", MORNING + timedelta(minutes=11))).is_over


async def test_the_file_is_the_owners_and_forgets_yesterday(tmp_path: Path) -> None:
    counted = minutes(tmp_path, minutes="10")
    await counted.note("kitchen", MORNING - timedelta(days=1))
    await counted.note("garden", MORNING)
    file = tmp_path / "new" / "limits.db"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"garden" in file.read_bytes()
    assert await Diary(str(file)).note("kitchen", MORNING.date(), 5) == []


@pytest.mark.parametrize("store", ["/proc/no/such/limits.db", "redis://127.0.0.1:1"])
async def test_while_the_place_is_away_the_process_counts(store: str, tmp_path: Path) -> None:
    said = await talk(minutes(tmp_path, minutes="10", store=store), None, last=12)

    assert [each.is_over for each in said] == [False] * 10 + [True] * 2


@pytest.mark.parametrize(("every", "reminders"), [(1, [30, 60]), (2, [30, 60]), (7, [35, 63])])
async def test_a_reminder_comes_each_time_that_so_long_was_talked(
    every: int, reminders: list[int], tmp_path: Path
) -> None:
    counted = minutes(tmp_path, reminder="30")
    said = [each.reminder for each in await talk(counted, None, last=70, every=every)]

    assert [each for each in said if each] == reminders


async def test_after_a_pause_the_time_begins_anew(tmp_path: Path) -> None:
    counted = minutes(tmp_path, reminder="30, parents: off")
    first = await talk(counted, None, last=25)
    second = await talk(counted, None, begin=MORNING + timedelta(minutes=40), last=25)

    assert not any(each.reminder for each in (*first, *second, *await talk(counted, "parents", last=90)))


async def test_within_a_minute_a_reminder_comes_once(tmp_path: Path) -> None:
    counted = minutes(tmp_path, reminder="5")
    await talk(counted, None, last=5)
    now = MORNING + timedelta(minutes=5)

    assert [(await counted.note(None, now)).reminder for _ in range(3)] == [5, None, None]


@pytest.mark.parametrize("text", ["0", "many", "kitchen: -3", "kitchen: 1h"])
def test_what_is_no_number_is_said_at_the_start(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="LIMITS_MINUTES"):
        minutes(tmp_path, minutes=text)


async def test_an_hour_that_comes_twice_counts_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        counted = minutes(tmp_path, minutes="20")
        begin = datetime(2026, 10, 25, 0, 50, tzinfo=UTC).timestamp()  # 2:50, ten minutes before it is 2:00 again
        said = [await counted.note(None, datetime.fromtimestamp(begin + 60 * at)) for at in range(22)]
    finally:
        monkeypatch.undo()
        time.tzset()

    assert [each.is_over for each in said] == [False] * 20 + [True] * 2
