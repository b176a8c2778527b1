"""Hours of the day in which a toy talks, for each key."""

import re
from datetime import datetime, time

from chassis.settings import SettingError

_ENTRY = re.compile(r"(?:(?P<name>[^:]*[^\d\s:][^:]*):\s*)?(?:(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?|off)")
_MIDNIGHT = 24


class Hours:
    """Reads `7-20, kitchen: 6:30-19:30, parents: off`.

    Raises:
        SettingError: An entry cannot be understood.
    """

    def __init__(self, text: str) -> None:
        self._of: dict[str, tuple[time, time] | None] = {}
        for entry in filter(None, map(str.strip, text.split(","))):
            found = _ENTRY.fullmatch(entry)
            try:
                if found is None:
                    raise ValueError(entry)
                times = None if found[2] is None else (_time(found[2], found[3]), _time(found[4], found[5]))
            except ValueError as exc:
                raise SettingError(
                    f"LIMITS_HOURS: cannot use {entry!r}. Write it as `7-20, kitchen: 6:30-19:30`."
                ) from exc
            self._of[(found["name"] or "").strip()] = times

    def are_open(self, key: str | None, now: datetime | None = None) -> bool:
        """Tell whether the toy with this key talks now; hours may go past midnight."""
        times = self._of.get(key or "", self._of.get(""))
        if times is None:
            return True
        begin, end = times
        at = (now or datetime.now()).time()
        return begin <= at < end if begin < end else at >= begin or at < end


def _time(hour: str, minute: str | None) -> time:
    return time(int(hour) % _MIDNIGHT if int(hour) == _MIDNIGHT else int(hour), int(minute or 0))
