"""One request's way down the chain: who is asked, and what is answered when all fail."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Any, TypeVar

from chassis import spans
from chassis.chain.answer import Begun, Work, translated
from chassis.chain.seat import Seat, State
from chassis.chain.shares import Budget, Shares, stands_in
from chassis.errors import (
    ApiError,
    Declined,
    EngineFailed,
    NotReady,
    TooBusy,
)
from chassis.patience import Patience
from chassis.sse import close

LOADING_SECONDS = 5.0
"""Time after which a caller may ask again while an engine is loading."""

asked_until: ContextVar[float] = ContextVar("asked_until", default=inf)
"""Moment, by `monotonic`, at which the chain stops waiting for the first piece of the engine that it asks now."""

log = logging.getLogger("talkbox.chain")

T = TypeVar("T")
R = TypeVar("R")


class Attempt:
    """One request's way down the chain."""

    def __init__(
        self,
        budget: Budget,
        seats: Sequence[Seat[Any]],
        began: float,
        extra_seconds: float,
        skip_loading: bool,
        needs: Callable[[Any], float | None],
    ) -> None:
        self.skip_loading, self._is_long = skip_loading, extra_seconds > 0
        self.shares = Shares(budget, seats, began, extra_seconds, needs)
        self.hedge_seconds = budget.hedge_seconds
        self.failures: list[tuple[str, EngineFailed]] = []
        self.declined: list[Declined] = []
        self.full: list[TooBusy] = []
        self.absent: list[Seat[Any]] = []

    async def ask(self, work: Callable[[Any], Work[T, R]]) -> Begun[T, R]:
        """Return the work of the first engine to give a piece.

        Raises:
            ApiError: None did.
        """
        seats = self.shares.seats
        left = deque(sorted(seats, key=_is_loading) if self.skip_loading else seats)
        if self.hedge_seconds:
            return await self._race(left, work)
        while (seat := await self._next(left)) is not None:
            if (begun := await self._try(seat, work, self.shares.of(seat, left))) is not None:
                return begun
        raise self._verdict()

    async def _race(self, left: "deque[Seat[Any]]", work: Callable[[Any], Work[T, R]]) -> Begun[T, R]:
        """Ask the next engine too whenever those asked are silent for a while; the first to give a piece wins."""
        running: dict[asyncio.Task[Begun[T, R] | None], Seat[Any]] = {}
        try:
            while True:
                if (not running or _may_join(left)) and (seat := await self._next(left)) is not None:
                    running[asyncio.create_task(self._try(seat, work, self.shares.of(seat, left)))] = seat
                    patience = self._patience(seat)
                elif running:
                    patience = None  # all who may join have joined
                else:
                    raise self._verdict()
                done, _ = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    running.pop(task)
                    if (begun := task.result()) is not None:
                        return begun
        finally:
            await _called_off(running)

    def _patience(self, seat: Seat[Any]) -> float | None:
        """Return the silence of a seat after which the next one is asked too; None: it is not yet known."""
        return seat.usual_seconds(is_long=self._is_long) if self.hedge_seconds == "auto" else self.hedge_seconds

    async def _next(self, left: "deque[Seat[Any]]") -> Seat[Any] | None:
        """Return the next seat that can be asked now."""
        while left:
            seat = left.popleft()
            if not (seat.settled.is_set() or await self._settled(seat)):
                self.absent.append(seat)
                if not self.skip_loading:
                    left.clear()  # a later engine would guess at what this one is about to know
            elif seat.engine is None or not seat.begin():
                self.absent.append(seat)
            else:
                return seat
        return None

    async def _try(self, seat: Seat[Any], work: Callable[[Any], Work[T, R]], seconds: float) -> Begun[T, R] | None:
        """Ask one engine; return None if it gave no answer, and note the reason."""
        asked = monotonic()
        try:
            self.shares.check(seat, seconds)
            with spans.asking(seat.name):
                begun = await self._first_piece(seat, work, seconds)
        except Declined as exc:
            self.declined.append(exc)
        except TooBusy as exc:  # it would be too late, or as many as it may be asked at a time are under way
            self.full.append(exc)
        except EngineFailed as exc:
            seat.failed(exc)
            self.failures.append((seat.name, exc))
        else:
            seat.spoke(monotonic() - asked, is_long=self._is_long)
            return begun
        finally:
            seat.let_off()
        return None

    async def _settled(self, seat: Seat[Any]) -> bool:
        """Wait for the end of loading; return False if the budget ends first."""
        try:
            async with asyncio.timeout(self.shares.seconds_left):
                await seat.settled.wait()
        except TimeoutError:
            return False
        return True

    async def _first_piece(self, seat: Seat[Any], work: Callable[[Any], Work[T, R]], seconds: float) -> Begun[T, R]:
        patience, asked = Patience(seconds), monotonic()
        before = asked_until.set(asked + seconds)
        begun: Work[T, R] | None = None
        try:
            begun = work(seat.engine)
            with patience:
                return Begun(seat, await anext(begun.pieces), begun)
        except BaseException as exc:
            if begun is not None:
                await close(begun.pieces)
            if patience.is_over and isinstance(exc, TimeoutError) and seat.is_active(since=asked):
                raise _late(seat.name, seconds) from exc
            raise translated(seat.name, exc, seconds if patience.is_over else None) from exc
        finally:
            asked_until.reset(before)

    def _verdict(self) -> ApiError:
        """Return the error for a request that no engine answered."""
        if self.failures:
            failure = self.failures[0][1]
            failure.body["message"] = "; ".join(f"{name}: {exc}" for name, exc in self.failures)
            failure.heals = any(each.heals for _, each in self.failures)
            failure.retry_after = next((each.retry_after for each in [failure, *self.full] if each.retry_after), None)
            return failure
        if self.full:
            return self.full[0]
        states = [(seat.name, seat.state) for seat in self.absent]
        loading = any(state.state == "loading" for _, state in states)
        if self.declined and not loading:  # an engine that is away would not come back for this request
            return self._refusal()
        message = "; ".join(f"{name} is {state.state} ({_detail(state)})" for name, state in states)
        waits = [state.seconds for _, state in states if state.seconds is not None]
        not_ready = NotReady(f"No engine can answer now: {message}.", retry_after=min([LOADING_SECONDS, *waits]))
        not_ready.heals = loading
        return not_ready

    def _refusal(self) -> Declined:
        """Return why all engines that are there declined."""
        if len(self.declined) == 1:
            return self.declined[0]
        return Declined(" ".join(map(str, self.declined)), param=self.declined[0].body["param"])


def _late(name: str, seconds: float) -> TooBusy:
    """Return the error for a caller whose time was up while the engine was at work."""
    reason = f"{name} was not done in {seconds:.1f} s: this machine is busy, or too slow for it"
    log.warning("%s", reason)
    return TooBusy(f"{reason}. Try again in a moment.", reason="pace", retry_after=seconds)


def _is_loading(seat: Seat[Any]) -> bool:
    return not seat.settled.is_set()


def _may_join(left: Sequence[Seat[Any]]) -> bool:
    """Return True if the next engine can join those that run; to wait for its loading would hold them up."""
    return bool(left) and left[0].settled.is_set() and not stands_in(left[0])


async def _called_off(running: Mapping[asyncio.Task[Any], Seat[Any]]) -> None:
    """End the work of engines that lost the race."""
    for task in running:
        task.cancel()
    if not running:
        return
    await asyncio.wait(running)
    for task in running:
        if not task.cancelled() and task.exception() is None and (begun := task.result()) is not None:
            await close(begun.work.pieces)  # its first piece came while it was being cancelled


def _detail(state: State) -> str:
    return f"{state.detail}, {state.progress:.0%}" if state.progress is not None else str(state.detail)
