"""Who answers: engines in the order they are wanted, their states, the first-byte budget and the breakers."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from chassis import metrics
from chassis.errors import (
    EngineFailed,
    EngineUnavailable,
)
from chassis.settings import SettingError
from chassis.threads import in_daemon_thread

FAILURES_BEFORE_REST = 3

FIRST_REST_SECONDS = 10.0

LONGEST_REST_SECONDS = 300.0

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
        self._loading: tuple[str | None, float | None] = (None, None)
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
                self._ready(await in_daemon_thread(lambda: self.factory(self._report)))
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


def _until(moment: float | None) -> float | None:
    return None if moment is None else round(max(0.0, moment - monotonic()), 1)
