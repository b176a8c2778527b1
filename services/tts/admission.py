"""Admits as many answers as the processors here can speak without a pause that a toy would not sit out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from chassis.errors import TooBusy
from chassis.threads import cores

PATIENCE_SECONDS = 1.25
"""Longest pause that is expected before a piece of sound. A toy hangs up after five: some pieces are several times as
long as others, and other programs want the processors too."""
_NEXT_SECONDS = 3.0
"""Longest pause that is expected of the first answer beyond those that have a processor each: with it at hand, no
processor is idle until somebody comes again after one has ended."""
_HALF_LIFE_SECONDS = 2.0
"""After so long, half of what the slowest piece took beyond the usual is forgotten."""
_LEARNED = 0.1
"""Weight of the latest piece in what is usual."""


class SpeakingPace:
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
        self._making: dict[Occupancy, float] = {}
        """Pieces that are being made, oldest first, and what `_share` was when each began."""
        self._shared, self._shared_at = 0.0, clock()
        self._usual = self._worst = seconds
        self._worst_at = clock()

    @property
    def seconds(self) -> float:
        """Time that a piece is likely to take now at one of the places; one that is not done took at least so long."""
        share = self._share()
        return max(self._remembered(), share - next(iter(self._making.values()), share))

    @contextmanager
    def speaking(self) -> Iterator["Occupancy"]:
        """Speak one answer, until the block ends.

        Raises:
            TooBusy: Its sound, or that of others, would come too late.
        """
        speaking = len(self._making)
        patience = _NEXT_SECONDS if speaking == self.places else PATIENCE_SECONDS
        if speaking >= self.places and self.seconds * (speaking + 1) / self.places > patience:
            raise TooBusy("Too many are being spoken to. Try again in a moment.", reason="pace", retry_after=1.0)
        turn = Occupancy(self)
        try:
            yield turn
        finally:
            turn.pause()

    def begin(self, turn: "Occupancy") -> None:
        """Count a piece that is being made from now on, unless it is counted already."""
        self._making.setdefault(turn, self._share())

    def learn(self, turn: "Occupancy") -> None:
        """Take into account how long a piece took."""
        seconds = self._share() - self._making[turn]
        self._note_slow(seconds)
        self._usual += _LEARNED * (seconds - self._usual)

    def end(self, turn: "Occupancy") -> None:
        """Count one less; a piece that was given up took at least so long."""
        if turn in self._making:
            self._note_slow(self._share() - self._making[turn])
            del self._making[turn]

    def _note_slow(self, seconds: float) -> None:
        if seconds >= self._remembered():
            self._worst, self._worst_at = seconds, self.clock()

    def _remembered(self) -> float:
        forgotten: float = 0.5 ** ((self.clock() - self._worst_at) / _HALF_LIFE_SECONDS)
        return self._usual + max(0.0, self._worst - self._usual) * forgotten

    def _share(self) -> float:
        """Return the seconds at a place of its own that a piece would have had, made from the beginning on."""
        now = self.clock()
        self._shared += (now - self._shared_at) / max(1.0, len(self._making) / self.places)
        self._shared_at = now
        return self._shared


class Occupancy:
    """One answer being spoken; it counts while a piece of it is being made, and not while a reader takes one."""

    def __init__(self, pace: SpeakingPace) -> None:
        self._pace = pace
        self.go_on()

    def go_on(self) -> None:
        """Begin to make the next piece."""
        self._pace.begin(self)

    def made(self) -> None:
        """Note that a piece is there."""
        self._pace.learn(self)

    def pause(self) -> None:
        """Wait for the reader."""
        self._pace.end(self)
