"""What sound is made of here: 16-bit mono PCM, or mp3 as some engines send it."""

import warnings
from typing import Literal

import msgspec

with warnings.catch_warnings():  # it misses ffmpeg, which raw PCM does not need, and dislikes its own `import audioop`
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

RATE = 24_000
"""Samples a second of everything that leaves."""
WIDTH = 2


class Sound(msgspec.Struct, frozen=True):
    """The form in which an engine gives its sound."""

    codec: Literal["pcm", "mp3"]
    rate: int
    bytes_per_second: int


def pcm(rate: int) -> Sound:
    """Signed 16-bit little-endian mono, `rate` samples a second."""
    return Sound("pcm", rate, rate * WIDTH)


def silence(seconds: float, rate: int = RATE) -> bytes:
    """PCM of nothing."""
    data: bytes = AudioSegment.silent(duration=round(seconds * 1000), frame_rate=rate).raw_data
    return data
