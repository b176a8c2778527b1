"""Check the time zone by which hours and days are counted: the C library takes a name it does not know for UTC."""

import re
from pathlib import Path
from zoneinfo import TZPATH

from chassis.settings import SettingError

_RULE = re.compile(r"(?:[A-Za-z]{3,}|<[\w+-]+>)[+-]?\d")
"""Beginning of a zone that is written out, such as `CST-8`."""
_ALWAYS_KNOWN = ("", "UTC", "GMT")


def check_zone(zone: str) -> None:
    """Refuse a zone of `TZ` that this machine does not know; bedtime would be wrong by hours.

    Raises:
        SettingError: There is no such zone.
    """
    name = zone.removeprefix(":")
    if name in _ALWAYS_KNOWN or _RULE.match(name) or any(Path(folder, name).is_file() for folder in TZPATH):
        return
    raise SettingError(f"TZ: there is no time zone {name!r} here. Write it as Asia/Shanghai or Europe/Berlin.")
