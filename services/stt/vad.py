"""Where somebody speaks: Silero's voice activity detector, from faster-whisper's wheel but without loading that."""

import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stt.engines import RATE, Pcm
from stt.work import Stop

WINDOW = 512
"""Samples that get one probability."""
CONTEXT = 64
"""Samples of the window before, which the model wants to see again."""
BATCH = 1000

SPEECH, SILENCE = 0.35, 0.2
"""Speech begins at the one and ends below the other: low, since a lost word is worse than a second of nothing."""
FAINT, HESITATION_SECONDS = 0.04, 1.0
"""After a long silence the model takes up to a second to be sure; what it suspected before then was speech already."""
PAUSE_SECONDS = 0.5
"""A shorter silence does not end it."""
SHORTEST_SECONDS = 0.1
PAD_SECONDS = 0.4
"""Kept on either side, since words begin and end softly."""

Span = tuple[int, int]
"""The first sample, and the one after the last."""


def parts(pcm: Pcm, stop: Stop, *, longest_seconds: float, gap_seconds: float) -> list[Span]:
    """The sound in parts with speech in them, cut where there is none if that can be.

    Args:
        longest_seconds: Of a part.
        gap_seconds: A longer silence is in no part.
    """
    likely = probabilities(pcm, stop)
    longest, gap = int(longest_seconds * RATE), int(gap_seconds * RATE)
    joined: list[Span] = []
    for begin, end in spans(likely, len(pcm)):
        if joined and begin - joined[-1][1] <= gap and end - joined[-1][0] <= longest:
            joined[-1] = joined[-1][0], end
        else:
            joined += _cut(begin, end, longest, likely)
    return joined


def probabilities(pcm: Pcm, stop: Stop) -> NDArray[np.float32]:
    """How likely it is that somebody speaks, for each `WINDOW` of the sound."""
    session = _silero()
    found = []
    state = cell = np.zeros((1, 1, 128), np.float32)
    before = np.zeros(CONTEXT, np.float32)
    for begin in range(0, len(pcm), BATCH * WINDOW):
        if stop:
            break
        sound = pcm[begin : begin + BATCH * WINDOW]
        windows = np.pad(sound, (0, -len(sound) % WINDOW)).reshape(-1, WINDOW)
        contexts = np.concatenate([before[None, :], windows[:-1, -CONTEXT:]])
        before = windows[-1, -CONTEXT:]
        seen = np.concatenate([contexts, windows], axis=1)
        output, state, cell = session.run(None, {"input": seen, "h": state, "c": cell})
        found.append(output.reshape(-1))
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def spans(likely: NDArray[np.float32], samples: int) -> list[Span]:
    """Where speech begins and ends, padded, in order and apart from each other."""
    pause, shortest, pad, hesitation = (
        round(seconds * RATE / WINDOW) for seconds in (PAUSE_SECONDS, SHORTEST_SECONDS, PAD_SECONDS, HESITATION_SECONDS)
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
        while begin > earliest and likely[begin - 1] >= FAINT:
            begin -= 1
        first = max((begin - pad) * WINDOW, padded[-1][1] if padded else 0)
        padded.append((first, min((end + pad) * WINDOW, samples)))
    return padded


def _cut(begin: int, end: int, longest: int, likely: NDArray[np.float32]) -> list[Span]:
    """A span in pieces of at most `longest`, each ended where speech is least likely in its second half."""
    pieces = []
    while end - begin > longest:
        first, last = (begin + longest // 2) // WINDOW, (begin + longest) // WINDOW
        cut = (first + int(likely[first:last].argmin())) * WINDOW + WINDOW // 2
        pieces.append((begin, cut))
        begin = cut
    return [*pieces, (begin, end)]


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
