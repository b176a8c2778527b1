"""Tells tones that hold still from voices: music and hum, which Silero often takes for a voice."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stt.hearing import RATE, Pcm

_SIZE, _HOP = 512, 256
LOUD = 0.03
"""Share of the loudest power below which a moment is not judged."""
_STEADY, _AROUND = 0.992, 11
"""How alike the spectra of a tone's moments are, 32 ms apart; and how many moments are judged together, so that the
changes from note to note do not count."""
_MOVING_SECONDS = 0.1
"""Above that it is no mere tone. Melodies, quick, slow and plucked, chords and hums: up to 0.05 s; the shortest words
("hi", "go", "aah") in a voice as even as flite's: 0.14 s and more."""


def is_tone(sound: Pcm) -> bool:
    """Return whether nothing in the sound moves as a voice does."""
    if len(sound) < _SIZE + 2 * _HOP:
        return False
    spectra = np.abs(np.fft.rfft(sliding_window_view(sound, _SIZE)[::_HOP] * np.hanning(_SIZE)))[:, 2:]
    powers = (spectra**2).sum(axis=1)
    before, after = spectra[:-2], spectra[2:]
    alike = (before * after).sum(axis=1) / np.sqrt(powers[:-2] * powers[2:] + 1e-20)
    around = np.median(sliding_window_view(np.pad(alike, _AROUND // 2, mode="edge"), _AROUND), axis=1)
    loud = np.minimum(powers[:-2], powers[2:]) > LOUD * np.quantile(powers, 0.95)
    return bool((loud & (around < _STEADY)).sum() * _HOP < _MOVING_SECONDS * RATE)
