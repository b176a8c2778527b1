"""Which name a row asks for: a name that its vendor has ended gives way to its successor, before or after a refusal.

The dates are those of `successors`, and of the vendor's own `/v1/models` where that gives a `shutdown_date`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import httpx
import msgspec

from chassis import metrics
from chassis.upstream.successors import ENDINGS, HOSTS, Ending

SOON = timedelta(days=60)
_MOST_NAMES = 200
"""Most names that one row keeps in mind; callers may send any."""
_MOST_STEPS = 8
"""The longest line of successors."""
MOST_LISTED = 500
_LONGEST_NAME = 200


class _Model(msgspec.Struct):
    id: str
    shutdown_date: str | None = None


class _List(msgspec.Struct):
    data: list[_Model]


class ModelNames:
    """The names one row has asked for, and what became of them.

    Args:
        engine: Name of the row, for the metric.
        base_url: Address of the row: a date is believed only where the vendor itself answers.
        preferred: Models to ask for, the best first, where the default of the table is unknown to a key.
        today: Clock, for tests.
    """

    def __init__(
        self,
        engine: str,
        base_url: str,
        preferred: Sequence[str] = (),
        today: Callable[[], date] = date.today,
    ) -> None:
        self._engine, self._today, self._preferred = engine, today, tuple(preferred)
        self._vendor = _vendor_at(base_url)
        self._moved: dict[str, str] = {}
        self._shutdowns: dict[str, date] = {}
        self._listed: frozenset[str] = frozenset()
        self._in_use: dict[str, date] = {}

    def current(self, model: str) -> str:
        """Return the name to ask for: `model`, or what has taken its place."""
        for _ in range(_MOST_STEPS):
            following = self._moved.get(model) or self._following(model)
            if following is None:
                break
            model = following
        return model

    def note(self, *models: str | None) -> None:
        """Take these for models that are in use, although nobody has asked for them yet."""
        for model in filter(None, models):
            self.current(model)

    def alternatives(self, model: str) -> list[str]:
        """Return what to ask for after `model` was refused as unknown or retired, the best first; may be empty.

        Where the list of models of this key is known, only what stands on it is worth a try.
        """
        ending = ENDINGS.get(_bare(model))
        names = [ending.successor] if ending is not None and ending.successor else []
        if ending is not None or model in self._preferred:
            names += self._preferred
        names = [name for name in dict.fromkeys(names) if name != model]
        return [name for name in names if _bare(name) in self._listed] or names

    def move(self, model: str, other: str) -> None:
        """Ask for `other` from now on, whenever `model` is meant."""
        if len(self._moved) < _MOST_NAMES:
            self._moved[model] = other

    def learn(self, listed: Mapping[str, date | None]) -> None:
        """Take over what the list of models of this key says."""
        self._listed = frozenset(map(_bare, listed))
        self._shutdowns = {_bare(name): day for name, day in listed.items() if day is not None}

    @property
    def notice(self) -> str | None:
        """Return what to say of names that have moved, or that end soon; None: nothing."""
        lines = [f"{old} is gone and {new} is asked instead" for old, new in self._moved.items()]
        lines += [self._farewell(name, day) for name, day in self._in_use.items() if day <= self._today() + SOON]
        return "; ".join(lines) or None

    def _following(self, model: str) -> str | None:
        """Return the successor of a name that has ended; None where it lives, or has none."""
        day = self._day(model)
        if day is None:
            return None
        self._note(model, day)
        ending = self._ending(model)
        return ending.successor if ending is not None and day <= self._today() else None

    def _farewell(self, name: str, day: date) -> str:
        ending = ENDINGS.get(_bare(name))
        after = "without a successor" if ending is None or not ending.successor else f"and {ending.successor} follows"
        verb = "ended" if day <= self._today() else "ends"
        return f"{name} {verb} on {day.isoformat()} {after}"

    def _day(self, model: str) -> date | None:
        """Return the day on which `model` ends at this row's vendor; None: unknown."""
        if (day := self._shutdowns.get(_bare(model))) is not None:
            return day
        ending = self._ending(model)
        return None if ending is None else ending.day

    def _ending(self, model: str) -> Ending | None:
        ending = ENDINGS.get(_bare(model))
        return ending if ending is not None and ending.vendor == self._vendor else None

    def _note(self, model: str, day: date) -> None:
        if model not in self._in_use and len(self._in_use) < _MOST_NAMES:
            self._in_use[model] = day
            if day <= self._today() + SOON:
                moment = day.toordinal() - date(1970, 1, 1).toordinal()
                metrics.model_end.labels(self._engine, model).set(moment * 86400.0)


def listed_in(body: bytes) -> dict[str, date | None]:
    """Return the models of an answer to GET /v1/models, each with the day it ends, where that is given.

    Raises:
        ValueError: The body is no list of models.
    """
    listed = msgspec.json.decode(body, type=_List)
    usable = (model for model in listed.data if 0 < len(model.id) <= _LONGEST_NAME and model.id.isprintable())
    found: dict[str, date | None] = {}
    for model in usable:
        if len(found) == MOST_LISTED:
            break
        found.setdefault(model.id, _day_in(model.shutdown_date))
    return found


def _day_in(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


def _vendor_at(base_url: str) -> str | None:
    try:
        host = httpx.URL(base_url).host
    except httpx.InvalidURL:
        return None
    return next((vendor for vendor, hosts in HOSTS.items() if host in hosts), None)


def _bare(model: str) -> str:
    """Google lists its models as `models/NAME`, and takes either form."""
    return model.removeprefix("models/")
