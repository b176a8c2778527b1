"""Admits as many answers as the processors here can speak without a pause that a toy would not sit out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from chassis.errors import TooBusy
from chassis.threads import cores

PATIENCE_SECONDS = 1.25
"""Longest pause that is expected before a piece of sound. A toy hangs up after five: some pieces are several times as
long as others, and other programs want the processors too."""
_HALF_LIFE_SECONDS = 2.0
"""After so long, half of what the slowest piece took beyond the usual is forgotten."""
_LEARNED = 0.1
"""Weight of the latest piece in what is usual."""


class Pace:
    """Estimates the pause before the next piece if one more were let in. Used by the event loop alone.

    Only answers of engines that work on this machine count: all of them share its processors, and a server of somebody
    else's does not get slower by what is done here.

    Args:
        places: Pieces made at a time at full speed; that many answers are always let in.
        seconds: What a piece takes at one of the places: the estimate at first.
    """

    def __init__(self, places: int | None = None, seconds: float = 0.1, clock: Callable[[], float] = monotonic) -> None:
        self.places = places or cores()
        self.clock = clock
        self._speaking = 0
        self._usual = self._worst = seconds
        self._worst_at = clock()

    @property
    def seconds(self) -> float:
        """Time that a piece is likely to take now at one of the places."""
        forgotten: float = 0.5 ** ((self.clock() - self._worst_at) / _HALF_LIFE_SECONDS)
        return self._usual + max(0.0, self._worst - self._usual) * forgotten

    @contextmanager
    def speaking(self) -> Iterator["Occupancy"]:
        """Speak one answer, until the block ends.

        Raises:
            TooBusy: Its sound, or that of others, would come too late.
        """
        if self._speaking >= self.places and self.seconds * (self._speaking + 1) / self.places > PATIENCE_SECONDS:
            raise TooBusy("Too many are being spoken to. Try again in a moment.", reason="pace", retry_after=1.0)
        turn = Occupancy(self)
        try:
            yield turn
        finally:
            turn.pause()

    def begin(self) -> None:
        """Count one more piece that is being made."""
        self._speaking += 1

    def end(self) -> None:
        """Count one less."""
        self._speaking -= 1

    def learn(self, seconds: float) -> None:
        """Take into account how long a piece took beside all those that are being made."""
        alone = seconds / max(1.0, self._speaking / self.places)
        if alone >= self.seconds:
            self._worst, self._worst_at = alone, self.clock()
        self._usual += _LEARNED * (alone - self._usual)


class Occupancy:
    """One answer being spoken; it counts while a piece of it is being made, and not while a reader takes one."""

    def __init__(self, pace: Pace) -> None:
        self._pace, self._counts = pace, False
        self.go_on()

    def go_on(self) -> None:
        """Begin to make the next piece."""
        if not self._counts:
            self._counts = True
            self._began = self._pace.clock()
            self._pace.begin()

    def made(self) -> None:
        """Note that a piece is there."""
        self._pace.learn(self._pace.clock() - self._began)

    def pause(self) -> None:
        """Wait for the reader."""
        if self._counts:
            self._counts = False
            self._pace.end()
