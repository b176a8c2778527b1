"""Budgets of each key in one service: its requests, and its work in the service's own unit."""

import logging
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from chassis.errors import ApiError, TooBusy
from chassis.privacy import Storage
from chassis.settings import MEMORY, ServiceSettings, by_name

if TYPE_CHECKING:
    from chassis.budgets.counters import Rate, Spent, Store

_NOBODY = "anyone"
"""Name of the one budget where no keys are needed."""
_EVERYBODY = ""
_UNLIMITED = "off"
_DAY_SECONDS = 86_400

log = logging.getLogger("talkbox.budgets")


class Overdrawn(TooBusy):
    """A key has used up its budget.

    Args:
        lasting: The budget comes back too late for another try; OpenAI has another code for that.
    """

    def __init__(self, message: str, *, retry_after: float, lasting: bool) -> None:
        super().__init__(message, reason="budget", retry_after=retry_after)
        self.lasting = lasting
        if lasting:
            self.body |= {"type": "insufficient_quota", "code": "insufficient_quota"}

    @property
    def headers(self) -> dict[str, str]:
        told = {"retry-after": str(math.ceil(self.retry_after or 1))}
        return told | ({"x-should-retry": "false"} if self.lasting else {})


class KeyBudgets:
    """Budgets of the keys of one service.

    Args:
        unit: Unit of the service's work, as messages name it; its first word ends the variable's name
            (`seconds of sound`: `STT_KEY_SECONDS`).
        limits: Limits of that work, as `Limits` reads them.
        names: Names of the keys that may call.

    Raises:
        SettingError: A budget, or the place to count it in, cannot be used.
    """

    def __init__(self, settings: ServiceSettings, unit: str, limits: str, names: Iterable[str] = ()) -> None:
        self._unit, self._service, known = unit, settings.prefix.strip("_").lower(), frozenset(names)
        is_limited = settings.key_requests or limits
        self._store = _store(settings.budgets_url, f"{settings.prefix}BUDGETS_URL") if is_limited else None
        self._variables = [f"{settings.prefix}KEY_{word.split()[0].upper()}" for word in ("requests", unit)]
        self._requests = Limits(settings.key_requests, self._variables[0], self._store, known)
        self._work = Limits(limits, self._variables[1], self._store, known)
        self._place = settings.budgets_url

    @property
    def keeps(self) -> tuple[Storage, ...]:
        """Entries for the sheet of what is kept."""
        if self._store is None:
            return ()
        where: Literal["memory", "server"] = "memory" if self._place == MEMORY else "server"
        setting = ", ".join(self._variables)
        return (Storage("budgets by the name of a key", where, words=False, setting=setting, days=1.0),)

    async def aclose(self) -> None:
        if self._store is not None:
            await self._store.aclose()

    async def check(self, key: str | None) -> None:
        """Refuse a key that has used up its budget of work.

        Raises:
            Overdrawn: It has.
        """
        rate = self._work.of(key or _NOBODY)
        if rate is not None and (spent := await rate.left(self._account(self._unit, key))):
            raise _overdrawn(self._unit, spent)

    async def admit(self, key: str | None) -> None:
        """Take a request from the key's budget.

        Raises:
            Overdrawn: The key has used up its budget of requests or of work.
        """
        await self.check(key)
        rate = self._requests.of(key or _NOBODY)
        if rate is not None and (spent := await rate.take(self._account("requests", key))):
            raise _overdrawn("requests", spent)

    async def spend(self, key: str | None, work: int) -> None:
        """Count work that was done, even beyond the budget."""
        rate = self._work.of(key or _NOBODY)
        if rate is not None and work:
            await rate.spend(self._account(self._unit, key), work)

    @asynccontextmanager
    async def spending(self, key: str | None, work: int) -> AsyncIterator[None]:
        """Count work before it is done, so that many at once find it counted; an error inside gives it back.

        Where there was no place for it, the request that `admit` took is given back, too: asking again is no fault.

        Raises:
            Overdrawn: Nothing is left. As long as something is, all of the work may be done.
        """
        await self.check(key)
        await self.spend(key, work)
        try:
            yield
        except ApiError as exc:
            await self.spend(key, -work)
            if isinstance(exc, TooBusy) and (rate := self._requests.of(key or _NOBODY)) is not None:
                await rate.spend(self._account("requests", key), -1)
            raise

    def _account(self, unit: str, key: str | None) -> str:
        """Return the name of a count: services may share the place where they count."""
        return f"{self._service}:{unit.split()[0]}:{key or _NOBODY}"


class Limits:
    """Limits of each key, as in `20/minute; 500/day, kitchen: 100/minute, guest: off`.

    Limits without a name hold for each key that is not named.
    """

    def __init__(self, text: str, variable: str, store: "Store | None", names: frozenset[str]) -> None:
        """Read the limits.

        Raises:
            SettingError: The text cannot be understood.
        """
        limits_of = by_name(text)
        for name in limits_of:
            if name and name not in names:
                there_are = ", ".join(sorted(names)) or "none"
                log.warning(
                    "%s names %r, but no key of API_KEYS is called that; there are: %s", variable, name, there_are
                )
        self._of = {name: _rate("; ".join(limits), variable, store) for name, limits in limits_of.items()}

    def of(self, key: str) -> "Rate | None":
        return self._of[key] if key in self._of else self._of.get(_EVERYBODY)


def _store(place: str, variable: str) -> "Store":
    from chassis.budgets.counters import Store  # its library is large, and few want it

    return Store(place, variable)


def _rate(limits: str, variable: str, store: "Store | None") -> "Rate | None":
    if limits.lower() == _UNLIMITED:
        return None
    from chassis.budgets.counters import Rate

    return Rate(limits, variable, store)


def _overdrawn(unit: str, spent: "Spent") -> Overdrawn:
    message = f"This key has used up its {unit} ({spent.limit}). Try again in {_shown(spent.seconds)}."
    return Overdrawn(message, retry_after=spent.seconds, lasting=spent.window_seconds >= _DAY_SECONDS)


def _shown(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
