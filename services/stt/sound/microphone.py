"""Mends what bad microphones do to a voice: offsets that stay or drift, hum, and channels that cancel each other."""

from itertools import pairwise
from typing import Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from stt.hearing import RATE, Pcm

_FULL_SCALE, _SIXTEEN_BITS = 64.0, 32_768.0
"""Amount above which floats are numbers of 16 bits that nobody has divided: the loudest sound is 1."""
_LOWEST_HERTZ = 30
"""No voice is lower. Cheap I2S and PDM microphones add an offset, which a voice activity detector is deaf behind."""
_HUM_HERTZ, _HUM_TIMES = 110, 3
"""Taken away where hum dominates, six poles steep: voices are as well understood by telephone, from 300 Hz on."""
_DOMINATES = 2.0
"""How much more power there is with the low tones than without, where they are hum."""
_CANCELLED, _LOUDER = 0.1, 2.0
"""Power of the mean of the channels, in that of the loudest, below which they cancel each other; and how much louder
another channel must be to be preferred to the one that is used."""
_REMEMBERED = 0.8
"""How much of what was measured in a frame still counts in the next."""
_ROUGH, _SMOOTH, _HEARD = 0.25, 0.5, 0.1
"""Correlation of neighbouring samples below which a channel is white noise, and above which it is not; and its power,
in that of one that is not, from which on it spoils the mean."""


class MicrophoneFilter:
    """Takes offsets and hum out of a sound that comes in blocks, and cuts it to ±1. The sound must be finite."""

    def __init__(self) -> None:
        self._all, self._without_hum = _HighPass(_LOWEST_HERTZ), _HighPass(_HUM_HERTZ, _HUM_TIMES)
        self._largest = 1.0

    def mend(self, pcm: Pcm) -> Pcm:
        """Return the next block without them."""
        if self._largest == 1.0 and np.abs(pcm).max(initial=0.0) > _FULL_SCALE:
            self._largest = _SIXTEEN_BITS
        plain = self._all.filter((pcm / self._largest).clip(-1.0, 1.0))
        without_hum = self._without_hum.filter(plain)
        hums = _power(plain) > _DOMINATES * _power(without_hum)
        return (without_hum if hums else plain).clip(-1.0, 1.0)


class Mixer:
    """Makes one channel of several: their mean; or the loudest, where they cancel each other or most are silent.

    Those that are white noise are left out, from the first voice in another one on. FFmpeg's own mix overshoots, and
    knows no arrays of microphones.
    """

    def __init__(self) -> None:
        self._mean_power = 0.0
        self._powers: NDArray[np.float64] = np.zeros(0)
        self._channel = 0
        self._noise = _NoisyChannels()

    def mix(self, channels: NDArray[Any]) -> NDArray[np.float32]:
        """Return the next samples, of the same length as each of the `channels`, which are floats."""
        channels = self._noise.left_out(channels)
        mean = channels.mean(axis=0, dtype=np.float64)
        if len(self._powers) != len(channels):
            self._mean_power, self._powers = 0.0, np.zeros(len(channels))
        self._mean_power = _REMEMBERED * self._mean_power + float(mean.var())
        self._powers = _REMEMBERED * self._powers + channels.var(axis=1, dtype=np.float64)
        loudest = int(self._powers.argmax())
        if self._powers[loudest] > _LOUDER * self._powers[min(self._channel, len(channels) - 1)]:
            self._channel = loudest
        cancelled = self._mean_power < _CANCELLED * self._powers[loudest]
        return np.asarray(channels[self._channel] if cancelled else mean, np.float32)


class _NoisyChannels:
    """Knows which channels are white noise, as from a microphone that is broken off, beside one that hears a voice."""

    def __init__(self) -> None:
        self._powers: NDArray[np.float64] = np.zeros(0)
        self._products: NDArray[np.float64] = np.zeros(0)
        self._noisy: NDArray[np.bool_] = np.zeros(0, bool)

    def left_out(self, channels: NDArray[Any]) -> NDArray[Any]:
        """Return the channels but for those. One stays left out while the voice in the others pauses."""
        if len(self._noisy) != len(channels):
            self._powers, self._products = np.zeros(len(channels)), np.zeros(len(channels))
            self._noisy = np.zeros(len(channels), bool)
        level = channels - channels.mean(axis=1, dtype=np.float64, keepdims=True)
        self._powers = _REMEMBERED * self._powers + (level**2).sum(axis=1)
        self._products = _REMEMBERED * self._products + (level[:, 1:] * level[:, :-1]).sum(axis=1)
        smooth = self._products > _SMOOTH * self._powers
        loudest = float(self._powers[smooth].max(initial=0.0))
        rough = (self._products < _ROUGH * self._powers) & (self._powers > _HEARD * loudest)
        self._noisy = (self._noisy | (rough & smooth.any())) & ~smooth
        return channels[~self._noisy]


class _HighPass:
    """FFmpeg's, several times: two poles each."""

    def __init__(self, hertz: int, times: int = 1) -> None:
        self._graph = Graph()
        self._graph.threads = 1  # more would be started anew for each recording, and have nothing to do
        nodes = [self._graph.add_abuffer(format="flt", sample_rate=RATE, layout="mono")]
        nodes += [self._graph.add("highpass", f"f={hertz}") for _ in range(times)]
        nodes.append(self._graph.add("abuffersink"))
        for before, after in pairwise(nodes):
            before.link_to(after)
        self._graph.configure()

    def filter(self, pcm: Pcm) -> Pcm:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm)[None, :], format="flt", layout="mono")
        frame.sample_rate = RATE
        self._graph.push(frame)
        filtered = self._graph.pull()
        assert isinstance(filtered, av.AudioFrame)
        return np.asarray(filtered.to_ndarray()[0], np.float32)


def _power(pcm: Pcm) -> float:
    return float(np.dot(pcm, pcm)) + 1e-12
