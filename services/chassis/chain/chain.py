"""The chain of one service: its engines in order, and a place for each request."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Generic, Literal, TypeVar

from chassis import metrics, trace
from chassis.chain.admission import Admission
from chassis.chain.answer import Answer, Begun, Readers, Work
from chassis.chain.attempt import Attempt
from chassis.chain.seat import E, Seat
from chassis.chain.shares import Budget

ENGINE_HEADER = "x-talkbox-engine"

T = TypeVar("T")
R = TypeVar("R")


class Chain(Generic[E]):
    """The engines of one service.

    Args:
        seats: Engines in the order in which they are asked.
        first_byte_seconds: Budget to the first piece, shared by all engines that are asked.
        last_engine_seconds: Limit for the last engine that could answer, instead; one that stands in for
            a better one has the rest of the budget.
        hedge_seconds: Silence after which the next engine is asked too; the first to answer wins. `auto`: as long as
            the engine usually takes; 0: never.
        admission: Places for requests.
    """

    def __init__(
        self,
        seats: Sequence[Seat[E]],
        *,
        first_byte_seconds: float = 4.0,
        last_engine_seconds: float = 30.0,
        hedge_seconds: float | Literal["auto"] = 0.0,
        admission: Admission | None = None,
    ) -> None:
        self.seats = list(seats)
        self.budget = Budget(first_byte_seconds, last_engine_seconds, hedge_seconds)
        self.admission = admission or Admission(64, 128, first_byte_seconds / 2)
        self._readers = Readers()
        self._loading: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Load all engines side by side, in the background."""
        metrics.places.set(self.admission.concurrent)
        self._loading = [asyncio.create_task(seat.keep_loading()) for seat in self.seats]

    async def aclose(self) -> None:
        for task in self._loading:
            task.cancel()
        for seat in self.seats:
            await seat.aclose()

    @property
    def ready(self) -> bool:
        return any(seat.engine is not None for seat in self.seats)

    def ready_engines(self) -> list[tuple[str, E]]:
        """Return name and engine of each seat that is loaded, in order."""
        return [(seat.name, seat.engine) for seat in self.seats if seat.engine is not None]

    def pick(self, model: str) -> tuple[list[Seat[E]], str | None]:
        """Return the seats that a request's `model` names, and the model after its slash.

        `espeak` names one engine, `whisper/small` one engine and its model, any other name the whole chain.
        """
        name, slash, rest = model.partition("/")
        for seat in self.seats:
            if seat.name == name:
                return [seat], rest if slash else None
        return self.seats, None

    async def answer(
        self,
        model: str,
        work: Callable[[E, str | None], Work[T, R]],
        *,
        skip_loading: bool = True,
        extra_seconds: float = 0.0,
        came: float | None = None,
        needs: Callable[[E], float | None] = lambda engine: engine.first_byte_seconds,
        admitted: Callable[[], object] = lambda: None,
    ) -> Answer[T, R]:
        """Ask the engines that `model` names; return once one has given its first piece.

        Args:
            model: Name that the caller wrote.
            work: Starts an engine's work. Its second argument is `small` of `whisper/small`.
            skip_loading: Ask a later engine while one ahead of it is loading, instead of waiting for that one.
            extra_seconds: Added to the budget, for work that needs longer by its nature.
            came: When the request was there, by `monotonic`: the budget begins then. None: now.
            needs: Seconds that an engine usually needs; those ahead leave it so much. None for one that would decline.
            admitted: Called when a place was had, before any engine is asked.

        Raises:
            BadRequest: The caller's mistake, or every engine declined.
            TooBusy: No place came free in time.
            NotReady: No engine could be asked.
            EngineFailed: All engines that were asked failed.
        """
        began = monotonic() if came is None else came
        since = await self._enter()
        try:
            admitted()
            seats, submodel = self.pick(model)
            attempt = Attempt(self.budget, seats, began, extra_seconds, skip_loading, needs)
            begun = await _begun(attempt, lambda engine: work(engine, submodel))
        except BaseException:
            self._leave(since)
            raise
        return Answer(begun, self.admission, self._readers, since, self._leave)

    async def _enter(self) -> float:
        """Return once a place is had, and since when."""
        began = monotonic()
        since = await self.admission.enter()
        metrics.places_taken.inc()
        trace.note("queue", since - began)
        metrics.queue_seconds.observe(since - began)
        return since

    def _leave(self, since: float) -> None:
        self.admission.leave(since)
        metrics.places_taken.dec()
        if self.admission.mean_seconds:
            metrics.capacity.set(self.admission.concurrent / self.admission.mean_seconds)


async def _begun(attempt: Attempt, work: Callable[[Any], Work[T, R]]) -> Begun[T, R]:
    """Return the work of the engine that begins to answer; count it where it is not the first of the chain."""
    with trace.stage("engine"):
        begun = await attempt.ask(work)
    first = attempt.shares.seats[0]
    if begun.seat is not first:
        metrics.of(metrics.fallbacks, first.name, begun.seat.name).inc()
    return begun
