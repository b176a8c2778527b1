"""Admits as many callers as can be heard in time, and refuses the rest at once."""

import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from chassis import metrics

PATIENCE_SECONDS = 4.0
"""A toy hangs up after five, and the way to it takes time too."""
_HALF_LIFE_SECONDS = 1.5
"""After so long without callers, half of what was learned is forgotten: the next are let in, and show what is so."""
_RISE, _FALL = 0.3, 0.2
"""Weight of the latest answer in the estimate, where it took longer than that, or less long."""


class Full(Exception):
    """No more recordings may wait, or another one would not be heard in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next would be heard in {seconds:.1f} s")
        self.seconds = seconds


@dataclass(eq=False)
class Place:
    """One caller in hand, the amount of work, and when it is too late to answer."""

    work: float
    until: float
    began: float | None = None
    """When its turn came; None while it waits."""


@dataclass(eq=False)
class _Step:
    """Work that is being done: its amount, and when it began."""

    work: float
    began: float


class HearingPace:
    """Estimates how fast callers are heard, and so when another would be. May be used by several threads.

    It learns from what each step of the work takes by the clock on the wall, with all that other programs take from the
    machine meanwhile; a step that is not yet done counts as soon as it takes longer than was estimated.

    Args:
        places: How many are worked on at a time, each at the same pace whatever the others do.
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
        self._steps: dict[_Step, None] = {}
        self._lock = threading.RLock()
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self._in_hand)

    @property
    def seconds(self) -> float:
        """Time that a unit of work is likely to take now."""
        with self._lock:
            now = self._clock()
            return max([self._remembered(now), *((now - step.began) / step.work for step in self._steps)])

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        with self._lock:
            self._first = self._learned = seconds
            self._known_at = self._clock()

    def enter(self, work: float = 1.0, patience_seconds: float = PATIENCE_SECONDS) -> Place:
        """Be in hand, until `leave`. A caller who comes alone is always admitted: nobody would be heard sooner.

        Args:
            work: How much of it, in units of one's own: recordings, or their seconds.

        Raises:
            Full: Too many are.
        """
        with self._lock:
            now, until = self._clock(), float("inf")
            if self._in_hand:
                done = self._done(work)
                if len(self._in_hand) >= self.most or done > patience_seconds:
                    raise Full(done)
                until = now + patience_seconds
            self._learned, self._known_at = self._remembered(now), now
            place = Place(work, until)
            self._in_hand[place] = None
            metrics.queued_for_engine.inc()
            return place

    def begin(self, place: Place) -> None:
        """Note that the caller waits no longer; `leave` notes it too."""
        with self._lock:
            if place.began is None:
                place.began = self._clock()
                metrics.queued_for_engine.dec()

    def left(self, place: Place) -> float:
        """Return the seconds for which a caller may still wait before the work begins; negative: too long."""
        with self._lock:
            return place.until - self._clock() - place.work * self.seconds

    def done(self, work: float = 1.0) -> float:
        """Return the seconds until one more would be done who came now."""
        with self._lock:
            return self._done(work)

    def leave(self, place: Place) -> None:
        """Free the place."""
        with self._lock:
            self.begin(place)
            now = self._clock()
            self._learned, self._known_at = self._remembered(now), now
            del self._in_hand[place]

    @contextmanager
    def step(self, work: float) -> Iterator[None]:
        """Do a part of the work, until the block ends; where it is broken off, what it took is the least."""
        step = _Step(work, self._clock())
        with self._lock:
            self._steps[step] = None
        try:
            yield
        except BaseException:
            self.learn((self._clock() - step.began) / work, at_least=True)
            raise
        finally:
            with self._lock:
                del self._steps[step]

    def learn(self, seconds: float, *, at_least: bool = False) -> None:
        """Take into account how long a unit of work took just now; up and down alike.

        Args:
            at_least: It was not done to its end.
        """
        with self._lock:
            now = self._clock()
            known = self._remembered(now)
            change = seconds - known
            if change > 0 or not at_least:
                self._learned, self._known_at = known + (_RISE if change > 0 else _FALL) * change, now
            self._first = min(self._first, self._learned)  # it may have been measured while others were loading

    def _remembered(self, now: float) -> float:
        """Return what was learned, as far as it is not forgotten; while callers are in hand nothing is."""
        idle_seconds = 0.0 if self._in_hand else now - self._known_at
        return float(self._first + (self._learned - self._first) * 0.5 ** (idle_seconds / _HALF_LIFE_SECONDS))

    def _done(self, work: float) -> float:
        """Return the seconds until one more would be done, who need not wait for what has been done of the others."""
        seconds, now, begun = self.seconds, self._clock(), 0
        free = [0.0] * self.places
        for place in self._in_hand:
            had = 0.0
            if place.began is not None and begun < self.places:  # what more have begun is done together with those
                begun, had = begun + 1, now - place.began
            heapq.heapreplace(free, free[0] + max(0.0, place.work * seconds - had))
        return free[0] + work * seconds
