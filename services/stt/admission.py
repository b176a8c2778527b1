"""Admits as many callers as can be heard in time, and refuses the rest at once."""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

PATIENCE_SECONDS = 4.0
"""A toy hangs up after five, and the way to it takes time too."""
_HALF_LIFE_SECONDS = 1.5
"""After so long without anything learned, half of it is forgotten: the next callers are let in, and show what is so."""
_LEARNED = 0.2
"""Weight of the latest answer in the estimate."""


class Full(Exception):
    """As many are in hand as may be, or so many that another would not be heard in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next would be heard in {seconds:.1f} s")
        self.seconds = seconds


@dataclass(eq=False)
class Place:
    """One caller in hand, and the amount of work."""

    work: float


class Pace:
    """Estimates how fast callers are heard, and so when another would be. May be used by several threads.

    Args:
        places: How many are worked on at a time, each at the same pace whatever the others do. A caller who finds a
            free place is always admitted, however long the recording.
        most: How many may be in hand.
        seconds: Time that a unit of work takes at one of the places where nothing else runs: the estimate at first, and
            again after a while without callers.
        clock: Seconds since any moment.
    """

    def __init__(
        self, *, places: int = 1, most: int, seconds: float = 0.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self.places, self.most = places, most
        self._clock = clock
        self._in_hand: dict[Place, None] = {}
        self._lock = threading.Lock()
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self._in_hand)

    @property
    def seconds(self) -> float:
        """Time that a unit of work is likely to take now."""
        forgotten: float = 0.5 ** ((self._clock() - self._learned_at) / _HALF_LIFE_SECONDS)
        return self._first + (self._learned - self._first) * forgotten

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        self._first = self._learned = seconds
        self._learned_at = self._clock()

    def enter(self, work: float = 1.0, patience_seconds: float = PATIENCE_SECONDS) -> Place:
        """Be in hand, until `leave`.

        Args:
            work: How much of it, in units of one's own: recordings, or their seconds.

        Raises:
            Full: Too many are.
        """
        with self._lock:
            if len(self._in_hand) >= self.places:
                done = self._done(work)
                if len(self._in_hand) >= self.most or done > patience_seconds:
                    raise Full(done)
            place = Place(work)
            self._in_hand[place] = None
            return place

    def done(self, work: float = 1.0) -> float:
        """Return the seconds until one more would be done who came now."""
        with self._lock:
            return self._done(work)

    def leave(self, place: Place) -> None:
        """Free the place."""
        with self._lock:
            del self._in_hand[place]

    def learn(self, seconds: float) -> None:
        """Take into account how long a unit of work took just now; up and down alike."""
        with self._lock:
            now = self.seconds
            self._learned, self._learned_at = now + _LEARNED * (seconds - now), self._clock()
            self._first = min(self._first, self._learned)  # it may have been measured while others were loading

    def _done(self, work: float) -> float:
        """Return the seconds until one more would be done, if those in hand had only just begun."""
        seconds = self.seconds
        free = [0.0] * self.places
        for place in self._in_hand:
            heapq.heapreplace(free, free[0] + place.work * seconds)
        return free[0] + work * seconds
