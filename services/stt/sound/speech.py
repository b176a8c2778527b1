"""The speech in a short recording: whether there is any, its sound, and when each moment of it was said."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from chassis.threads import Stop
from stt.hearing import RATE, Pcm
from stt.sound import vad
from stt.sound.vad import WINDOW, Span

_GAP = RATE
"""A silence up to this long is kept: it tells where a sentence ends."""


_FAINTEST, _SETTLED = 0.0002, RATE // 10
"""Peak of the faintest sound, six steps of 16 bits, and the samples at the start in which an offset fades away."""

Presence: TypeAlias = Literal["found", "none", "silence"]


@dataclass(frozen=True)
class Speech:
    """Parts of a recording in which somebody speaks, joined."""

    pcm: Pcm
    spans: tuple[Span, ...]
    """First sample of each part in the recording, and the one after its last."""
    sure: bool = True
    """False: it may be a noise that resembles speech."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / RATE

    def when(self, seconds: float, *, ends: bool = False) -> float:
        """Return a moment of the joined sound as one of the recording; where two meet, what `ends` is in the first."""
        sample = round(seconds * RATE)
        for first, last in self.spans:
            length = last - first
            if sample < length or (ends and sample == length):
                return round((first + sample) / RATE, 2)
            sample -= length
        return round(self.spans[-1][1] / RATE, 2)


def find(pcm: Pcm, stop: Stop | None = None) -> Speech | None:
    """Return the speech; None: nobody speaks."""
    likely = vad.probabilities(pcm, stop or Stop())
    spans: list[Span] = []
    for begin, end in vad.voices(likely, pcm):
        if spans and begin - spans[-1][1] <= _GAP:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((begin, end))
    if not spans:
        return None
    sound = np.concatenate([pcm[begin:end] for begin, end in spans])
    there = np.concatenate([likely[begin // WINDOW : -(-end // WINDOW)] for begin, end in spans])
    return Speech(sound, tuple(spans), vad.is_surely_voice(there))


def presence(pcm: Pcm) -> Presence:
    """Say whether anybody speaks; `silence`: there is no sound at all, as from a microphone that is dead."""
    if find(pcm) is not None:
        return "found"
    settled = pcm[_SETTLED:]
    return "none" if settled.size and np.abs(settled).max() > _FAINTEST else "silence"


def warm_up() -> None:
    """Load what listens, so that the first caller need not wait for it."""
    find(np.zeros(RATE // 10, np.float32))
