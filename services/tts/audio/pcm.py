"""What sound is made of here: 16-bit mono PCM, or mp3 as some engines send it."""

import warnings
from array import array
from typing import Literal

import msgspec

with warnings.catch_warnings():  # pydub misses ffmpeg, which raw PCM does not need; audioop leaves Python with 3.13
    warnings.simplefilter("ignore")
    import audioop  # from then on its package audioop-lts, which pydub needs as well

    from pydub import AudioSegment

__all__ = ["RATE", "WIDTH", "Sound", "audioop", "faded", "pcm", "silence"]

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


def faded(pcm: bytes, seconds: float, rate: int, *, out: bool) -> bytes:
    """The same, louder and louder in its first `seconds`; `out`: softer and softer in its last."""
    size = min(len(pcm), WIDTH * round(seconds * rate))
    begin = len(pcm) - size if out else 0
    part = array("h", pcm[begin : begin + size])
    count = len(part)
    factors = range(count, 0, -1) if out else range(count)
    changed = array("h", [sample * factor // count for sample, factor in zip(part, factors, strict=True)])
    samples = memoryview(pcm)
    return b"".join((samples[:begin], changed, samples[begin + size :]))
