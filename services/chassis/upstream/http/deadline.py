"""One timer for all the deadlines that a connection has in turn."""

import asyncio
from collections.abc import Callable


class Deadline:
    """A moment that is put off again and again, for each piece of each answer: that must cost next to nothing.

    Args:
        late: Called once the moment has passed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, late: Callable[[], None]) -> None:
        self._loop, self._late = loop, late
        self._moment: float | None = None
        """The moment, in the loop's time; None: there is none."""
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def put(self, seconds: float) -> None:
        """Set the moment, and arm the timer; it arms itself again if the moment has moved."""
        if self._is_over:
            return
        self._moment = self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._moment:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._moment, self._look)

    def put_off(self, seconds: float) -> None:
        """Move the moment; the timer is armed already, and not for later."""
        self._moment = self._loop.time() + seconds

    def forget(self) -> None:
        """Have no moment for now; the timer is left alone."""
        self._moment = None

    def cancel(self) -> None:
        """End the timer for good."""
        self._is_over, self._moment = True, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def is_armed(self) -> bool:
        return self._timer is not None

    def _look(self) -> None:
        self._timer = None
        if self._moment is None:
            return
        if (left := self._moment - self._loop.time()) > 0.001:
            self.put(left)
        else:
            self._late()
