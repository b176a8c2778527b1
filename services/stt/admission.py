"""Who can still be heard in time: the rest are told at once, instead of when they have given up."""

import heapq
import threading
from dataclasses import dataclass
from time import monotonic

PATIENCE_SECONDS = 4.0
"""A toy hangs up after five, and the way to it takes time too."""


class Full(Exception):
    """As many are in hand as may be, or so many that another would not be heard in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next would be heard in {seconds:.1f} s")
        self.seconds = seconds


@dataclass(eq=False)
class Place:
    """Somebody in hand."""

    work: float
    before: float
    """The work that was in hand already."""
    since: float


class Pace:
    """How fast those in hand are heard, and so when another would be. May be used by several threads.

    Args:
        places: How many are worked on at a time, each at the same pace whatever the others do. Who finds one free is
            never refused, however long his recording.
        most: How many may be in hand.
        seconds: What a unit of work takes at one of the places, until that is known.
    """

    def __init__(self, *, places: int = 1, most: int, seconds: float = 0.0) -> None:
        self.places, self.most, self.seconds = places, most, seconds
        self._in_hand: dict[Place, None] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._in_hand)

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
            place = Place(work, sum(other.work for other in self._in_hand), monotonic())
            self._in_hand[place] = None
            return place

    def leave(self, place: Place) -> None:
        with self._lock:
            del self._in_hand[place]

    def learn(self, seconds: float) -> None:
        """What a unit of work took just now."""
        with self._lock:
            self.seconds += 0.2 * (seconds - self.seconds)

    def _done(self, work: float) -> float:
        """Seconds until one more would be done, if those in hand had only just begun."""
        free = [0.0] * self.places
        for place in self._in_hand:
            heapq.heapreplace(free, free[0] + place.work * self.seconds)
        return free[0] + work * self.seconds
