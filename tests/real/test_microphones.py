"""Words behind bad microphones: as many are understood as by a good one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures import sounds
from fixtures.word_errors import SENTENCES, word_errors
from real.test_words import heard, text
from stt.engines.whisper.engine import Whisper
from stt.hearing import RATE, Hints
from unit.stt.fakes import decoded

Sound = NDArray[Any]
SPOKEN = SENTENCES[:8]
LOST = 0.05
"""Share of the words that may be lost beside the clean recording."""


def seconds(pcm: Sound) -> Sound:
    return np.arange(len(pcm)) / RATE


MICROPHONES: dict[str, Callable[[Sound], Sound]] = {
    "an offset": lambda voice: 0.05 * voice + 0.1,
    "an offset that drifts": lambda voice: 0.05 * voice + 0.1 * np.sin(2 * np.pi * 0.3 * seconds(voice)),
    "hum three times as loud": lambda voice: 0.1 * voice + 0.3 * np.sin(2 * np.pi * 50 * seconds(voice)),
    "hum of 60 Hz three times as loud": lambda voice: 0.1 * voice + 0.3 * np.sin(2 * np.pi * 60 * seconds(voice)),
    "very quiet": lambda voice: 0.005 * voice,
    "samples shifted too far": lambda voice: 0.001 * voice,
    "twice too loud": lambda voice: 2 * voice,
    "inverted stereo": lambda voice: np.stack([0.3 * voice, -0.3 * voice]),
    "8 bits": lambda voice: np.round(0.5 * voice * 127) / 127,
}


async def errors(whisper: Whisper, spoil: Callable[[Sound], Sound]) -> int:
    """Return how many words are heard wrong."""
    wrong = 0
    for sentence in SPOKEN:
        voice = sounds.spoken(sentence)
        channels = np.atleast_2d(spoil(voice / np.abs(voice).max())).clip(-1, 1)
        file = sounds.wav_of_channels(channels.astype(np.float32))
        wrong += word_errors(sentence, text(await heard(whisper, decoded(file), Hints(language="en"))))
    return wrong


@pytest.mark.parametrize("microphone", MICROPHONES)
async def test_words_are_understood_behind_a_bad_microphone(whisper: Whisper, microphone: str) -> None:
    clean = await errors(whisper, lambda voice: 0.5 * voice)
    words = sum(len(sentence.split()) for sentence in SPOKEN)

    assert await errors(whisper, MICROPHONES[microphone]) <= clean + LOST * words
