"""Who answers: engines in the order they are wanted, their states, the first-byte budget and the breakers."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from chassis import metrics
from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    NotReady,
    TooBusy,
)
from chassis.limits import Admission
from chassis.settings import SettingError
from chassis.streams import close

ENGINE_HEADER = "x-talkbox-engine"
FAILURES_BEFORE_REST = 3
FIRST_REST_SECONDS = 10.0
LONGEST_REST_SECONDS = 300.0
LEAST_SHARE = 0.25
"""Of the budget: what an engine gets even where the later ones would like it all."""

Report = Callable[[str, float | None], None]
"""How far loading has come: what is being done, and the part done (0 to 1; None: unknown)."""

log = logging.getLogger("talkbox.chain")


class Engine(Protocol):
    """What the chain must know of an engine. It also has `load(name, report)`, called in a thread of its own, which
    returns one or raises `EngineUnavailable`.

    It may have `detail`, what /readyz says of it beside "ready"; and `stands_in = True`, where it only answers for
    better ones: then it is never asked ahead of its turn.
    """

    first_byte_seconds: float
    """What it needs to its first byte as a rule; engines ahead of it leave it that much of the budget."""

    async def aclose(self) -> None: ...


E = TypeVar("E", bound=Engine)
T = TypeVar("T")


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an engine is, as /readyz shows it."""

    state: Literal["loading", "ready", "unavailable", "resting"]
    detail: str | None = None
    progress: float | None = None
    """Part of the loading that is done, 0 to 1."""
    seconds: float | None = None
    """Until the next try (unavailable) or the end of the rest (resting); None: there is none."""


class Seat(Generic[E]):
    """One engine's place in the chain."""

    def __init__(self, name: str, factory: Callable[[Report], E]) -> None:
        self.name, self.factory = name, factory
        self.engine: E | None = None
        self.settled = asyncio.Event()
        """Set once loading has come to an end, for better or worse."""
        self._loading: tuple[str, float | None] = ("waiting to be loaded", None)
        self._unavailable: str | None = None
        self._next_load: float | None = None
        self._failures = 0
        self._rest_seconds = FIRST_REST_SECONDS
        self._resting_until = 0.0
        self._why_resting = ""
        self._on_trial = False
        metrics.engine_ready.labels(name).set(0)

    @classmethod
    def of(cls, name: str, engine: E) -> "Seat[E]":
        """A seat whose engine is there already."""
        seat = cls(name, lambda _: engine)
        seat._ready(engine)
        return seat

    @property
    def state(self) -> State:
        if self._unavailable is not None:
            return State("unavailable", self._unavailable, seconds=_until(self._next_load))
        if self.engine is None:
            return State("loading", *self._loading)
        if self._failures >= FAILURES_BEFORE_REST and monotonic() < self._resting_until:
            return State("resting", self._why_resting, seconds=_until(self._resting_until))
        return State("ready", getattr(self.engine, "detail", None))

    async def keep_loading(self) -> None:
        """Load the engine, again and again where that may help."""
        told: str | None = None
        while self.engine is None:
            retry: float | None = 60.0
            try:
                self._ready(await _in_daemon_thread(lambda: self.factory(self._report)))
            except EngineUnavailable as exc:
                self._unavailable, retry = str(exc), exc.retry_seconds
            except SettingError as exc:
                self._unavailable, retry = str(exc), None
            except Exception as exc:
                log.exception("engine %s could not be loaded", self.name)
                self._unavailable = f"could not be loaded ({type(exc).__name__}); the log has the details"
            self.settled.set()
            if self.engine is None:
                if told != self._unavailable:
                    log.warning("engine %s is unavailable: %s", self.name, self._unavailable)
                told = self._unavailable
                if retry is None:
                    return
                self._next_load = monotonic() + retry
                await asyncio.sleep(retry)

    def _report(self, doing: str, part: float | None) -> None:
        self._loading = (doing, part)

    def _ready(self, engine: E) -> None:
        self.engine, self._unavailable = engine, None
        self.settled.set()
        metrics.engine_ready.labels(self.name).set(1)
        log.info("engine %s is ready", self.name)

    def begin(self) -> bool:
        """Whether a request may be tried now. After a rest one may, and the others wait for how it goes."""
        if self._failures < FAILURES_BEFORE_REST:
            return True
        if self._on_trial or monotonic() < self._resting_until:
            return False
        self._on_trial = True
        return True

    def spoke(self) -> None:
        """Its first byte is there: a trial is passed."""
        self._on_trial = False
        self._failures = min(self._failures, FAILURES_BEFORE_REST - 1)

    def succeeded(self) -> None:
        """It answered to the end."""
        self._failures, self._rest_seconds = 0, FIRST_REST_SECONDS

    def let_off(self) -> None:
        """It was asked, but what came says nothing of its health (declined, a caller's mistake, a caller who left)."""
        self._on_trial = False

    def failed(self, failure: EngineFailed) -> None:
        """Count a failure; rest after a few in a row, longer each time."""
        metrics.failures.labels(self.name, failure.body["code"]).inc()
        log.warning("engine %s failed: %s", self.name, failure)
        self._failures += 1
        self._on_trial = False
        rest = failure.rest_seconds
        if rest is not None:
            self._failures = max(self._failures, FAILURES_BEFORE_REST)
        elif self._failures >= FAILURES_BEFORE_REST and monotonic() >= self._resting_until:
            rest = self._rest_seconds  # once for all that were under way together
            self._rest_seconds = min(2 * rest, LONGEST_REST_SECONDS)
        if rest is not None:
            self._resting_until, self._why_resting = monotonic() + rest, str(failure)


class Answer(AsyncIterator[T]):
    """What one engine gives, from its first piece on. Close it: that ends the work and frees the place."""

    def __init__(self, seat: Seat[Any], first: T, rest: AsyncIterator[T], leave: Callable[[], None]) -> None:
        self.engine = seat.name
        self._seat, self._rest, self._leave = seat, rest, leave
        self._first: list[T] = [first]
        self._open = True

    async def __anext__(self) -> T:
        if self._first:
            return self._first.pop()
        try:
            return await anext(self._rest)
        except StopAsyncIteration:
            self._seat.succeeded()
            raise
        except Exception as exc:
            failure = _translated(self._seat.name, exc, None)
            if isinstance(failure, EngineFailed):
                self._seat.failed(failure)
            raise failure from exc

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            try:
                await close(self._rest)
            finally:
                self._leave()


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
        self.first_byte_seconds, self.last_engine_seconds = first_byte_seconds, last_engine_seconds
        self.hedge_seconds = hedge_seconds
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
        work: Callable[[E, str | None], AsyncIterator[T]],
        *,
        skip_loading: bool = True,
        extra_seconds: float = 0.0,
        willing: Callable[[E], bool] = lambda engine: True,
    ) -> Answer[T]:
        """The first piece of an answer has come: this is it, and the rest.

        Args:
            model: As the caller wrote it.
            work: Starts an engine, given what `whisper/small` says after its slash; yields at least once.
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
            attempt = _Attempt(self, began, extra_seconds, skip_loading, willing)
            seats, submodel = self.pick(model)
            seat, first, rest = await attempt.ask(seats, lambda engine: work(engine, submodel))
        except BaseException:
            self.admission.leave(since)
            raise
        return Answer(seat, first, rest, lambda: self.admission.leave(since))


class _Attempt:
    """One request's way down the chain."""

    def __init__(
        self,
        chain: Chain[Any],
        began: float,
        extra_seconds: float,
        skip_loading: bool,
        willing: Callable[[Any], bool],
    ) -> None:
        self.skip_loading, self.willing = skip_loading, willing
        self.deadline = began + chain.first_byte_seconds + extra_seconds
        self.last_deadline = max(self.deadline, began + chain.last_engine_seconds + extra_seconds)
        self.least_seconds = LEAST_SHARE * chain.first_byte_seconds
        self.hedge_seconds = chain.hedge_seconds
        self.failures: list[tuple[str, EngineFailed]] = []
        self.declined: list[Declined] = []
        self.full: list[TooBusy] = []
        self.absent: list[Seat[Any]] = []

    async def ask(
        self, seats: Sequence[Seat[Any]], work: Callable[[Any], AsyncIterator[T]]
    ) -> tuple[Seat[Any], T, AsyncIterator[T]]:
        """The first seat to speak, its first piece, and the rest."""
        loading = [seat for seat in seats if self.skip_loading and not seat.settled.is_set()]
        left = deque([*(seat for seat in seats if seat not in loading), *loading])
        if self.hedge_seconds:
            return await self._race(left, work)
        while (seat := await self._next(left)) is not None:
            if (begun := await self._try(seat, work, self._share(left))) is not None:
                return seat, *begun
        raise self._verdict()

    async def _race(
        self, left: "deque[Seat[Any]]", work: Callable[[Any], AsyncIterator[T]]
    ) -> tuple[Seat[Any], T, AsyncIterator[T]]:
        """The same, but who is silent for a while is joined by the next, and the first to speak wins."""
        running: dict[asyncio.Task[tuple[T, AsyncIterator[T]] | None], Seat[Any]] = {}
        try:
            while True:
                if (not running or _may_join(left)) and (seat := await self._next(left)) is not None:
                    running[asyncio.create_task(self._try(seat, work, self._share(left)))] = seat
                    patience = self.hedge_seconds
                elif running:
                    patience = None  # all who may join have joined
                else:
                    raise self._verdict()
                done, _ = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    seat = running.pop(task)
                    if (begun := task.result()) is not None:
                        return seat, *begun
        finally:
            await _called_off(running)

    async def _next(self, left: "deque[Seat[Any]]") -> Seat[Any] | None:
        """The next that can be asked now."""
        while left:
            seat = left.popleft()
            if not await self._settled(seat):
                self.absent.append(seat)
                if not self.skip_loading:
                    left.clear()  # a later engine would guess at what this one is about to know
            elif seat.engine is None or not seat.begin():
                self.absent.append(seat)
            else:
                return seat
        return None

    async def _try(
        self, seat: Seat[Any], work: Callable[[Any], AsyncIterator[T]], seconds: float
    ) -> tuple[T, AsyncIterator[T]] | None:
        """The first piece and the rest; None: it did not answer, and why was noted."""
        try:
            begun = await self._first_piece(seat, work, seconds)
        except Declined as exc:
            self.declined.append(exc)
        except TooBusy as exc:  # as many as it may be asked at a time are under way
            self.full.append(exc)
        except EngineFailed as exc:
            seat.failed(exc)
            self.failures.append((seat.name, exc))
        else:
            seat.spoke()
            return begun
        finally:
            seat.let_off()
        return None

    async def _settled(self, seat: Seat[Any]) -> bool:
        """Whether loading has come to an end within the budget."""
        if seat.settled.is_set():
            return True
        try:
            async with asyncio.timeout(max(0.0, self.deadline - monotonic())):
                await seat.settled.wait()
        except TimeoutError:
            return False
        return True

    def _share(self, left: "deque[Seat[Any]]") -> float:
        """Seconds for the engine now asked, before those that are left."""
        engines = [seat.engine for seat in left]
        later = [engine for engine in engines if engine is not None and self.willing(engine)]
        if not later:
            return max(self.last_deadline - monotonic(), self.least_seconds)
        reserved: float = sum(engine.first_byte_seconds for engine in later)
        return max(self.deadline - monotonic() - reserved, self.least_seconds)

    async def _first_piece(
        self, seat: Seat[Any], work: Callable[[Any], AsyncIterator[T]], seconds: float
    ) -> tuple[T, AsyncIterator[T]]:
        pieces = work(seat.engine)
        patience = asyncio.timeout(seconds)
        try:
            async with patience:
                return await anext(pieces), pieces
        except BaseException as exc:
            await close(pieces)
            raise _translated(seat.name, exc, seconds if patience.expired() else None) from exc

    def _verdict(self) -> ApiError:
        """What to tell the caller when nobody answered."""
        if self.failures:
            failure = self.failures[0][1]
            failure.body["message"] = "; ".join(f"{name}: {exc}" for name, exc in self.failures)
            return failure
        if self.full:
            return self.full[0]
        states = [(seat.name, seat.state) for seat in self.absent]
        lost = all(state.state == "unavailable" and state.seconds is None for _, state in states)
        if self.absent and not (self.declined and lost):
            told = "; ".join(f"{name} is {state.state} ({_detail(state)})" for name, state in states)
            waits = [state.seconds for _, state in states if state.seconds is not None]
            loading = any(state.state == "loading" for _, state in states)
            return NotReady(f"No engine can answer now: {told}.", retry_after=min(waits, default=5 if loading else 30))
        if len(self.declined) == 1:
            return self.declined[0]
        return BadRequest(" ".join(map(str, self.declined)), param=self.declined[0].body["param"])


def _may_join(left: Sequence[Seat[Any]]) -> bool:
    """Whether the next can be asked beside others: to wait for its loading would be not to hear them."""
    return bool(left) and left[0].settled.is_set() and not getattr(left[0].engine, "stands_in", False)


async def _called_off(running: Mapping[asyncio.Task[Any], Seat[Any]]) -> None:
    """End the work of those who lost."""
    for task in running:
        task.cancel()
    if not running:
        return
    await asyncio.wait(running)
    for task in running:
        if not task.cancelled() and task.exception() is None and (begun := task.result()) is not None:
            await close(begun[1])  # it spoke while it was called off


def _translated(name: str, exc: BaseException, silent_seconds: float | None) -> BaseException:
    """What an engine raised before its first piece, in terms of the chain."""
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


def _detail(state: State) -> str:
    return f"{state.detail}, {state.progress:.0%}" if state.progress is not None else str(state.detail)


def _until(moment: float | None) -> float | None:
    return None if moment is None else round(max(0.0, moment - monotonic()), 1)


async def _in_daemon_thread(function: Callable[[], T]) -> T:
    """Run something that may take minutes, such as a download, in a thread that does not hold up the exit."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], value: object) -> None:
        if not result.done():
            setter(value)

    def run() -> None:
        try:
            value = function()
        except BaseException as exc:
            outcome: tuple[Callable[[Any], None], object] = (result.set_exception, exc)
        else:
            outcome = (result.set_result, value)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await result
