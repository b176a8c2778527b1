"""Several keys of one provider, used in turn; one that is refused or at its limit rests alone."""

from collections.abc import Sequence
from time import monotonic

_REST_SECONDS = 10.0
"""Rest of a key whose refusal says nothing of how long."""


class KeyRing:
    """Keys that are handed out in turn, past those that rest.

    Args:
        keys: Keys of one provider; empty: requests show none, which is a way of asking, too.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = list(keys) or [""]
        self._rests: dict[str, float] = {}
        self._next = 0

    def take(self, tried: frozenset[str] = frozenset()) -> str | None:
        """Return the next key that does not rest; if all do, the one whose rest ends first; None: each was tried."""
        if len(self.keys) == 1:
            return None if tried else self.keys[0]
        turn = [self.keys[(self._next + step) % len(self.keys)] for step in range(len(self.keys))]
        left = [key for key in turn if key not in tried]
        awake = [key for key in left if not self._seconds(key)]
        if not awake and tried:
            return None
        key = awake[0] if awake else min(left, key=self._seconds)
        self._next = (self.keys.index(key) + 1) % len(self.keys)
        return key

    def rest(self, key: str, seconds: float | None) -> None:
        """Pass over a key for as long as its refusal said, or for `_REST_SECONDS` where it said nothing."""
        self._rests[key] = monotonic() + (seconds or _REST_SECONDS)

    @property
    def resting(self) -> int:
        return sum(self._seconds(key) > 0 for key in self.keys)

    @property
    def seconds(self) -> float:
        """Return the time until the first rest ends."""
        return min(map(self._seconds, self.keys))

    def _seconds(self, key: str) -> float:
        return max(0.0, self._rests.get(key, 0.0) - monotonic())
