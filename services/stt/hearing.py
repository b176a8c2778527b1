"""Types that stt's files share: sound, hints about it, and the transcript that comes of it."""

from typing import Literal, TypeAlias

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.float32]
"""Mono sound, shape `(samples,)`: `RATE` samples a second, each in [-1, 1]; may be empty."""

RATE = 16_000

Script: TypeAlias = Literal["t2s", "s2t", "s2tw", "s2hk"]
"""OpenCC's names: to simplified characters, and to those of all, of Taiwan and of Hong Kong who write them in full."""


class Word(msgspec.Struct, frozen=True):
    """One word and its time, in seconds from the beginning of the sound."""

    word: str
    start: float
    end: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a transcript. `text` begins with a space where its language has them."""

    start: float
    end: float
    text: str
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0
    words: tuple[Word, ...] = ()
    """The words of the segment; empty where their times were not wanted."""

    def later(self, seconds: float) -> "Segment":
        """Return the same as part of a sound in which as much comes before it."""

        def at(moment: float) -> float:
            return round(seconds + moment, 2)

        words = tuple(Word(word.word, at(word.start), at(word.end)) for word in self.words)
        return replace(self, start=at(self.start), end=at(self.end), words=words)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of an engine's answer: what it has made out since the piece before."""

    language: str
    """ISO 639-1, or 639-3 where that has none."""
    segments: tuple[Segment, ...] = ()


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's statements about a recording, and wishes for its transcript."""

    language: str | None = None
    """ISO 639-1, e.g. `en`; None: the engine finds it out."""
    candidates: tuple[str, ...] = ()
    """Languages of which one is spoken, where the caller names several; an engine may ignore them."""
    prompt: str | None = None
    """Text that came before, or spelling hints, in that language."""
    hotwords: tuple[str, ...] = ()
    """Names and words to expect; an engine may ignore them."""
    temperature: float = 0.0
    words: bool = False
    """True where each word is wanted with its time."""
    times: bool = False
    """True where segments are wanted, and not only their text."""
    stream: bool = False
    """True where each word is wanted as soon as it is known."""
    named: str = ""
    """The model's name, as the caller wrote it."""
    model: str | None = None
    """The one of the engine's `models` that was asked for."""
    script: Script | None = None
    """Characters for Chinese; the handler converts them."""
