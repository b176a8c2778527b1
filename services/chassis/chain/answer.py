"""The answer of one engine as it comes, and what an engine's error means to the chain."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar

from chassis import metrics
from chassis.chain.admission import Admission
from chassis.chain.seat import Seat
from chassis.errors import ApiError, EngineFailed, EngineTimeout
from chassis.sse import close

READER_SECONDS = 1.0
"""Time for which a reader who takes nothing keeps a place."""

log = logging.getLogger("talkbox.chain")

T = TypeVar("T")
R = TypeVar("R")


class Work(NamedTuple, Generic[T, R]):
    """One engine's work on one request."""

    pieces: AsyncIterator[T]
    """The answer, piece by piece; at least one. An engine that declines may raise at once or with the first piece."""
    record: R
    """The service's own notes on this engine's work: a plan, a tally, an encoder."""


class Begun(NamedTuple, Generic[T, R]):
    """An engine has given its first piece."""

    seat: Seat[Any]
    first: T
    work: Work[T, R]


class Answer(AsyncIterator[T], Generic[T, R]):
    """The pieces that one engine gives, from the first on. Closing it ends the work and frees the place.

    A reader who takes no piece for `READER_SECONDS` keeps no place: it is lent until the next piece is asked for.
    """

    def __init__(self, begun: Begun[T, R], admission: Admission, since: float, leave: Callable[[float], None]) -> None:
        self.engine = begun.seat.name
        self.record: R = begun.work.record
        """The record of this engine's work; engines that lost the race kept their own."""
        self._seat, self._rest = begun.seat, begun.work.pieces
        self._admission, self._since, self._leave = admission, since, leave
        self._lent_at: float | None = None
        self._read_since: float | None = monotonic()
        """Moment from which the reader has had the last piece; None while the next one is awaited."""
        self._first: list[T] = [begun.first]
        self._open = True
        self._watch_reader(READER_SECONDS)

    async def __anext__(self) -> T:
        self._work_again()
        try:
            return self._first.pop() if self._first else await self._next()
        finally:
            self._read_since = monotonic()

    def _watch_reader(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look_at_reader)

    def _look_at_reader(self) -> None:
        """Run the one timer for all pieces: it is set again when it rings too early."""
        left = READER_SECONDS - (0.0 if self._read_since is None else monotonic() - self._read_since)
        if left > 0:
            self._watch_reader(left)
        elif self._open:
            self._lent_at = monotonic()
            self._admission.lend()

    def _work_again(self) -> None:
        self._read_since = None
        if self._lent_at is not None:
            self._since += monotonic() - self._lent_at  # what readers take is no measure of our pace
            self._lent_at = None
            self._admission.retake()
            self._watch_reader(READER_SECONDS)

    async def _next(self) -> T:
        try:
            return await anext(self._rest)
        except StopAsyncIteration:
            self._seat.succeeded()
            raise
        except Exception as exc:
            failure = translated(self._seat.name, exc, None)
            if isinstance(failure, EngineFailed):
                self._seat.failed(failure)
            raise failure from exc

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._work_again()
            self._timer.cancel()
            try:
                await close(self._rest)
            finally:
                metrics.of(metrics.work_seconds, self.engine).inc(monotonic() - self._since)
                self._leave(self._since)


def translated(name: str, exc: BaseException, silent_seconds: float | None) -> BaseException:
    """Translate what an engine raised into an error of the chain."""
    match exc:
        case TimeoutError() if silent_seconds is not None:
            return EngineTimeout(f"no answer in {silent_seconds:.1f} s")
        case StopAsyncIteration():
            return EngineFailed("gave nothing")
        case ApiError() | asyncio.CancelledError():
            return exc
        case Exception():
            log.error("engine %s broke", name, exc_info=exc)
            return EngineFailed(f"broke off ({type(exc).__name__})")
        case _:
            return exc
