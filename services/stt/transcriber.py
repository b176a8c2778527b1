"""Opens recordings and has them transcribed, with all that the requests of this service share."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from chassis import metrics, trace
from chassis.chain.answer import Answer, Work
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.errors import BadRequest, EngineFailed, NotFound
from chassis.guard.options import HEADER
from stt.encode import Transcript
from stt.engines import Engine
from stt.hearing import Heard, Hints, Script
from stt.piecewise import hear
from stt.sound.recording import Recording, Recordings
from stt.sound.unreadable import explain
from stt.stand_in import ASSUMED_HEADER, Suitability
from stt.text.chinese_script import written
from stt.wire import TranscriptionRequest, hints

if TYPE_CHECKING:
    from chassis.guard.guard import Guard
    from stt.guarding import Ear

T = TypeVar("T")
SHORT_SECONDS = 20.0
"""Length up to which the budget is as set; a longer recording gets as much more as it is longer."""


class Dictation(Struct, frozen=True):
    """The recording that one request asks to be written down, and the hints for it. Any engine may do it."""

    recording: Recording
    hints: Hints
    suitability: Suitability
    ear: "Ear | None"
    """The guard of this request; None where it is off."""
    came: float
    """The moment at which the request was parsed, by `monotonic`."""

    def headers(self, answer: Answer[T, str | None]) -> dict[str, str]:
        """Return the headers that say which engine answered, what it assumed, and what the guard noted."""
        assumed = {} if answer.record is None else {ASSUMED_HEADER: answer.record}
        kind = {} if self.ear is None or self.ear.kind is None else {HEADER: self.ear.kind}
        return {ENGINE_HEADER: answer.engine} | assumed | kind

    def noted(self) -> dict[str, dict[str, str]]:
        """Return the field that says what the guard noted, for the end of a stream whose headers have left."""
        return {} if self.ear is None or self.ear.kind is None else {"guard": {"kind": self.ear.kind}}

    def needs(self, engine: Engine) -> float | None:
        """Return the seconds that an engine usually needs for the recording; None for one that would decline."""
        return engine.needs(self.recording.seconds) if self.suitability.suits(engine) else None

    def piecewise(self, engine: Engine, model: str | None) -> Work[Heard, str | None]:
        """Begin an engine's work, of which each piece leaves as it comes; its record is the language it assumes."""
        return Work(self._heard(engine, model), self.suitability.assumed_by(engine))

    def whole(self, engine: Engine, model: str | None) -> Work[Transcript, str | None]:
        """Begin an engine's work, whose one piece is the transcript; its record is the language it assumes."""
        return Work(self._transcript(self._heard(engine, model)), self.suitability.assumed_by(engine))

    async def _heard(self, engine: Engine, model: str | None) -> AsyncGenerator[Heard, None]:
        if model is not None and engine.models and model not in engine.models:
            known = ", ".join(engine.models)
            raise NotFound(f"This engine has no model {model!r}, but {known}.", param="model", code="model_not_found")
        self.suitability.check(engine)
        try:
            async with aclosing(hear(engine, self.recording, replace(self.hints, model=model))) as pieces:
                listened = (written(heard, self.hints) async for heard in pieces)
                async for heard in listened if self.ear is None else self.ear.judged(listened):
                    yield heard
        except EngineFailed:
            self.suitability.failed(engine)
            raise

    async def _transcript(self, pieces: AsyncGenerator[Heard, None]) -> AsyncIterator[Transcript]:
        async with aclosing(pieces):
            heard = [piece async for piece in pieces]
        segments = tuple(segment for piece in heard for segment in piece.segments)
        yield Transcript(language=heard[0].language, seconds=self.recording.seconds, segments=segments)


class Transcriber:
    """Transcribes for all callers of the service.

    Args:
        language: The language where the caller names none.
        script: Characters for Chinese where the caller names none.
        guard: Judges what was said before it is written down; None: it is off.
    """

    def __init__(
        self,
        chain: Chain[Engine],
        recordings: Recordings,
        language: str | None,
        script: Script | None,
        guard: "Guard | None",
    ) -> None:
        self._chain, self._recordings, self._guard = chain, recordings, guard
        self._language, self._script = language, script

    @asynccontextmanager
    async def dictation(
        self, wanted: TranscriptionRequest, file: BinaryIO, key: str | None
    ) -> AsyncIterator[Dictation]:
        """Open what a request of the caller with this key asks to be written down, until the block ends.

        Raises:
            BadRequest: The form, or the sound in it, cannot be used.
            TooBusy: No place for a long recording came free in time.
        """
        came = monotonic()
        told, ear = hints(wanted, self._language, self._script), self._ear(key)
        async with AsyncExitStack() as stack:
            with trace.stage("decode"):
                recording = await stack.enter_async_context(_opened(self._recordings, file))
            suitability = Suitability(self._chain.pick(wanted.model)[0], told.language)
            yield Dictation(recording, told, suitability, ear, came)

    @asynccontextmanager
    async def answer(
        self, dictation: Dictation, work: Callable[[Engine, str | None], Work[T, str | None]], key: str | None
    ) -> AsyncIterator[Answer[T, str | None]]:
        """Ask the engines for a dictation's `piecewise` or `whole`, and close the answer when the block ends.

        Raises:
            TooBusy: No place in time.
            EngineFailed: No engine made it out in time.
        """
        seconds = dictation.recording.seconds
        answer = await self._chain.answer(
            dictation.hints.named,
            work,
            skip_loading=dictation.hints.language is not None,
            extra_seconds=max(0.0, seconds - SHORT_SECONDS),
            came=dictation.came,
            needs=dictation.needs,
        )
        async with aclosing(answer):
            metrics.of(metrics.sound_seconds, answer.engine).inc(seconds)
            metrics.of(metrics.key_sound_seconds, key or "").inc(seconds)
            yield answer

    def _ear(self, key: str | None) -> "Ear | None":
        if self._guard is None or (watch := self._guard.watch(key)) is None:
            return None
        from stt.guarding import Ear  # only where the guard is on

        return Ear(watch)


@asynccontextmanager
async def _opened(recordings: Recordings, file: BinaryIO) -> AsyncIterator[Recording]:
    """Open a recording; where that fails, say what was uploaded instead.

    Raises:
        BadRequest: It is no sound, too little, or too much.
    """
    async with AsyncExitStack() as stack:
        try:
            recording = await stack.enter_async_context(recordings.open(file))
        except BadRequest as exc:
            if exc.body["code"] in (None, "audio_too_short") and (message := explain(file)):
                raise BadRequest(message, param="file") from exc
            raise
        yield recording
