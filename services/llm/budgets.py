"""How often, and how much, in a minute and a day: of one upstream, or of one key. Imported where a limit is set."""

from time import time

from limits import RateLimitItem, parse_many
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from chassis.settings import SettingError

MEMORY = "memory://"


class Rate:
    """Some limits, such as `20/minute; 500/day`, each for its own.

    Args:
        place: Where it is counted: `memory://`, or `redis://host:6379` for replicas that share one budget.
        variable: Whose text this is.

    Raises:
        SettingError: It cannot be understood, or counted there.
    """

    def __init__(self, text: str, variable: str, place: str = MEMORY) -> None:
        try:
            self._items: list[RateLimitItem] = parse_many(text.replace(",", ";"))
            options = {} if place == MEMORY else {"implementation": "redispy"}
            self._counts = FixedWindowRateLimiter(storage_from_string(f"async+{place}", **options))
        except (ValueError, ConfigurationError) as exc:
            raise SettingError(
                f"{variable}: cannot use {text!r} at {place}. Write it as `20/minute; 500/day`."
            ) from exc

    async def spend(self, whose: str, cost: int = 1) -> None:
        """Count it, be it more than there is: what was answered cannot be taken back."""
        for item in self._items:
            await self._counts.hit(item, whose, cost=cost)

    async def wait(self, whose: str) -> float:
        """Seconds until something is left within every limit; 0: there is."""
        waits = [0.0]
        for item in self._items:
            stats = await self._counts.get_window_stats(item, whose)
            if stats.remaining <= 0:
                waits.append(max(1.0, stats.reset_time - time()))
        return max(waits)


__all__ = ["MEMORY", "Rate", "StorageError"]
