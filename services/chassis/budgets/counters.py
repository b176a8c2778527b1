"""Limit what an upstream or a key may have in a minute or a day. Imported only where a limit is set."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic, time
from typing import TypeVar

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from msgspec import Struct
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chassis.settings import MEMORY, SettingError

_PLACES = ("redis://", "rediss://", "valkey://", "valkeys://")
PATIENCE_SECONDS = 0.25
"""Longest wait of a caller for a server that counts."""
_AWAY_SECONDS = 5.0
_DAY_SECONDS = 86_400
_CONNECTIONS = 32

away = Counter("talkbox_budgets_away_total", "Times the server that counts budgets failed")
log = logging.getLogger("talkbox.budgets")
T = TypeVar("T")


class Store:
    """Keeps counts in this process, or at a server that several processes share.

    While that server is away or too slow, each process counts for itself, from nothing: better a toy that is answered
    too often for some minutes than one that is mute.

    Args:
        place: `memory://`, or `redis://host:6379` (Valkey's the same).
        variable: Variable that holds the place, for messages.
        away_seconds: Time for which a server that failed is left alone.

    Raises:
        SettingError: The place is neither.
    """

    def __init__(
        self, place: str = MEMORY, variable: str = "BUDGETS_URL", *, away_seconds: float = _AWAY_SECONDS
    ) -> None:
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None
        self._away_seconds, self._away, self._until = away_seconds, False, 0.0
        if place == MEMORY:
            return
        if not place.startswith(_PLACES):
            raise SettingError(f"{variable}: cannot use {place!r}. It is {MEMORY} or redis://HOST:6379.")
        url = "redis" + place.removeprefix("valkey") if place.startswith("valkey") else place
        try:
            self._pool = BlockingConnectionPool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=PATIENCE_SECONDS,
                socket_timeout=PATIENCE_SECONDS,  # Python 3.11 may lose the end of patience while something is sent
                socket_connect_timeout=PATIENCE_SECONDS,
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError as exc:
            raise SettingError(f"{variable}: {exc}.") from exc
        storage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="talkbox",
            connection_pool=self._pool,  # type: ignore[arg-type]  # as its documentation says
        )
        self._shared = FixedWindowRateLimiter(storage)

    async def ask(self, work: Callable[[FixedWindowRateLimiter], Awaitable[T]]) -> T:
        """Return what `work` finds in the store that counts now."""
        if self._shared is None or monotonic() < self._until:
            return await work(self._own)
        if self._away:
            self._until = monotonic() + self._away_seconds  # one tries, the others need not wait for how it goes
        patience = asyncio.timeout(PATIENCE_SECONDS)
        try:
            async with patience:
                found = await work(self._shared)
        except (StorageError, RedisError, OSError, TimeoutError) as exc:
            away.inc()
            if not self._away:
                reason = "too slow" if patience.expired() else type(exc.__cause__ or exc).__name__
                log.warning("budgets: the server that counts them is away (%s); each process counts for itself", reason)
            self._away, self._until = True, monotonic() + self._away_seconds
            return await work(self._own)
        if self._away:
            log.warning("budgets: the server that counts them is back")
        self._away, self._until = False, 0.0
        return found

    async def aclose(self) -> None:
        if self._shared is not None:
            await self._pool.disconnect()


class Spent(Struct, frozen=True):
    """A limit that has been reached."""

    limit: str
    """Description of the limit: `20 per 1 minute`."""
    window_seconds: int
    seconds: float
    """Time until the limit lets something through again."""


class Rate:
    """A set of limits, such as `20/minute; 500/day`, each counted for itself.

    A minute or an hour begins with the first that is taken in it; a day is the calendar's, from midnight to midnight.

    Args:
        variable: Variable that holds the text, for messages.
        now: Local time, whose date begins a new day.

    Raises:
        SettingError: The text cannot be understood.
    """

    def __init__(
        self, text: str, variable: str, store: Store | None = None, now: Callable[[], datetime] = datetime.now
    ) -> None:
        try:
            items = parse_many(text.replace(",", ";"))
        except ValueError as exc:
            raise SettingError(f"{variable}: cannot use {text!r}. Write it as `20/minute; 500/day`.") from exc
        self._items: list[RateLimitItem] = sorted(items, key=lambda item: item.get_expiry())
        self._store, self._now = store or Store(), now

    async def take(self, whose: str) -> Spent | None:
        """Take one if every limit has one left; else take none, and return the limit to wait for.

        The shortest limit is asked first, so that a request refused for a minute costs nothing of the day.
        """

        async def taken(limiter: FixedWindowRateLimiter) -> Spent | None:
            for item in self._items:
                if not await limiter.hit(item, *self._account(item, whose)):
                    return await self._longest(limiter, whose) or _spent(item, 1.0)
            return None

        return await self._store.ask(taken)

    async def spend(self, whose: str, cost: int) -> None:
        """Count a cost, even beyond the limit: an answer cannot be taken back. A negative cost is given back."""

        async def spent(limiter: FixedWindowRateLimiter) -> None:
            for item in self._items:
                await limiter.hit(item, *self._account(item, whose), cost=cost)

        await self._store.ask(spent)

    async def left(self, whose: str) -> Spent | None:
        """Return the limit to wait for; None if something is left within every limit."""
        return await self._store.ask(lambda limiter: self._longest(limiter, whose))

    async def _longest(self, limiter: FixedWindowRateLimiter, whose: str) -> Spent | None:
        spent = []
        for item in self._items:
            account = self._account(item, whose)
            if not await limiter.test(item, *account):
                seconds = (await limiter.get_window_stats(item, *account)).reset_time - time()
                if seconds > item.get_expiry() + 1:  # the clock was set back: this window would last as long as that
                    await limiter.clear(item, *account)
                else:
                    left = seconds if len(account) == 1 else _seconds_until_midnight(self._now())
                    spent.append(_spent(item, max(1.0, left)))
        return max(spent, key=lambda each: each.seconds, default=None)

    def _account(self, item: RateLimitItem, whose: str) -> tuple[str, ...]:
        """Return the names of a count; that of a day has its date, so that the next one begins at midnight."""
        return (whose, self._now().date().isoformat()) if item.get_expiry() == _DAY_SECONDS else (whose,)


def _seconds_until_midnight(now: datetime) -> float:
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
    return midnight.timestamp() - now.timestamp()


def _spent(item: RateLimitItem, seconds: float) -> Spent:
    return Spent(str(item), item.get_expiry(), seconds)
