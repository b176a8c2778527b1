"""Bedtime is by a clock that is there."""

import os
import subprocess
import sys

import pytest

from chassis.guard.loading import guard_of_environment
from chassis.guard.zone import check_zone
from chassis.settings import SettingError


@pytest.mark.parametrize(
    "zone", ["", "UTC", "Asia/Shanghai", ":Europe/Berlin", "CST-8", "<+08>-8", "EST5EDT,M3.2.0,M11.1.0"]
)
def test_a_zone_that_the_machine_knows_is_taken(zone: str) -> None:
    check_zone(zone)


@pytest.mark.parametrize("zone", ["Asia/Beijing", "China", "Shanghai", "+8", "GMT+8h/x", "asia/shanghai", "../etc"])
def test_a_zone_that_would_quietly_be_utc_is_refused(zone: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import time; print(time.timezone)"], env={**os.environ, "TZ": zone}, capture_output=True
    )
    if told.stdout.strip() != b"0":
        pytest.skip("this C library knows it")

    with pytest.raises(SettingError, match="TZ: there is no time zone"):
        check_zone(zone)


def test_with_limits_a_wrong_zone_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")
    monkeypatch.setenv("TZ", "Asia/Beijing")
    guard_of_environment()  # nothing is by the clock

    monkeypatch.setenv("LIMITS_HOURS", "7-20")
    with pytest.raises(SettingError, match="Asia/Beijing"):
        guard_of_environment()
