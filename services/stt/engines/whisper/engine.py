"""Whisper, by faster-whisper in this process: every language; the weights come from a folder or a hub."""

import asyncio
import logging
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing
from pathlib import Path
from time import monotonic
from typing import Any, Literal, Self

import numpy as np

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed, EngineUnavailable, TooBusy
from chassis.settings import Options, read
from chassis.threads import Stop, pieces, set_back
from chassis.threads import workers as threads
from chassis.weights import hub
from stt.admission import Full
from stt.engines import Engine
from stt.engines.whisper import weights
from stt.engines.whisper.batching import Batching
from stt.engines.whisper.windows import Utterance, Windows
from stt.hearing import RATE, Heard, Hints, Pcm, Segment, Word
from stt.machine import cores, give_memory_back, memory_bytes
from stt.sound import vad
from stt.text.languages import UnknownLanguage, code_of

PART_SECONDS = 28.0
"""Whisper looks at 30 s at a time."""
GAP_SECONDS = 2.0
FALLBACKS = (0.0, 0.4, 0.8)
"""Temperatures to try one after the other where a result looks bad, unless the caller names one."""
TOKENS_AT_LEAST, TOKENS_PER_SECOND = 24, 16
"""Nobody speaks faster; a model that is caught in a loop writes on until it is stopped."""
ALL_TOKENS = 440
"""What fits into Whisper's context beside its marks."""

FASTER_TOGETHER = 6
"""Than padded and alone: by so much at least are short utterances of many heard (`make bench ONLY=stt_short`)."""

MANY_CORES = 8
LITTLE_MEMORY, MUCH_MEMORY = 2**30, 3 * 2**30
"""In int8, `small` takes some 0.9 GB with all that surrounds it; what the callers say comes on top."""

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
    short_windows: bool = True
    """`on`: short speech gets a window that fits it and shares batches with other callers; `off`: each is padded to 30
    s and decoded alone."""
    batch: int = 8
    """Utterances decoded together; on CUDA this is the start, and it grows as far as memory lasts."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The models, the one that is meant first."""
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
        windows: The same model, which may detect some languages only.
        batching: Hears what is short.
    """

    first_byte_seconds = 2.0

    def __init__(
        self,
        model: Any,
        *names: str,
        workers: int = 1,
        beam_size: int = 1,
        hotwords: str = "",
        windows: Windows | None = None,
        batching: Batching | None = None,
    ) -> None:
        self.model, self.models, self.beam_size = model, names, beam_size
        self.hotwords, self.windows, self.batching = hotwords, windows, batching
        self.languages = frozenset(model.supported_languages)
        self.only = "en" if self.languages == {"en"} else None
        self._executor = threads(workers, "whisper")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        wanted = read(WhisperOptions).wanted[0]
        return cls.of(wanted, fetched(wanted, report), report)

    @classmethod
    def of(cls, wanted: str, folder: Path, report: Report) -> Self:
        """The model in `folder`, called `wanted` by the operator.

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
        windows = Windows(model, languages=languages, beam_size=options.beam_size)
        engine = cls(
            model,
            *names,
            workers=workers,
            beam_size=options.beam_size,
            hotwords=hearing.hotwords,
            windows=windows,
            batching=Batching(windows, batch=options.batch) if options.short_windows else None,
        )
        report(f"warming up {shown}", None)
        began = monotonic()
        try:
            engine.warm_up()
        except (RuntimeError, ValueError) as exc:  # CTranslate2 raises nothing finer
            log.warning("the model %s cannot be used", shown, exc_info=exc)
            raise EngineUnavailable(f"The model {shown} does not work; the log has the details.") from exc
        if engine.batching is not None:
            engine.batching.pace.seconds = (monotonic() - began) / FASTER_TOGETHER
        return engine

    def warm_up(self) -> None:
        """Makes the first caller's answer as quick as the others, and shows that the model works at all."""
        noise = np.random.default_rng(0).normal(0, 0.01, RATE).astype(np.float32)
        vad.probabilities(noise, Stop())
        heard, _ = self.model.transcribe(noise, language=self._language("en"), temperature=0, max_new_tokens=4)
        for _ in heard:
            pass

    def hears(self, language: str | None) -> bool:
        return language is None or self._language(language) in self.languages

    def _language(self, code: str) -> str:
        """As the model calls it; most know Cantonese only as Chinese."""
        return "zh" if code == "yue" and code not in self.languages else code

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        if not self.hears(hints.language):
            raise Declined(f"This Whisper model does not hear {hints.language!r}.", param="language")
        if self.batching is not None and (heard := await self._short(self.batching, pcm, hints)):
            yield heard
            return
        async with aclosing(pieces(self._executor, lambda stop: self._listen(pcm, hints, stop))) as parts:
            try:
                async for piece in parts:
                    yield piece
            except (RuntimeError, ValueError) as exc:  # CTranslate2 raises nothing finer
                raise EngineFailed("whisper broke off") from exc

    async def _short(self, batching: Batching, pcm: Pcm, hints: Hints) -> Heard | None:
        """What was said, where that fits in a window."""
        utterance = Utterance(
            pcm=pcm,
            language=None if hints.language is None else self._language(hints.language),
            prompt=hints.prompt,
            hotwords=self.hotwords,
            temperature=hints.temperature,
            words=hints.words,
        )
        try:
            return await batching.hear(utterance)
        except Full as exc:
            raise TooBusy("Too many are speaking. Try again in a moment.", retry_after=exc.seconds) from exc
        except (RuntimeError, ValueError) as exc:  # CTranslate2 raises nothing finer
            raise EngineFailed("whisper broke off") from exc

    def _listen(self, pcm: Pcm, hints: Hints, stop: Stop) -> Generator[Heard, None, None]:
        language = None if hints.language is None else self._language(hints.language)
        before = hints.prompt or "" if self.windows is None else self.windows.previous(hints.prompt, self.hotwords)
        for begin, end in vad.parts(pcm, stop, longest_seconds=PART_SECONDS, gap_seconds=GAP_SECONDS):
            if stop:
                return
            if language is None and self.windows is not None:
                language = self.windows.language_of(pcm[begin:end])
            heard, info = self.model.transcribe(
                pcm[begin:end],
                language=language,
                initial_prompt=before or None,
                temperature=hints.temperature or FALLBACKS,
                beam_size=self.beam_size,
                best_of=1,
                condition_on_previous_text=False,  # it makes one loop go on into the next part
                max_new_tokens=most_tokens((end - begin) / RATE, len(before)),
                word_timestamps=hints.words,
            )
            language = info.language
            for number, part in enumerate(heard):
                if number and part.start > (end - begin) / RATE - vad.PAD_SECONDS:
                    break  # the last word is over: what comes now is invented
                yield Heard(language=language, segments=(_segment(part, begin / RATE, end / RATE),))
                if stop:
                    return
        yield Heard(language=language or "en")

    async def aclose(self) -> None:
        if self.batching is not None:
            await asyncio.to_thread(self.batching.close)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def unload(self) -> None:
        """Free its memory, after `aclose`. Blocks."""
        self._executor.shutdown()  # what was under way
        self.windows = self.batching = None
        self.model.model.unload_model()
        self.model = None
        give_memory_back()


def fetched(wanted: str, report: Report) -> Path:
    """The folder of a model, fetched if need be.

    Raises:
        EngineUnavailable: It cannot be had.
    """
    return weights.find(wanted, report, read(hub.HubOptions))


def names_of(wanted: str, folder: Path) -> tuple[str, ...]:
    """What callers may call a model that the operator calls `wanted`; a path is nobody's business."""
    shown = Path(wanted).name
    return (shown,) if Path(wanted) == folder or shown == wanted else (shown, wanted)


def best_here(device: str) -> str:
    """The largest model with which this machine still answers a toy in time."""
    if device != "cpu":
        import ctranslate2

        if ctranslate2.get_cuda_device_count() > 0:
            return "large-v3-turbo"
    if memory_bytes() < LITTLE_MEMORY:
        return "tiny"
    return "small" if cores() >= MANY_CORES and memory_bytes() >= MUCH_MEMORY else "base"


def most_tokens(seconds: float, before: int) -> int:
    """What to allow faster-whisper so that all that can be said has room, after `before` tokens of prompt."""
    said = int(TOKENS_AT_LEAST + TOKENS_PER_SECOND * seconds)
    return min(2 * said, ALL_TOKENS - before)  # CTranslate2 uses half, as OpenAI does


def _segment(part: Any, begin: float, end: float) -> Segment:
    def at(seconds: float) -> float:
        return round(float(min(begin + seconds, end)), 2)  # it may be one of numpy's

    return Segment(
        start=at(part.start),
        end=at(part.end),
        text=part.text.rstrip(),
        tokens=tuple(part.tokens),
        temperature=part.temperature or 0.0,
        avg_logprob=float(part.avg_logprob),
        compression_ratio=float(part.compression_ratio),
        no_speech_prob=float(part.no_speech_prob),
        words=tuple(Word(word.word.strip(), at(word.start), at(word.end)) for word in part.words or ()),
    )


def device_of(options: WhisperOptions) -> str:
    """`cpu` or `cuda`."""
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
