"""Whisper's view of a sound: its spectrum, in a window just long enough for the speech.

faster-whisper pads every sound to 30 s. The model itself takes any window, and most of its time goes by the window's
length.
"""

import numpy as np
from numpy.typing import NDArray

from stt.hearing import Pcm

_HOP, _FFT = 160, 400
"""Samples between two frames (10 ms), and of one frame (25 ms)."""
FRAME_SECONDS = 0.01
BUCKETS = (600, 700, 800, 1000, 1250, 1500, 2000, 2500, 3000)
"""Frames of the windows: few, so that utterances of about the same length share one."""
_MARGIN_SECONDS = 3.0
"""Silence the model sees after the speech. Whisper base, 60 short sentences in three voices, word errors: padded to
30 s 0.116; a margin of one second 0.186, and every twelfth utterance loops; of two 0.116, every fifteenth; of three
0.093, one of the sixty. Windows of 6 s and more: 0.09 to 0.11, and no loops."""
_PROMPTED = 1000
"""Frames of the least window where there is a prompt. Base, 24 short sentences in two voices, after the prompt that
folotoy-server sends ("ok. Let's begin."): in windows of 6 s eight loop, of 10 s two, of 30 s none."""
_WIDE = (2000, 3000)
"""Frames of the windows for a second look."""


def fitting(seconds: float, *, prompted: bool = False) -> int:
    """Return the frames of the window for speech this long.

    Args:
        prompted: The model reads a prompt before it writes.
    """
    wanted = max((seconds + _MARGIN_SECONDS) / FRAME_SECONDS, _PROMPTED if prompted else 0)
    return next((frames for frames in BUCKETS if frames >= wanted), BUCKETS[-1])


def wider(frames: int) -> int:
    """Return the frames of the window in which to look again; base encodes 20 s in a third of the time of 30 s."""
    return next((wide for wide in _WIDE if wide > frames), _WIDE[-1])


class Spectrum:
    """Computes Whisper's log-mel spectrum, as the model was taught."""

    def __init__(self, mel_filters: NDArray[np.float32]) -> None:
        self._filters = np.ascontiguousarray(mel_filters, np.float32)
        self._hann = np.hanning(_FFT + 1)[:-1].astype(np.float32)

    def of(self, pcm: Pcm, frames: int) -> NDArray[np.float32]:
        """Return the spectrum of the sound and the silence after it, shape `(n_mels, frames)`."""
        sound = pcm[: frames * _HOP]
        half = _FFT // 2
        edge = min(half, len(sound) - 1)
        count = min(frames, (len(sound) + half) // _HOP + 1)  # the others hear silence
        padded = np.zeros(count * _HOP + _FFT, np.float32)
        padded[half : half + len(sound)] = sound[: count * _HOP + half]
        padded[half - edge : half] = sound[edge:0:-1]  # mirrored, as the model was taught
        pieces = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][:count]
        spectrum = np.fft.rfft(pieces * self._hann)
        power = spectrum.real**2 + spectrum.imag**2
        mel: NDArray[np.float32] = np.full((len(self._filters), frames), -10.0, np.float32)
        mel[:, :count] = np.log10(np.maximum(self._filters @ power.T, 1e-10))
        return np.asarray((np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0, np.float32)
