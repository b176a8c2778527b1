"""Who answers: engines in the order they are wanted, their states, the first-byte budget and the breakers."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Generic, TypeVar

from chassis import metrics
from chassis.chain.admission import Admission
from chassis.chain.attempt import Answer, Attempt, Budget, Work
from chassis.chain.seat import E, Seat

ENGINE_HEADER = "x-talkbox-engine"

T = TypeVar("T")
R = TypeVar("R")


class Chain(Generic[E]):
    """The engines of one service, and who of them answers.

    Args:
        seats: In the order they are wanted.
        first_byte_seconds: The budget to the first byte, shared by all that are asked.
        last_engine_seconds: What the last one that could answer may take instead.
        hedge_seconds: After so long a silence the next one is asked too, and who speaks first answers; 0: never.
        admission: How many are served at a time.
    """

    def __init__(
        self,
        seats: Sequence[Seat[E]],
        *,
        first_byte_seconds: float = 4.0,
        last_engine_seconds: float = 30.0,
        hedge_seconds: float = 0.0,
        admission: Admission | None = None,
    ) -> None:
        self.seats = list(seats)
        self.budget = Budget(first_byte_seconds, last_engine_seconds, hedge_seconds)
        self.admission = admission or Admission(64, 128, first_byte_seconds / 2)
        self._loading: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Load all engines side by side, in the background."""
        self._loading = [asyncio.create_task(seat.keep_loading()) for seat in self.seats]

    async def aclose(self) -> None:
        for task in self._loading:
            task.cancel()
        for seat in self.seats:
            if seat.engine is not None:
                await seat.engine.aclose()

    @property
    def ready(self) -> bool:
        return any(seat.engine is not None for seat in self.seats)

    def ready_engines(self) -> list[tuple[str, E]]:
        """Name and engine of each that is loaded, in order."""
        return [(seat.name, seat.engine) for seat in self.seats if seat.engine is not None]

    def pick(self, model: str) -> tuple[list[Seat[E]], str | None]:
        """Whom a request's `model` means: `espeak` or `whisper/small` that engine (and model) alone, else all."""
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
        willing: Callable[[E], bool] = lambda engine: True,
    ) -> Answer[T, R]:
        """Ask the engines that `model` means, and return once one has given its first piece.

        Args:
            model: As the caller wrote it.
            work: Starts an engine's work. Its second argument is `small` of `whisper/small`.
            skip_loading: Ask a later engine while one ahead of it is loading. Else wait for that one.
            extra_seconds: Added to the budget, for work that needs longer by its nature.
            willing: Whether an engine would take this on; those ahead leave no time for one that would decline.

        Raises:
            BadRequest: The caller's mistake, or every engine declined.
            TooBusy: No place in time.
            NotReady: Nobody could be asked.
            EngineFailed: All who were asked failed.
        """
        began = monotonic()
        metrics.queued.set(self.admission.waiting)
        since = await self.admission.enter()
        try:
            attempt = Attempt(self.budget, began, extra_seconds, skip_loading, willing)
            seats, submodel = self.pick(model)
            begun = await attempt.ask(seats, lambda engine: work(engine, submodel))
        except BaseException:
            self.admission.leave(since)
            raise
        return Answer(begun, lambda: self.admission.leave(since))
