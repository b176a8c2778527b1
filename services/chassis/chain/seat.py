"""One engine's place in the chain: its loading, its state and its breaker."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args

import msgspec

from chassis import metrics
from chassis.errors import EngineFailed, EngineTimeout, EngineUnavailable
from chassis.settings import SettingError
from chassis.threads import in_daemon_thread

FAILURES_BEFORE_REST = 3
FIRST_REST_SECONDS = 10.0
_LONGEST_REST_SECONDS = 300.0
_RELOAD_SECONDS = 60.0
REMEMBERED, LEAST_REMEMBERED = 100, 20
"""Answers of an engine whose time to the first piece is remembered, and the fewest that tell its usual one."""
LEAST_HEDGE_SECONDS = 0.05
"""Shortest silence, if it is measured, after which the next engine is asked too."""

Report = Callable[[str, float | None], None]
"""Takes the progress of loading: what is being done, and the part done (0 to 1; None if unknown)."""

log = logging.getLogger("talkbox.chain")


class Engine(Protocol):
    """Engines as the chain sees them.

    An engine's class also has `load(name, report)`, called in a thread of its own, which returns an engine or raises
    `EngineUnavailable`. These are optional:

    - `detail`: text that /readyz shows beside "ready".
    - `sends_to`: server that gets what is asked; without it nothing leaves this machine's own programs.
    - `keeps`: entries for the sheet of what is kept.
    - `only`: the one language that it knows, which /readyz shows too.
    - `active_at`: moment, by `monotonic`, at which its threads on this machine last took up work. An engine that has
      done so since it was asked is busy, and has not failed a caller whose time is up.
    - `stands_in = True`: the engine only replaces better ones, and is never asked ahead of its turn.
    - `canary()`: a coroutine that proves the engine's health without a caller, or raises. A resting engine that has
      one answers again only once it has returned.
    """

    first_byte_seconds: float
    """Usual time to its first piece; engines ahead of it leave it that much of the budget."""

    async def aclose(self) -> None: ...


E = TypeVar("E", bound=Engine)


Standing = Literal["loading", "ready", "unavailable", "resting"]
STATES: tuple[Standing, ...] = get_args(Standing)


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """State of an engine, as /readyz shows it."""

    state: Standing
    detail: str | None = None
    progress: float | None = None
    """Part of the loading that is done, 0 to 1."""
    seconds: float | None = None
    """Time until the next try (unavailable) or the end of the rest (resting); None if there is none."""
    only: str | None = None
    """The one language that the engine knows; None: several, or it does not matter."""


class Seat(Generic[E]):
    """One engine's place in the chain."""

    def __init__(self, name: str, factory: Callable[[Report], E]) -> None:
        self.name, self.factory = name, factory
        self.engine: E | None = None
        self.settled = asyncio.Event()
        """Set once loading has ended, well or not."""
        self._loading: tuple[str, float | None] = ("waiting to be loaded", None)
        self._unavailable: str | None = None
        self._next_load: float | None = None
        self._failures = 0
        self._rest_seconds = FIRST_REST_SECONDS
        self._resting_until = 0.0
        self._why_resting = ""
        self._on_trial = False
        self._canary: asyncio.Task[None] | None = None
        self._first_pieces = {is_long: deque[float](maxlen=REMEMBERED) for is_long in (False, True)}
        """Seconds to the first piece of the last answers, apart for work that takes longer by its nature."""
        self._shown = ""
        """The state that `/metrics` shows."""
        self._show()

    @classmethod
    def of(cls, name: str, engine: E) -> "Seat[E]":
        """Return a seat whose engine is loaded already."""
        seat = cls(name, lambda _: engine)
        seat._ready(engine)
        return seat

    @property
    def standing(self) -> Standing:
        """The state in one word."""
        if self._unavailable is not None:
            return "unavailable"
        if self.engine is None:
            return "loading"
        if self._tired and (self._canary is not None or monotonic() < self._resting_until):
            return "resting"
        return "ready"

    @property
    def state(self) -> State:
        match self.standing:
            case "unavailable":
                return State("unavailable", self._unavailable, seconds=_until(self._next_load))
            case "loading":
                return State("loading", *self._loading)
            case "resting":
                return State("resting", self._why_resting, seconds=_until(self._resting_until))
            case "ready":
                return State("ready", getattr(self.engine, "detail", None), only=getattr(self.engine, "only", None))

    def _show(self) -> None:
        """Let `/metrics` show the state, if it is another than before."""
        if (standing := self.standing) == self._shown:
            return
        for each in STATES:
            metrics.of(metrics.engine_state, self.name, each).set(each == standing)
        metrics.of(metrics.engine_ready, self.name).set(standing == "ready")
        self._shown = standing

    async def keep_loading(self) -> None:
        """Load the engine, again and again where that may help."""
        logged: str | None = None
        while self.engine is None:
            retry: float | None = _RELOAD_SECONDS
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
                if logged != self._unavailable:
                    log.warning("engine %s is unavailable: %s", self.name, self._unavailable)
                logged = self._unavailable
                self._show()
                if retry is None:
                    return
                self._next_load = monotonic() + retry
                await asyncio.sleep(retry)

    async def aclose(self) -> None:
        """End the engine, and whatever waits for it."""
        if self._canary is not None:
            self._canary.cancel()
        if self.engine is not None:
            await self.engine.aclose()

    def _report(self, doing: str, part: float | None) -> None:
        self._loading = (doing, part)

    def _ready(self, engine: E) -> None:
        self.engine, self._unavailable = engine, None
        self.settled.set()
        self._show()
        log.info("engine %s is ready", self.name)

    def is_active(self, *, since: float) -> bool:
        """Return whether the engine is known to have worked since a moment, by `monotonic`."""
        return bool(getattr(self.engine, "active_at", -inf) >= since)

    @property
    def _has_canary(self) -> bool:
        return getattr(self.engine, "canary", None) is not None

    @property
    def _tired(self) -> bool:
        return self._failures >= FAILURES_BEFORE_REST

    def begin(self) -> bool:
        """Return True if a request may be tried now.

        After a rest one request may, and the others wait for its outcome.
        """
        if not self._tired:
            return True
        if self._canary is not None or self._on_trial or monotonic() < self._resting_until:
            return False
        self._on_trial = True
        return True

    def spoke(self, seconds: float, *, is_long: bool = False) -> None:
        """Record a first piece, and the seconds it took; it ends a trial.

        Args:
            is_long: The work takes longer by its nature, as an answer does that comes whole.
        """
        self._first_pieces[is_long].append(seconds)
        self._on_trial = False
        self._failures = min(self._failures, FAILURES_BEFORE_REST - 1)
        self._show()

    def usual_seconds(self, *, is_long: bool = False) -> float | None:
        """Return the time within which 95 of 100 answers began lately; None while too few are known to tell."""
        known = self._first_pieces[is_long]
        if len(known) < LEAST_REMEMBERED:
            return None
        return max(LEAST_HEDGE_SECONDS, sorted(known)[int(0.95 * len(known))])

    def succeeded(self) -> None:
        """Record an answer that was whole."""
        self._failures, self._rest_seconds = 0, FIRST_REST_SECONDS

    def let_off(self) -> None:
        """End a trial without counting success or failure: declined, a caller's mistake, a caller who left."""
        self._on_trial = False

    def failed(self, failure: EngineFailed) -> None:
        """Count a failure; a few in a row begin a rest, longer each time.

        An engine with a canary rests as soon as it hangs: each caller who tried it would lose those seconds again.
        """
        metrics.failures.labels(self.name, failure.body["code"]).inc()
        log.warning("engine %s failed: %s", self.name, failure)
        self._failures += 1
        if isinstance(failure, EngineTimeout) and self._has_canary:
            self._failures = max(self._failures, FAILURES_BEFORE_REST)
        self._on_trial = False
        if failure.rest_seconds is not None:
            self._failures = max(self._failures, FAILURES_BEFORE_REST)
            self._rest(failure.rest_seconds, failure)
        elif self._tired and monotonic() >= self._resting_until:  # once for all requests that failed together
            self._rest(self._rest_seconds, failure)
            self._rest_seconds = min(2 * self._rest_seconds, _LONGEST_REST_SECONDS)

    def _rest(self, seconds: float, failure: EngineFailed) -> None:
        self._resting_until, self._why_resting = monotonic() + seconds, str(failure)
        if self._canary is None and self._has_canary:
            self._canary = asyncio.create_task(self._recover())
        self._show()
        asyncio.get_running_loop().call_later(seconds, self._show)

    async def _recover(self) -> None:
        """Send a canary after each rest until one returns."""
        canary: Any = getattr(self.engine, "canary", None)
        while True:
            await asyncio.sleep(max(0.0, self._resting_until - monotonic()))
            try:
                await canary()
            except Exception as exc:
                log.info("engine %s is still not well: %s", self.name, exc)
                self._resting_until = monotonic() + self._rest_seconds
                self._rest_seconds = min(2 * self._rest_seconds, _LONGEST_REST_SECONDS)
            else:
                break
        self._canary, self._failures, self._rest_seconds = None, 0, FIRST_REST_SECONDS
        self._show()
        log.info("engine %s is ready again", self.name)


def _until(moment: float | None) -> float | None:
    return None if moment is None else round(max(0.0, moment - monotonic()), 1)
