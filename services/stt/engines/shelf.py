"""Several Whisper models side by side, `whisper/base`, `whisper/small`: loaded when asked for, put away when idle."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from time import monotonic

import msgspec

from chassis.chain import Report
from chassis.errors import EngineFailed, EngineUnavailable
from chassis.settings import read
from stt.engines import Engine, Heard, Hints, Pcm
from stt.engines.whisper import Whisper, WhisperOptions, fetched, names_of

log = logging.getLogger("talkbox.whisper")


class _Place:
    """One model's."""

    def __init__(self, names: Sequence[str], load: Callable[[], Whisper]) -> None:
        self.names, self._load = names, load
        self.model: Whisper | None = None
        self.users = 0
        self.idle_since = monotonic()
        self._loading: asyncio.Future[Whisper] | None = None

    async def taken(self) -> Whisper:
        """The model, which may have to be loaded first; who does not wait for that finds it done the next time.

        Raises:
            EngineFailed: It cannot be loaded.
        """
        if self.model is not None:
            return self.model
        if self._loading is None:
            self._loading = asyncio.ensure_future(_in_daemon_thread(self._load))
            self._loading.add_done_callback(self._loaded)
        try:
            return await asyncio.shield(self._loading)
        except EngineUnavailable as exc:
            raise EngineFailed(str(exc)) from exc

    def _loaded(self, loading: "asyncio.Future[Whisper]") -> None:
        self._loading = None
        self.idle_since = monotonic()
        if not loading.cancelled() and loading.exception() is None:
            self.model = loading.result()


class Shelf(Engine):
    """The models that the operator listed, the first of which is meant where nobody names one.

    Args:
        models: Their names, and what loads each.
        first: The first of them, loaded.
        idle_seconds: After which a model that nobody asked for is put away; 0: never.
    """

    first_byte_seconds = Whisper.first_byte_seconds

    def __init__(
        self,
        models: Sequence[tuple[Sequence[str], Callable[[], Whisper]]],
        *,
        first: Whisper | None = None,
        idle_seconds: float = 0.0,
    ) -> None:
        self._places = [_Place(names, load) for names, load in models]
        self._places[0].model = first
        self._first_hears = first.hears if first is not None else lambda language: True
        self._idle_seconds = idle_seconds
        self._tidying: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.models = tuple(dict.fromkeys(name for place in self._places for name in place.names))

    @classmethod
    def load(cls, name: str, report: Report) -> Engine:  # type: ignore[override]  # or the one model itself
        """All weights are fetched, the first model is loaded. A lone one that stays loaded needs no shelf."""
        options = read(WhisperOptions)
        wanted = options.wanted
        found = [fetched(model, report) for model in wanted]
        first = Whisper.of(wanted[0], found[0], report)
        if len(wanted) == 1 and not options.idle_seconds:
            return first

        def loads(model: str, place: int) -> Callable[[], Whisper]:
            return lambda: Whisper.of(model, found[place], lambda doing, part: None)

        models = [(names_of(model, found[place]), loads(model, place)) for place, model in enumerate(wanted)]
        return cls(models, first=first, idle_seconds=options.idle_seconds)

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
        return tuple(place.names[0] for place in self._places if place.model is not None)

    def hears(self, language: str | None) -> bool:
        return self._first_hears(language)

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        place = next((place for place in self._places if hints.model in place.names), self._places[0])
        place.users += 1
        try:
            model = await place.taken()
            async with aclosing(model.transcribe(pcm, hints)) as pieces:  # type: ignore[type-var]  # a generator
                async for piece in pieces:
                    yield piece
        finally:
            place.users -= 1
            place.idle_since = monotonic()
            self._tidy_later()

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
                model, place.model = place.model, None
                task = asyncio.ensure_future(_put_away(model, place.names[0]))
                self._tidying.add(task)
                task.add_done_callback(self._tidying.discard)
        if any(place.model is not None for place in self._places):
            self._tidy_later()

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._tidying)
        for place in self._places:
            if place.model is not None:
                await place.model.aclose()


async def _put_away(model: Whisper, name: str) -> None:
    """Free its memory, and give it back to the system: the C library would keep it for later."""
    await model.aclose()
    await asyncio.to_thread(model.unload)
    log.info("whisper's model %s was put away", name)


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
