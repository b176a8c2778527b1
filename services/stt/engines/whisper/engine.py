"""Whisper, by faster-whisper in this process: every language; the weights come from a folder or a hub."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing
from pathlib import Path
from time import monotonic
from typing import Any, Literal, Self

from msgspec.structs import replace

from chassis.chain.attempt import asked_until
from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed, EngineUnavailable, TooBusy
from chassis.settings import Options, read
from chassis.threads import Stop, cores, pieces, set_back
from chassis.threads import workers as threads
from chassis.weights import hub
from stt.admission import Full
from stt.engines import Engine
from stt.engines.whisper import weights
from stt.engines.whisper.batching import Batching
from stt.engines.whisper.decoding import Utterance
from stt.engines.whisper.windows import Windows
from stt.hearing import RATE, Heard, Hints, Pcm
from stt.machine import give_memory_back, memory_bytes
from stt.sound import vad
from stt.text.languages import UnknownLanguage, code_of

PART_SECONDS = 15.0
"""The longest part that is heard at once. Whisper could take 30 s; but base takes four times as long for the 30 s as
for two windows of 15, parts are heard by several cores, and nobody waits long for one to end."""
GAP_SECONDS = 2.0
"""Longest silence within a part that is transcribed."""

_MANY_CORES = 8
_LITTLE_MEMORY, _MUCH_MEMORY = 2**30, 3 * 2**30
"""Bytes below which `tiny` is chosen, and from which on `small` may be: in int8, that takes some 0.9 GB with everything
around it, and the sound of the callers comes on top."""

log = logging.getLogger("talkbox.whisper")


class WhisperOptions(Options, frozen=True, kw_only=True):
    """The engine `whisper`: OpenAI's Whisper through faster-whisper."""

    prefix = "WHISPER_"
    model: str = "base"
    """Model: a short name (`tiny`, `base`, `small`, `large-v3-turbo` …), `owner/name` at the hub, a folder, or `auto`:
    the largest that this machine runs in a toy's time."""
    models: tuple[str, ...] = ()
    """Several models, `base,small`: the first is the default, another is asked for as `whisper/small`."""
    idle_seconds: float = 0.0
    """Time without a caller after which a model is unloaded until the next caller; 0: never."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Hardware to run on: `auto`, `cpu` or `cuda`."""
    compute_type: str = "auto"
    """CTranslate2's type of numbers; `auto`: int8 on a CPU, float16 on CUDA."""
    beam_size: int = 1
    """Width of the beam search; a larger one is slower and sometimes better."""
    workers: int = 0
    """Batches transcribed at a time, each on one core; 0: the number of cores."""
    batch: int = 8
    """Utterances decoded together; on CUDA this is the start, and it grows as far as memory lasts."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Models to load, the default first."""
        return tuple(best_here(self.device) if name == "auto" else name for name in self.models or (self.model,))


class HearingOptions(Options, frozen=True, kw_only=True):
    """Hints for recognition."""

    prefix = "STT_"
    languages: tuple[str, ...] = ()
    """The only languages that may be detected, `zh,en`; any other counts as the likeliest of them. Empty: any."""
    hotwords: str = ""
    """Names that are hard to spell, of toys and children, for `whisper`: `Bunny,小熊`."""


class Whisper(Engine):
    """Any of Whisper's models.

    Args:
        model: faster-whisper's `WhisperModel`.
        names: What callers may call it.
        batching: The same model, asked by many at once.
    """

    first_byte_seconds = 2.0

    def __init__(self, model: Any, *names: str, batching: Batching, workers: int = 1, hotwords: str = "") -> None:
        self.model, self.models, self.batching = model, names, batching
        self.workers, self.hotwords = workers, hotwords
        self.languages = frozenset(model.supported_languages)
        self.only = "en" if self.languages == {"en"} else None
        self._executor = threads(workers, "whisper")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        wanted = read(WhisperOptions).wanted[0]
        return cls.of(wanted, fetched(wanted, report), report)

    @classmethod
    def of(cls, wanted: str, folder: Path, report: Report) -> Self:
        """Load the model in `folder`, called `wanted` by the operator.

        Raises:
            EngineUnavailable: It cannot be loaded.
        """
        options, hearing = read(WhisperOptions), read(HearingOptions)
        try:
            languages = [code for name in hearing.languages if (code := code_of(name))]
        except UnknownLanguage as exc:
            raise EngineUnavailable(f"STT_LANGUAGES: {exc}") from exc
        workers = options.workers or cores()
        names = names_of(wanted, folder)
        shown = names[0]
        report(f"loading the weights of {shown}", None)
        model = _load(folder, options, workers)
        report(f"warming up {shown}", None)
        try:
            windows = Windows(model, languages=languages, beam_size=options.beam_size)
            windows.warm_up()
            began = monotonic()
            windows.warm_up()
        except (RuntimeError, ValueError) as exc:  # CTranslate2 raises nothing finer
            log.warning("the model %s cannot be used", shown, exc_info=exc)
            raise EngineUnavailable(f"The model {shown} does not work; the log has the details.") from exc
        batching = Batching(windows, batch=options.batch, pace_seconds=(monotonic() - began) / workers)
        return cls(model, *names, batching=batching, workers=workers, hotwords=hearing.hotwords)

    @property
    def active_at(self) -> float:
        return self.batching.active_at

    def hears(self, language: str | None) -> bool:
        return language is None or self._language(language) in self.languages

    def _language(self, code: str) -> str:
        """Return the model's code for a language; most models know Cantonese only as Chinese."""
        return "zh" if code == "yue" and code not in self.languages else code

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        if not self.hears(hints.language):
            raise Declined(f"This Whisper model does not hear {hints.language!r}.", param="language")
        utterance = Utterance(
            pcm=pcm,
            language=None if hints.language is None else self._language(hints.language),
            prompt=hints.prompt,
            candidates=tuple(map(self._language, hints.candidates)),
            hotwords=", ".join(filter(None, (*hints.hotwords, self.hotwords))),
            temperature=hints.temperature,
            words=hints.words,
        )
        heard = None
        async with aclosing(self._heard(utterance)) as parts:
            async for heard in parts:
                yield heard
        if heard is None:
            yield Heard(language=utterance.language or "en")

    async def _heard(self, utterance: Utterance) -> AsyncGenerator[Heard, None]:
        """Yield the parts of an utterance in their order; once the language is known, several are heard at a time."""
        left = deque(await self._parts(utterance.pcm))
        ahead: deque[tuple[float, asyncio.Task[Heard]]] = deque()
        begun = False
        try:
            while left or ahead:
                while left and len(ahead) < (self.workers if utterance.language else 1):
                    begin, end = left.popleft()
                    part = replace(utterance, pcm=utterance.pcm[begin:end])
                    ahead.append((begin / RATE, asyncio.create_task(self._hear(part, patient=begun))))
                    begun = True
                begin_seconds, task = ahead[0]
                heard = await task
                ahead.popleft()
                if heard.segments:
                    utterance = replace(utterance, language=heard.language)
                segments = tuple(segment.later(begin_seconds) for segment in heard.segments)
                yield Heard(language=heard.language, segments=segments)
        finally:
            for _, task in ahead:
                task.cancel()
            await asyncio.gather(*(task for _, task in ahead), return_exceptions=True)

    async def _parts(self, pcm: Pcm) -> list[vad.Span]:
        """Return where the parts of a sound begin and end, each short enough for a window."""
        if len(pcm) <= PART_SECONDS * RATE:
            return [(0, len(pcm))]

        def cut(stop: Stop) -> Generator[list[vad.Span], None, None]:
            yield vad.parts(pcm, stop, longest_seconds=PART_SECONDS, gap_seconds=GAP_SECONDS)

        async with aclosing(pieces(self._executor, cut)) as only:
            return await anext(only)

    async def _hear(self, utterance: Utterance, *, patient: bool) -> Heard:
        try:
            return await self.batching.hear(utterance, patient=patient, within_seconds=asked_until.get() - monotonic())
        except Full as exc:
            raise TooBusy(
                "Too many are speaking. Try again in a moment.", reason="pace", retry_after=exc.seconds
            ) from exc
        except (RuntimeError, ValueError) as exc:  # CTranslate2 raises nothing finer
            raise EngineFailed("whisper broke off") from exc

    async def aclose(self) -> None:
        await asyncio.to_thread(self.batching.close)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def unload(self) -> None:
        """Free its memory, after `aclose`. Blocks."""
        self._executor.shutdown()  # after what is under way
        self.model.model.unload_model()
        del self.model, self.batching
        give_memory_back()


def fetched(wanted: str, report: Report) -> Path:
    """Return the folder of a model, fetched if need be.

    Raises:
        EngineUnavailable: It cannot be had.
    """
    return weights.find(wanted, report, read(hub.HubOptions))


def names_of(wanted: str, folder: Path) -> tuple[str, ...]:
    """Return the names that callers may use for a model that the operator calls `wanted`; a path stays private."""
    shown = Path(wanted).name
    return (shown,) if Path(wanted) == folder or shown == wanted else (shown, wanted)


def best_here(device: str) -> str:
    """Return the largest model with which this machine still answers a toy in time."""
    if device != "cpu":
        import ctranslate2

        if ctranslate2.get_cuda_device_count() > 0:
            return "large-v3-turbo"
    if memory_bytes() < _LITTLE_MEMORY:
        return "tiny"
    return "small" if cores() >= _MANY_CORES and memory_bytes() >= _MUCH_MEMORY else "base"


def device_of(options: WhisperOptions) -> str:
    """Return `cpu` or `cuda`."""
    import ctranslate2

    if options.device != "auto":
        return options.device
    return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"


def _load(folder: Path, options: WhisperOptions, workers: int) -> Any:
    from faster_whisper import WhisperModel

    device = device_of(options)
    compute_type = options.compute_type
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    try:
        count = 1 if device == "cuda" else workers
        return set_back(
            lambda: WhisperModel(
                str(folder), device=device, compute_type=compute_type, cpu_threads=1, num_workers=count
            )
        )
    except (RuntimeError, ValueError, OSError) as exc:  # CTranslate2 raises nothing finer
        log.warning("the model in %s cannot be loaded", folder, exc_info=exc)
        message = f"Cannot load {Path(options.model).name} as {compute_type} on {device}; the log has the details."
        raise EngineUnavailable(f"{message} See WHISPER_MODEL, WHISPER_COMPUTE_TYPE and WHISPER_DEVICE.") from exc
