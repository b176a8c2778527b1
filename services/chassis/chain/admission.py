"""Places for requests: how many are served at a time, and how many may wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from time import monotonic

from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import metrics
from chassis.errors import TooBusy


class Admission:
    """Bounded concurrency, and a bounded queue in the order of arrival.

    Args:
        concurrent: Number of requests served at a time.
        queued: Number of requests that may wait.
        patience_seconds: Longest wait; a request that would wait longer is refused at once.
    """

    def __init__(self, concurrent: int, queued: int, patience_seconds: float) -> None:
        self.concurrent, self.queued, self.patience_seconds = concurrent, queued, patience_seconds
        self.running = 0
        self.mean_seconds = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def check(self) -> None:
        """Refuse a request that could not begin in time.

        Raises:
            TooBusy: The queue is full, or too long.
        """
        if self.running < self.concurrent and not self._waiting:
            return
        wait = self.mean_seconds * (len(self._waiting) + 1) / self.concurrent
        if len(self._waiting) >= self.queued or wait > self.patience_seconds:
            raise TooBusy("All places are taken. Try again in a moment.", retry_after=max(1.0, wait))

    async def enter(self) -> float:
        """Take a place, now or after the requests that came before; return the time for `leave`.

        Raises:
            TooBusy: As in `check`, or the wait turned out too long.
        """
        self.check()
        if self.running < self.concurrent and not self._waiting:
            self.running += 1
            return monotonic()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        metrics.queued_for_place.inc()
        try:
            async with asyncio.timeout(self.patience_seconds):
                await turn
        except BaseException as exc:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn.cancelled():
                self._pass_on()  # the place came together with the end of patience
            if isinstance(exc, TimeoutError):
                raise TooBusy(
                    "Waited too long for a place. Try again in a moment.", reason="patience", retry_after=1.0
                ) from exc
            raise
        finally:
            metrics.queued_for_place.dec()
        return monotonic()

    def leave(self, since: float) -> None:
        """Give the place back, to the next in the queue if there is one."""
        self.mean_seconds += 0.2 * (monotonic() - since - self.mean_seconds)
        self._pass_on()

    def lend(self) -> None:
        """Give a place to the next while its request waits for a slow reader; `retake` follows."""
        metrics.places_taken.dec()
        self._pass_on()

    def retake(self) -> None:
        """Take a lent place back at once, though that makes one more than there are until somebody leaves."""
        metrics.places_taken.inc()
        self.running += 1

    def _pass_on(self) -> None:
        if self.running > self.concurrent:
            self.running -= 1
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1


class Door:
    """Refuse, before its body is read, a request that could not begin in time."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app, self.admission = app, admission

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] == "POST":
            self.admission.check()
        return self.app(scope, receive, send)
