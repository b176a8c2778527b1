"""Define the forms of sound in this service: 16-bit mono PCM, and mp3 as some engines send it."""

import warnings
from array import array
from typing import Literal

import msgspec

with (
    warnings.catch_warnings()
):  # of pydub, that ffmpeg is missing, which PCM does not need; of audioop, that Python 3.13 lacks it
    warnings.simplefilter("ignore")
    import audioop  # from Python 3.13 on, the package audioop-lts provides it, which pydub needs as well

    from pydub import AudioSegment

__all__ = ["RATE", "WIDTH", "Sound", "audioop", "faded", "pcm", "silence"]

RATE = 24_000
"""Samples a second of the sound that callers get."""
WIDTH = 2
"""Bytes of a sample."""


class Sound(msgspec.Struct, frozen=True):
    """The form in which an engine gives its sound."""

    codec: Literal["pcm", "mp3"]
    rate: int
    bytes_per_second: int


def pcm(rate: int) -> Sound:
    """Return the form of signed 16-bit little-endian mono PCM, `rate` samples a second."""
    return Sound("pcm", rate, rate * WIDTH)


def silence(seconds: float, rate: int = RATE) -> bytes:
    """Return `seconds` of silence as PCM."""
    data: bytes = AudioSegment.silent(duration=round(seconds * 1000), frame_rate=rate).raw_data
    return data


def faded(pcm: bytes, seconds: float, rate: int, *, out: bool) -> bytes:
    """Return the PCM faded in over its first `seconds`, or faded out over its last ones if `out` is True."""
    size = min(len(pcm), WIDTH * round(seconds * rate))
    begin = len(pcm) - size if out else 0
    part = array("h", pcm[begin : begin + size])
    count = len(part)
    factors = range(count, 0, -1) if out else range(count)
    changed = array("h", [sample * factor // count for sample, factor in zip(part, factors, strict=True)])
    samples = memoryview(pcm)
    return b"".join((samples[:begin], changed, samples[begin + size :]))
