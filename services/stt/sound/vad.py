"""Finds where somebody speaks, by Silero's voice activity detector in faster-whisper's wheel, without loading that."""

import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chassis.threads import Stop
from stt.hearing import RATE, Pcm
from stt.sound.tones import is_tone

WINDOW = 512
"""Samples that are given one probability of speech."""
_CONTEXT = 64
"""Samples of the window before, which the model wants to see again."""
_BATCH = 1000
_LOUD_ENOUGH, _MOST_GAIN = 0.05, 250.0
"""A sound whose peak is lower than this is made as loud for the model, which is deaf below a peak of 0.001, and by how
much at most. Boards that shift their samples too far give 0.0005; noise so faint is still taken for noise."""

SPEECH, SILENCE = 0.35, 0.2
"""Speech begins at the one and ends below the other: low, since a lost word is worse than a second of nothing."""
_FAINT, _HESITATION_SECONDS = 0.04, 1.0
"""After a long silence the model takes up to a second to be sure; what it suspected before then was speech already."""
PAUSE_SECONDS = 0.5
"""Silence that ends a stretch of speech."""
SHORTEST_SECONDS = 0.1
_PAD_SECONDS = 0.4
"""Kept on either side, since words begin and end softly."""

# Silero on 1 to 10 s of silence, noise, clicks, and tones too high for a voice: never more than 0.73, nor for more than
# 0.13 s above one half. On "yes", "stop", "hi", loud or faint, at once or after 8 s: mostly 0.8 and more, for 0.16 s.
VOICE, _ENOUGH_SECONDS = 0.5, 0.19
_CLEAR, _CLEAR_SECONDS = 0.8, 0.12
_NEAR_SECONDS = 1.0
"""A doubtful sound this near to a voice is taken for a part of it: a lost word is worse."""

Span = tuple[int, int]
"""The first sample, and the one after the last."""


def parts(pcm: Pcm, stop: Stop, *, longest_seconds: float, gap_seconds: float) -> list[Span]:
    """Cut a sound into parts with speech in them, in silences if that can be.

    Args:
        longest_seconds: Of a part.
        gap_seconds: A longer silence is in no part.
    """
    likely = probabilities(pcm, stop)
    longest, gap = int(longest_seconds * RATE), int(gap_seconds * RATE)
    joined: list[Span] = []
    for begin, end in voices(likely, pcm):
        if joined and begin - joined[-1][1] <= gap and end - joined[-1][0] <= longest:
            joined[-1] = joined[-1][0], end
        else:
            joined += _cut(begin, end, longest, likely)
    return joined


class Listener:
    """Tells how likely speech is, in a sound that comes in pieces, each of whole windows but the last."""

    def __init__(self) -> None:
        self._state = self._cell = np.zeros((1, 1, 128), np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)
        self._peak = 0.0

    def probabilities(self, pcm: Pcm) -> NDArray[np.float32]:
        """Return how likely it is that somebody speaks, for each `WINDOW` of the next piece."""
        self._peak = max(self._peak, float(np.abs(pcm).max(initial=0.0)))
        gain = np.float32(np.clip(_LOUD_ENOUGH / max(self._peak, 1e-9), 1.0, _MOST_GAIN))
        windows = np.pad(gain * pcm, (0, -len(pcm) % WINDOW)).reshape(-1, WINDOW)
        contexts = np.concatenate([self._before[None, :], windows[:-1, -_CONTEXT:]])
        self._before = windows[-1, -_CONTEXT:].copy()
        seen = np.concatenate([contexts, windows], axis=1)
        output, self._state, self._cell = _silero().run(None, {"input": seen, "h": self._state, "c": self._cell})
        likely: NDArray[np.float32] = output.reshape(-1)
        return likely


def probabilities(pcm: Pcm, stop: Stop) -> NDArray[np.float32]:
    """Return how likely it is that somebody speaks, for each `WINDOW` of the sound."""
    listener = Listener()
    found = []
    for begin in range(0, len(pcm), _BATCH * WINDOW):
        if stop:
            break
        found.append(listener.probabilities(pcm[begin : begin + _BATCH * WINDOW]))
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def voices(likely: NDArray[np.float32], pcm: Pcm) -> list[Span]:
    """Return the `spans` of voices, without noises that resemble one."""
    groups: list[list[Span]] = []
    for span in spans(likely, len(pcm)):
        if groups and span[0] - groups[-1][-1][1] <= _NEAR_SECONDS * RATE:
            groups[-1].append(span)
        else:
            groups.append([span])

    def is_voice(begin: int, end: int) -> bool:
        found = likely[begin // WINDOW : -(-end // WINDOW)]
        return (is_surely_voice(found) or _is_clear(found)) and not is_tone(pcm[begin:end])

    return [span for group in groups if is_voice(group[0][0], group[-1][1]) for span in group]


def is_surely_voice(likely: NDArray[np.float32]) -> bool:
    """Return whether it is more than any noise is taken for."""
    return bool((likely > VOICE).sum() * WINDOW >= _ENOUGH_SECONDS * RATE)


def _is_clear(likely: NDArray[np.float32]) -> bool:
    """Return whether it is a word, though a short one."""
    return bool((likely > VOICE).sum() * WINDOW >= _CLEAR_SECONDS * RATE and likely.max() >= _CLEAR)


def spans(likely: NDArray[np.float32], samples: int) -> list[Span]:
    """Return where speech begins and ends, padded, in order and apart from each other."""
    pause, shortest, pad, hesitation = (
        round(seconds * RATE / WINDOW)
        for seconds in (PAUSE_SECONDS, SHORTEST_SECONDS, _PAD_SECONDS, _HESITATION_SECONDS)
    )
    found: list[list[int]] = []
    speaking = False
    for window, probability in enumerate(likely.tolist()):
        speaking = probability >= (SILENCE if speaking else SPEECH)
        if speaking and found and window - found[-1][1] <= pause:
            found[-1][1] = window + 1
        elif speaking:
            found.append([window, window + 1])
    padded: list[Span] = []
    for begin, end in found:
        if end - begin < shortest:
            continue
        earliest = max(0, begin - hesitation)
        while begin > earliest and likely[begin - 1] >= _FAINT:
            begin -= 1
        first = max((begin - pad) * WINDOW, padded[-1][1] if padded else 0)
        padded.append((first, min((end + pad) * WINDOW, samples)))
    return padded


def _cut(begin: int, end: int, longest: int, likely: NDArray[np.float32]) -> list[Span]:
    """Cut a span into pieces of at most `longest`, each ended in its second half."""
    pieces = []
    while end - begin > longest:
        first, last = (begin + longest // 2) // WINDOW, (begin + longest) // WINDOW
        cut = (first + pause(likely[first:last])) * WINDOW
        pieces.append((begin, cut))
        begin = cut
    return [*pieces, (begin, end)]


def pause(likely: NDArray[np.float32]) -> int:
    """Return the window to cut at: the middle of the longest silence, or else where speech is least likely."""
    silent = np.flatnonzero(np.diff(np.concatenate([[False], likely < SILENCE, [False]])))
    begins, ends = silent[::2], silent[1::2]
    if not len(begins):
        return int(likely.argmin())
    longest = int((ends - begins).argmax())
    return int(begins[longest] + ends[longest]) // 2


_loading = threading.Lock()


def _silero() -> Any:
    with _loading:
        return _session()


@cache
def _session() -> Any:
    import onnxruntime

    spec = find_spec("faster_whisper")
    assert spec is not None
    assert spec.submodule_search_locations
    [path] = Path(spec.submodule_search_locations[0], "assets").glob("silero_vad*.onnx")
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
