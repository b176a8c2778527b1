"""Several Whisper models side by side, `whisper/base`, `whisper/small`: loaded when asked for, put away when idle."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineFailed, EngineUnavailable, NotReady
from chassis.settings import read
from stt.engines import Engine
from stt.engines.whisper.engine import Whisper, WhisperOptions, device_of, fetched, names_of
from stt.hearing import Heard, Hints, Pcm
from stt.machine import free_bytes

LOADING_SECONDS = 4.0
"""A caller who has waited so long for a model is told how far it is, before he hangs up."""
TAKES = 1.5
"""Memory that loading a model takes, in sizes of its file: it is read whole, and kept in int8."""

SPARE = "base"
"""Model that is loaded where those of the settings cannot be fetched."""

log = logging.getLogger("talkbox.whisper")


@dataclass(frozen=True)
class Listed:
    """A model that the operator listed.

    Args:
        bytes: Memory that loading it takes.
    """

    names: Sequence[str]
    load: Callable[[Report], Whisper]
    bytes: int = 0


class _Place:
    """One model's."""

    def __init__(self, listed: Listed) -> None:
        self.listed, self.name = listed, listed.names[0]
        self.model: Whisper | None = None
        self.loading: asyncio.Task[Whisper] | None = None
        self.told: tuple[str, float | None] = (f"{self.name} waits to be loaded", None)
        self.users = 0
        self.idle_since = monotonic()

    @property
    def progress(self) -> str:
        doing, part = self.told
        return doing if part is None else f"{doing}, {part:.0%}"

    def report(self, doing: str, part: float | None) -> None:
        self.told = (doing, part)


class Shelf(Engine):
    """The models that the operator listed, the first of which is meant where nobody names one.

    Where memory does not suffice for one that is asked for, those that nobody has asked for longest make room.

    Args:
        first: The first of them, loaded.
        idle_seconds: After which a model that nobody asked for is put away; 0: never.
        free: How much memory there is.
    """

    first_byte_seconds = Whisper.first_byte_seconds

    def __init__(
        self,
        models: Sequence[Listed],
        *,
        first: Whisper | None = None,
        idle_seconds: float = 0.0,
        loading_seconds: float = LOADING_SECONDS,
        free: Callable[[], int] = free_bytes,
    ) -> None:
        self._places = [_Place(listed) for listed in models]
        self._places[0].model = first
        self._first_hears = first.hears if first is not None else lambda language: True
        self.only = None if first is None else first.only
        self._idle_seconds, self._loading_seconds, self._free = idle_seconds, loading_seconds, free
        self._one_at_a_time = asyncio.Lock()
        self._tidying: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.models = tuple(dict.fromkeys(name for listed in models for name in listed.names))

    @classmethod
    def load(cls, name: str, report: Report) -> Engine:  # type: ignore[override]  # or the one model itself
        """Fetch all weights and load the first model. A lone one that stays loaded needs no shelf.

        Raises:
            EngineUnavailable: The weights cannot be had, nor those of `base` instead.
        """
        options = read(WhisperOptions)
        wanted = options.wanted
        try:
            found = [fetched(model, report) for model in wanted]
        except EngineUnavailable as exc:
            return _base_instead(wanted, exc, report)
        first = Whisper.of(wanted[0], found[0], report)
        if len(wanted) == 1 and not options.idle_seconds:
            return first

        def listed(model: str, folder: Path) -> Listed:
            weights = 0 if device_of(options) == "cuda" else (folder / "model.bin").stat().st_size
            return Listed(
                names_of(model, folder), lambda report: Whisper.of(model, folder, report), round(TAKES * weights)
            )

        return cls(list(map(listed, wanted, found)), first=first, idle_seconds=options.idle_seconds)

    @classmethod
    def fetch(cls, name: str, model: str, report: Report) -> tuple[Path, ...]:
        """Fetch ahead what `load` would; `model` wins over the settings.

        Raises:
            EngineUnavailable: It cannot be had.
        """
        options = read(WhisperOptions)
        wanted = msgspec.structs.replace(options, model=model, models=()) if model else options
        return tuple(fetched(each, report) for each in wanted.wanted)

    @property
    def loaded(self) -> tuple[str, ...]:
        """The names of what is in memory."""
        return tuple(place.name for place in self._places if place.model is not None)

    @property
    def detail(self) -> str:
        """What is in memory, and what is being loaded and how far, for /readyz."""
        loading = [place.progress for place in self._places if place.loading is not None]
        return "; ".join([f"in memory: {', '.join(self.loaded) or 'none'}", *loading])

    def hears(self, language: str | None) -> bool:
        return self._first_hears(language)

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        place = next((place for place in self._places if hints.model in place.listed.names), self._places[0])
        place.users += 1
        try:
            model = place.model or await self._taken(place)
            async with aclosing(model.transcribe(pcm, hints)) as pieces:  # type: ignore[type-var]  # a generator
                async for piece in pieces:
                    yield piece
        finally:
            place.users -= 1
            place.idle_since = monotonic()
            self._tidy_later()

    async def _taken(self, place: _Place) -> Whisper:
        """The model, which has to be loaded first; who does not wait for that finds it done the next time.

        Raises:
            EngineFailed: It cannot be loaded.
            NotReady: It takes longer than a caller waits.
        """
        if place.loading is None:
            place.loading = asyncio.create_task(self._load(place))
        try:
            async with asyncio.timeout(self._loading_seconds):
                return await asyncio.shield(place.loading)
        except EngineUnavailable as exc:
            raise EngineFailed(str(exc)) from exc
        except TimeoutError as exc:
            raise NotReady(f"Not ready yet: {place.progress}. Try again in a moment.", retry_after=5) from exc

    async def _load(self, place: _Place) -> Whisper:
        try:
            async with self._one_at_a_time:  # what the one takes, the next one finds taken
                await self._make_room(place.listed.bytes)
                place.model = await _in_daemon_thread(lambda: place.listed.load(place.report))
            return place.model
        finally:
            place.loading, place.idle_since = None, monotonic()
            self._tidy_later()

    async def _make_room(self, needed: int) -> None:
        while self._free() < needed:
            idle = [place for place in self._places if place.model is not None and not place.users]
            if not idle:
                return
            await self._put_away(min(idle, key=lambda place: place.idle_since))

    def _tidy_later(self) -> None:
        if self._idle_seconds and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._tidy)

    def _tidy(self) -> None:
        """Put away what nobody has asked for long enough; look again when the next may be."""
        self._timer = None
        for place in self._places:
            if place.model is None or place.users:
                continue
            if monotonic() - place.idle_since >= 0.99 * self._idle_seconds:
                task = asyncio.create_task(self._put_away(place))
                self._tidying.add(task)
                task.add_done_callback(self._tidying.discard)
        if any(place.model is not None for place in self._places):
            self._tidy_later()

    async def _put_away(self, place: _Place) -> None:
        """Free its memory, and give it back to the system: the C library would keep it for later."""
        model, place.model = place.model, None
        if model is None:
            return
        await model.aclose()
        await asyncio.to_thread(model.unload)
        log.info("whisper's model %s was put away", place.name)

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loading = [place.loading for place in self._places if place.loading is not None]
        for task in loading:
            task.cancel()
        await asyncio.gather(*self._tidying, *loading, return_exceptions=True)
        for place in self._places:
            if place.model is not None:
                await place.model.aclose()


def _base_instead(wanted: Sequence[str], failure: EngineUnavailable, report: Report) -> Whisper:
    """Load `base`, which the package index has too, where no source has the models of the settings now.

    Raises:
        EngineUnavailable: Nothing is gained by it: `failure` itself.
    """
    if failure.retry_seconds is None or SPARE in wanted:
        raise failure
    try:
        folder = fetched(SPARE, report)
    except EngineUnavailable:
        raise failure from None
    model = Whisper.of(SPARE, folder, report)
    model.detail = f"{SPARE} hears until the next start, since {failure}"
    log.warning("whisper: %s", model.detail)
    return model


async def _in_daemon_thread(function: Callable[[], Whisper]) -> Whisper:
    """A thread that does not hold up the exit."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Whisper] = loop.create_future()

    def settle(model: Whisper | None, error: BaseException | None) -> None:
        if result.cancelled():
            return
        if model is not None:
            result.set_result(model)
        elif error is not None:
            result.set_exception(error)

    def run() -> None:
        model: Whisper | None = None
        error: BaseException | None = None
        try:
            model = function()
        except BaseException as exc:
            error = exc
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, model, error)

    threading.Thread(target=run, name="load", daemon=True).start()
    return await result
