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


class Readers:
    """Looks at the readers of all open answers in turn: a timer for each answer would be a cost of each request."""

    def __init__(self) -> None:
        self._answers: set[Answer[Any, Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, answer: "Answer[Any, Any]") -> None:
        self._answers.add(answer)
        if self._timer is None:
            self._wait()

    def discard(self, answer: "Answer[Any, Any]") -> None:
        self._answers.discard(answer)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(READER_SECONDS / 4, self._look)

    def _look(self) -> None:
        self._timer = None
        for answer in self._answers:
            answer.look_at_reader()
        if self._answers:
            self._wait()


class Answer(AsyncIterator[T], Generic[T, R]):
    """The pieces that one engine gives, from the first on. Closing it ends the work and frees the place.

    A reader who takes no piece for `READER_SECONDS` keeps no place: it is lent until the next piece is asked for.
    """

    def __init__(
        self,
        begun: Begun[T, R],
        admission: Admission,
        readers: Readers,
        since: float,
        leave: Callable[[float], None],
    ) -> None:
        self.engine = begun.seat.name
        self.record: R = begun.work.record
        """The record of this engine's work; engines that lost the race kept their own."""
        self._seat, self._rest = begun.seat, begun.work.pieces
        self._admission, self._readers, self._since, self._leave = admission, readers, since, leave
        self._lent_at: float | None = None
        self._read_since: float | None = monotonic()
        """Moment from which the reader has had the last piece; None while the next one is awaited."""
        self._first: list[T] = [begun.first]
        self._open = True
        readers.add(self)

    async def __anext__(self) -> T:
        self._work_again()
        try:
            return self._first.pop() if self._first else await self._next()
        finally:
            self._read_since = monotonic()

    def look_at_reader(self) -> None:
        """Lend the place of a reader who has taken nothing for too long."""
        if self._read_since is None or self._lent_at is not None:
            return
        now = monotonic()
        if now - self._read_since >= READER_SECONDS:
            self._lent_at = now
            self._admission.lend()

    def _work_again(self) -> None:
        self._read_since = None
        if self._lent_at is not None:
            self._since += monotonic() - self._lent_at  # what readers take is no measure of our pace
            self._lent_at = None
            self._admission.retake()

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
            self._readers.discard(self)
            self._work_again()
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
