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
    """One word, and when it was said, in seconds from the beginning of the sound."""

    word: str
    start: float
    end: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of what was said. `text` begins with a space where its language has them."""

    start: float
    end: float
    text: str
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0
    words: tuple[Word, ...] = ()
    """Only where they were wanted."""

    def later(self, seconds: float) -> "Segment":
        """Return the same as part of a sound in which as much comes before it."""

        def at(moment: float) -> float:
            return round(seconds + moment, 2)

        words = tuple(Word(word.word, at(word.start), at(word.end)) for word in self.words)
        return replace(self, start=at(self.start), end=at(self.end), words=words)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine has made out since its last piece."""

    language: str
    """ISO 639-1, or 639-3 where that has none."""
    segments: tuple[Segment, ...] = ()


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller said about the sound, and wants to know of it."""

    language: str | None = None
    """ISO 639-1, e.g. `en`; None: find out."""
    prompt: str | None = None
    """What was said before, or spelling hints, in that language."""
    temperature: float = 0.0
    words: bool = False
    times: bool = False
    """Whether segments are wanted, and not only their text."""
    stream: bool = False
    """Whether each word is wanted as soon as it is known."""
    named: str = ""
    """The model that was asked for, as the caller wrote it."""
    model: str | None = None
    """The one of `models` that was asked for."""
    script: Script | None = None
    """The characters that Chinese is to be written in; the handler sees to it."""
