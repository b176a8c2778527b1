"""What is worth listening to in a short recording, and when each moment of it was said."""

from dataclasses import dataclass

import numpy as np

from chassis.threads import Stop
from stt.hearing import RATE, Pcm
from stt.sound import vad
from stt.sound.vad import WINDOW, Span

GAP = RATE
"""A silence up to this long is kept: it tells where a sentence ends."""


@dataclass(frozen=True)
class Speech:
    """The parts of a recording in which somebody speaks, joined."""

    pcm: Pcm
    spans: tuple[Span, ...]
    """Where those parts lie in the recording."""
    sure: bool = True
    """False: it may be a noise that resembles speech."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / RATE

    def when(self, seconds: float, *, ends: bool = False) -> float:
        """A moment of the joined sound as one of the recording. Where two parts meet, what `ends` ends in the first."""
        sample = round(seconds * RATE)
        for first, last in self.spans:
            length = last - first
            if sample < length or (ends and sample == length):
                return round((first + sample) / RATE, 2)
            sample -= length
        return round(self.spans[-1][1] / RATE, 2)


def find(pcm: Pcm, stop: Stop | None = None) -> Speech | None:
    """What somebody says; None: nothing."""
    likely = vad.probabilities(pcm, stop or Stop())
    spans: list[Span] = []
    for begin, end in vad.voices(likely, pcm):
        if spans and begin - spans[-1][1] <= GAP:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((begin, end))
    if not spans:
        return None
    sound = np.concatenate([pcm[begin:end] for begin, end in spans])
    there = np.concatenate([likely[begin // WINDOW : -(-end // WINDOW)] for begin, end in spans])
    return Speech(sound, tuple(spans), vad.is_surely_voice(there))


def warm_up() -> None:
    """Loads what listens, so that the first caller need not wait for it."""
    find(np.zeros(RATE // 10, np.float32))
