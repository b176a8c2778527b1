"""Fields that a server was seen to refuse, so that it is not asked in vain again."""

from collections.abc import Callable
from time import monotonic

LIFETIME_SECONDS = 6 * 3600.0
_MOST_MODELS = 64
_NONE: frozenset[str] = frozenset()


class Habits:
    """Fields that each model of one server refuses. The oldest models are forgotten first, and everything in time.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._refused: dict[str, tuple[frozenset[str], float]] = {}

    def of(self, model: str) -> frozenset[str]:
        """Return the fields to leave out for `model`."""
        fields, until = self._refused.get(model, (_NONE, 0.0))
        return fields if fields and self._clock() < until else _NONE

    def learn(self, model: str, fields: frozenset[str]) -> None:
        """Note that `model` answered when it was asked without `fields`."""
        fields |= (known := self.of(model))  # two answers at a time may have learnt different ones
        if fields == known:
            return
        self._refused.pop(model, None)
        self._refused[model] = (fields, self._clock() + LIFETIME_SECONDS)
        if len(self._refused) > _MOST_MODELS:
            self._refused.pop(next(iter(self._refused)))

    @property
    def detail(self) -> str | None:
        """Return the fields that are left out, by model, for /readyz; None where there are none."""
        shown = [
            f"{model} without {', '.join(sorted(fields))}" for model in self._refused if (fields := self.of(model))
        ]
        return "asks " + "; ".join(shown) if shown else None
