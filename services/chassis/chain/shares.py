"""How long each engine of a chain may take over one request."""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any, Literal, NamedTuple

from chassis.chain.seat import Seat
from chassis.errors import TooBusy

_LEAST_SHARE = 0.25
"""Share of the first-byte budget that an engine gets even at the cost of those behind it. It shrinks to half of what is
left, so that of many engines that hang the last one keeps its time."""
LEAST_SECONDS = 0.2
"""Shortest time in which any engine could answer."""

_MOST_KEPT = 0.5
"""Largest share of the budget that is kept for an engine that stands in. One that needs more is no reason to cut a
better engine short: it is asked only where that one fails early."""

_MARGIN = 1.25
"""Time kept for an engine that stands in, in units of what it usually needs."""

_OVERTIME_SECONDS = 0.8
"""Time by which an engine that stands in may exceed the budget: a toy waits for five seconds, the budget is four."""


class Budget(NamedTuple):
    """Seconds that a request may take to its first piece, by who is asked."""

    first_byte_seconds: float
    """Time that all engines which are asked share."""
    last_engine_seconds: float
    """Limit for the last engine that could answer, instead."""
    hedge_seconds: float | Literal["auto"]
    """Silence after which the next engine is asked too; `auto`: as long as the engine usually takes; 0: never."""


class Shares:
    """The seconds that each engine may take over one request.

    Args:
        seats: The engines that the request's model names.
        began: When the request came, by `monotonic`.
        extra_seconds: Added to the budget.
        needs: Seconds that an engine usually needs for this request; None for one that would decline.
    """

    def __init__(
        self,
        budget: Budget,
        seats: Sequence[Seat[Any]],
        began: float,
        extra_seconds: float,
        needs: Callable[[Any], float | None],
    ) -> None:
        self.seats, self._needs = seats, needs
        self._seconds = budget.first_byte_seconds + extra_seconds
        self._deadline = began + self._seconds
        self._last_deadline = max(self._deadline, began + budget.last_engine_seconds + extra_seconds)
        self._least_seconds = _LEAST_SHARE * budget.first_byte_seconds

    @property
    def seconds_left(self) -> float:
        """The rest of the budget."""
        return max(0.0, self._deadline - monotonic())

    def of(self, seat: Seat[Any], left: Iterable[Seat[Any]]) -> float:
        """Return the seconds that the engine now asked may take.

        Args:
            left: Those that may be asked after it.
        """
        kept = [seconds for each in left if (seconds := self._kept_for(each)) is not None]
        if self._replaces(seat):
            return max(self.seconds_left + _OVERTIME_SECONDS - sum(kept), LEAST_SECONDS)
        if not kept:
            return max(self._last_deadline - monotonic(), self._least_seconds)
        seconds_left = self.seconds_left
        half = (seconds_left - kept[-1]) / 2
        return max(seconds_left - sum(kept), min(self._least_seconds, half), LEAST_SECONDS)

    def check(self, seat: Seat[Any], seconds: float) -> None:
        """Raise for an engine that replaces a better one, and would not be done in `seconds`.

        Raises:
            TooBusy: Its work would be for a caller who has left.
        """
        needed = self._needs(seat.engine) if self._replaces(seat) else None
        if needed is not None and needed > seconds:
            message = f"{seat.name} needs {needed:.1f} s for this, and {seconds:.1f} s are left. Try again in a moment."
            raise TooBusy(message, retry_after=needed)

    def _kept_for(self, seat: Seat[Any]) -> float | None:
        """Return the seconds that engines ahead leave for this one; None: it could not answer."""
        if seat.engine is None or (needed := self._needs(seat.engine)) is None:
            return None
        if not stands_in(seat):
            return needed
        return _MARGIN * needed if _MARGIN * needed <= _MOST_KEPT * self._seconds else 0.0

    def _replaces(self, seat: Seat[Any]) -> bool:
        """Return whether an engine stands in for a better one, which the caller may soon ask again."""
        return stands_in(seat) and any(map(self._is_better, self.seats))

    def _is_better(self, seat: Seat[Any]) -> bool:
        """Return whether an engine does not only stand in, and is there or will soon be."""
        if stands_in(seat) or seat.standing == "unavailable":
            return False
        return seat.engine is None or self._needs(seat.engine) is not None


def stands_in(seat: Seat[Any]) -> bool:
    """Return whether the engine only replaces better ones."""
    return bool(getattr(seat.engine, "stands_in", False))
