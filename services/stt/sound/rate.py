"""Tells by ear at what rate a recording was made, where its header says another."""

import numpy as np

from chassis.threads import Stop
from stt.hearing import RATE, Pcm
from stt.sound import vad

_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_TIMES = (1 / 3, 1 / 2, 2, 3)
"""How much quicker or slower a recording is tried. Half as quick again is no longer heard by a detector of voices."""
_VOICE, _CLEARER = 0.35, 1.5
"""How surely the other rate must sound like a voice, and how many times as surely as what the header says."""
_TRIED_SECONDS = 3


def loudest(pcm: Pcm) -> Pcm:
    """Return a copy of the seconds around the loudest moment, enough for `likelier_rate`."""
    middle, half = int(np.abs(pcm).argmax()), _TRIED_SECONDS * RATE // 2
    return pcm[max(0, middle - half) : middle + half].copy()


def likelier_rate(pcm: Pcm, rate: int) -> int | None:
    """Return the rate at which a recording sounds more like a voice than at its own; None: there is none. Blocks.

    Args:
        pcm: The sound as decoded by the header, or some seconds of it.
        rate: Samples a second, by the header.
    """
    sure, best = max((voiced(_faster(pcm, times)), times) for times in _TIMES)
    if sure < max(_VOICE, _CLEARER * voiced(pcm)):
        return None
    return min(_RATES, key=lambda usual: abs(np.log(usual / (rate * best))))


def voiced(pcm: Pcm) -> float:
    return float(vad.probabilities(pcm, Stop()).mean()) if len(pcm) >= vad.WINDOW else 0.0


def _faster(pcm: Pcm, times: float) -> Pcm:
    """Return the sound so many times as fast, without tones that have no room."""
    count = int(len(pcm) / times)
    spectrum = np.fft.rfft(pcm)[: count // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, count) / times, np.float32)
