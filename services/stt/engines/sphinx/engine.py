"""PocketSphinx with the English model of its wheel: no key, no download, no network."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing, asynccontextmanager
from math import isinf
from pathlib import Path
from time import monotonic
from typing import Self

import numpy as np

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed, EngineUnavailable, TooBusy
from chassis.settings import Options, SettingError, read
from chassis.threads import Stop, cores, pieces, workers
from stt.admission import PATIENCE_SECONDS, Full, HearingPace, Place
from stt.engines import Engine
from stt.engines.sphinx.process_pool import ProcessPool
from stt.hearing import RATE, Heard, Hints, Pcm, Segment, Word
from stt.sound import vad

PART_SECONDS = 12.0
"""Longest piece given to a process, which cannot be interrupted until it has heard it."""
GAP_SECONDS = 1.0
_WAITING = 2
"""Recordings that may wait for each process; the service lets in more."""
_PACE_SECONDS = 0.4
"""Time for a second of sound, at least, until it is known; what a murmur costs the processor, if that is more."""
_MURMUR = 0.7
"""Time for a second of speech, in units of that for a second of murmur: 0.5 by flite, 0.9 by a real speaker."""
LEAST_SECONDS = 1.0
"""Least time that engines ahead leave for a short recording."""
SHORT_SECONDS = 10.0
"""Length up to which the patience is as set; a longer recording may take as much longer."""

_THRESHOLD = 1e-20
"""Threshold of a keyword that has none of its own: with a greater one it is found less often, and less often by
mistake."""
LIKELY_ENGLISH = -48.0
"""Likelihood of a frame (as `process.likelihood` has it) below which a recording in an unknown language is declined.

PocketSphinx hears English words in everything; but what is no English fits them badly, and so does an English voice
that it gets mostly wrong, such as eSpeak's. The figures are in services/stt/README.md.
"""

_REMEDY = "Other languages need an engine such as whisper: /status/stt says what keeps it away."


class SphinxOptions(Options, frozen=True, kw_only=True):
    """The engine `sphinx`: PocketSphinx, English only."""

    prefix = "SPHINX_"
    grammar: Path | None = None
    """A JSGF file: only what it allows is recognised. Unset: any English."""
    keywords: tuple[str, ...] = ()
    """Phrases to find among other words, instead of a grammar: `hello bear,good night`; `hello bear=1e-30` is found
    more often, `1e-10` less often by mistake."""

    def task(self) -> str:
        """Return the argument of the processes, as JSON.

        Raises:
            SettingError: Both are set, or a threshold is no number.
        """
        if self.grammar and self.keywords:
            raise SettingError("Set SPHINX_GRAMMAR or SPHINX_KEYWORDS, not both.")
        listed = []
        for entry in self.keywords:
            phrase, _, threshold = entry.lower().partition("=")
            try:
                listed.append((" ".join(phrase.split()), float(threshold or _THRESHOLD)))
            except ValueError as exc:
                raise SettingError(f"SPHINX_KEYWORDS: {entry!r} is not PHRASE or PHRASE=1e-20.") from exc
        return json.dumps({"grammar": self.grammar and str(self.grammar), "keywords": listed})


class Sphinx(Engine):
    """An engine for English, and simple words rather than names, that is always there.

    Each request has a process to itself. They are started when needed, as many as there are cores.
    """

    stands_in = True
    first_byte_seconds = 2.0
    models = ("en-us",)
    only = "en"
    detail = "hears English only"

    def __init__(self, processes: int | None = None, options: SphinxOptions | None = None) -> None:
        processes = processes or cores()
        options = options or SphinxOptions()
        self._hears_anything = not (options.grammar or options.keywords)
        self._executor = workers(processes, "sphinx")
        self.patience_seconds = PATIENCE_SECONDS
        self.pace = HearingPace(places=processes, most=(1 + _WAITING) * processes, seconds=_PACE_SECONDS)
        self._free = asyncio.Semaphore(processes)
        self._pool = ProcessPool(options.task())

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        engine = cls(options=read(SphinxOptions))
        report("starting a process", None)
        try:
            with engine._pool.lent() as process:
                process.hear(_murmur())
            engine.pace.seconds = max(_PACE_SECONDS, _MURMUR * process.cpu_seconds)  # others are loading meanwhile
            vad.probabilities(np.zeros(RATE // 10, np.float32), Stop())  # loads it
        except (EngineFailed, OSError) as exc:
            raise EngineUnavailable("PocketSphinx does not start; the log has the details.", retry_seconds=60) from exc
        return engine

    def hears(self, language: str | None) -> bool:
        return language in (None, "en")

    def needs(self, seconds: float) -> float:
        return max(LEAST_SECONDS, self.pace.done(seconds))

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        if not self.hears(hints.language):
            raise Declined(
                f"PocketSphinx hears English only, not {hints.language!r}. {_REMEDY}",
                param="language",
                code="unsupported_language",
            )
        heard = pieces(self._executor, lambda stop: self._listen(pcm, hints, stop))
        async with self._turn(len(pcm) / RATE), aclosing(heard):
            async for piece in heard:
                yield piece

    @asynccontextmanager
    async def _turn(self, seconds: float) -> AsyncIterator[None]:
        """Wait for a free process, and keep it until the block ends.

        Raises:
            TooBusy: A recording of so many seconds would not be heard in time, by what is known now or when its turn
                comes.
        """
        try:
            place = self.pace.enter(seconds, self.patience_seconds + max(0.0, seconds - SHORT_SECONDS))
        except Full as exc:
            raise _too_busy(exc.seconds) from exc
        try:
            await self._begin(place)
            try:
                yield
            finally:
                self._free.release()
        finally:
            self.pace.leave(place)

    async def _begin(self, place: Place) -> None:
        left = self.pace.left(place)
        try:
            async with asyncio.timeout(None if isinf(left) else left):
                await self._free.acquire()
        except TimeoutError as exc:
            raise _too_busy(self.pace.done(place.work)) from exc
        if self.pace.left(place) < 0:
            self._free.release()
            raise _too_busy(self.pace.done(place.work))
        self.pace.begin(place)

    def _listen(self, pcm: Pcm, hints: Hints, stop: Stop) -> Generator[Heard, None, None]:
        spoken = vad.parts(pcm, stop, longest_seconds=PART_SECONDS, gap_seconds=GAP_SECONDS)
        if not spoken:
            yield Heard(language="en")
            return
        with self._pool.lent() as process, stop.breaking_off(process.kill):
            for begin, end in spoken:
                if stop:
                    return
                began, seconds = monotonic(), (end - begin) / RATE
                with self.pace.step(seconds):
                    heard = process.hear(pcm[begin:end])
                self.pace.learn((monotonic() - began) / seconds)
                if hints.language is None and self._hears_anything and begin == spoken[0][0]:
                    _check_english(process.likelihood)
                words = [
                    Word(word, round(begin / RATE + start, 2), round(begin / RATE + finish, 2))
                    for word, start, finish in heard
                ]
                yield Heard(language="en", segments=_segments(words, hints))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._pool.close)
        self._executor.shutdown(wait=False, cancel_futures=True)


def _too_busy(seconds: float) -> TooBusy:
    return TooBusy("Too many are speaking. Try again in a moment.", reason="pace", retry_after=seconds)


def _murmur() -> Pcm:
    """Return a second of noise that swells and fades, which is at least as much work as a second of speech."""
    swell = 1 + np.sin(2 * np.pi * 4 * np.arange(RATE) / RATE)
    return np.asarray(swell * np.random.default_rng(0).normal(0, 0.1, RATE), np.float32).clip(-1, 1)


def _segments(words: list[Word], hints: Hints) -> tuple[Segment, ...]:
    if not words:
        return ()
    text = "".join(f" {word.word}" for word in words)
    return (Segment(start=words[0].start, end=words[-1].end, text=text, words=tuple(words) if hints.words else ()),)


def _check_english(likelihood: float) -> None:
    """Raise for a recording in an unknown language that does not sound like English.

    Raises:
        Declined: It does not fit the words that were heard.
    """
    if likelihood < LIKELY_ENGLISH:
        raise Declined(
            "PocketSphinx hears English only, and this does not sound like it. Send language=en if it is English. "
            f"{_REMEDY}",
            param="language",
            code="unsupported_language",
        )
