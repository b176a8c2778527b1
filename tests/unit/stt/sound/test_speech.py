"""Silence, noise and what resembles speech end before any model; times stay true."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures import sounds
from stt.hearing import RATE
from stt.sound import speech
from stt.sound.speech import Speech
from stt.text.hallucinations import is_invented

Sound = Callable[[float], NDArray[np.floating]]


def moments(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def rich(hertz: float) -> Sound:
    """A tone and its overtones."""
    strengths, overtones = 0.6 ** np.arange(5), np.arange(1, 6)
    return lambda seconds: strengths @ np.sin(2 * np.pi * hertz * overtones[:, None] * moments(seconds))


def clicks(seconds: float) -> NDArray[np.float64]:
    sound = np.zeros(round(seconds * RATE))
    sound[:: RATE // 5] = 1.0
    return np.convolve(sound, np.exp(-np.arange(80) / 16))[: len(sound)]


def melody(seconds: float) -> NDArray[np.float64]:
    notes = np.random.default_rng(0).choice([262, 294, 330, 349, 392, 440, 494, 523], round(seconds / 0.3) + 1)
    fade = np.minimum(1, np.minimum(moments(0.3), 0.3 - moments(0.3)) / 0.02)
    return np.concatenate([fade * rich(float(hertz))(0.3) for hertz in notes])[: round(seconds * RATE)]


def tune(seed: int, note_seconds: float, *, plucked: bool = False) -> Sound:
    """Notes as high as voices."""
    scale = [131, 165, 196, 220, 262, 294, 330, 349, 392, 440]
    at = moments(note_seconds)
    fade = np.minimum(1, np.minimum(at, note_seconds - at) / 0.02) * (np.exp(-at / 0.15) if plucked else 1.0)

    def sound(seconds: float) -> NDArray[np.float64]:
        notes = np.random.default_rng(seed).choice(scale, round(seconds / note_seconds) + 1)
        return np.concatenate([fade * rich(float(hertz))(note_seconds) for hertz in notes])[: round(seconds * RATE)]

    return sound


def chord(seconds: float) -> NDArray[np.float64]:
    return rich(261.6)(seconds) + rich(329.6)(seconds) + rich(392.0)(seconds)


def white(seconds: float) -> NDArray[np.float64]:
    return np.random.default_rng(1).standard_normal(round(seconds * RATE))


def pink(seconds: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(white(seconds))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), round(seconds * RATE))


WORDLESS: dict[str, Sound] = {
    "silence": lambda seconds: np.zeros(round(seconds * RATE)),
    "white noise": white,
    "pink noise": pink,
    "hum of 50 Hz": rich(50),
    "hum of 60 Hz": rich(60),
    "hum of 100 Hz": rich(100),
    "hum of 120 Hz": rich(120),
    "hum of 150 Hz": rich(150),
    "a sine": lambda seconds: np.sin(2 * np.pi * 440 * moments(seconds)),
    "beeps": lambda seconds: np.sin(2 * np.pi * 1000 * moments(seconds)) * (np.sin(4 * np.pi * moments(seconds)) > 0),
    "clicks": clicks,
    "a melody": melody,
    "a slow tune": tune(2, 0.3),
    "a quick tune": tune(3, 0.15),
    "a tune on strings": tune(5, 0.3, plucked=True),
    "a chord": chord,
    "a siren": lambda seconds: np.sin(1400 * np.pi * moments(seconds) - 600 * np.cos(np.pi * moments(seconds))),
}


@pytest.mark.parametrize("seconds", [1.0, 3.0, 10.0])
@pytest.mark.parametrize("name", WORDLESS)
def test_nobody_speaks_in(name: str, seconds: float) -> None:
    sound = WORDLESS[name](seconds)
    loudest = np.abs(sound).max() or 1.0
    for loudness in (0.0003, 0.01, 0.3, 0.9):
        assert speech.find((loudness / loudest * sound).astype(np.float32)) is None, f"{name} at {loudness}"


@pytest.mark.parametrize("samples", [0, 1, 511, 512])
def test_a_recording_too_short_for_a_word_has_none(samples: int) -> None:
    assert speech.find(np.full(samples, 0.1, np.float32)) is None


def test_moments_of_the_joined_parts_are_moments_of_the_recording() -> None:
    spoken = Speech(np.zeros(3 * RATE, np.float32), ((RATE, 2 * RATE), (5 * RATE, 7 * RATE)))

    assert spoken.when(0.0) == 1.0
    assert spoken.when(0.5) == 1.5
    assert spoken.when(1.0) == 5.0, "the next part begins"
    assert spoken.when(1.0, ends=True) == 2.0, "the first part ends"
    assert spoken.when(2.5) == 6.5
    assert spoken.when(9.0) == 7.0, "never after the end"


@pytest.mark.parametrize(
    "text",
    [
        " Thank you for watching!",
        "Thanks for watching.",
        " you",
        "谢谢观看",
        "謝謝大家。",
        "字幕by索兰娅",
        "中文字幕志愿者 杨茜茜",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "Subtitles by the Amara.org community",
    ],
)
def test_sentences_of_videos_are_known_however_they_are_written(text: str) -> None:
    assert is_invented(text)


@pytest.mark.parametrize(
    "text", [" Thank you for the bear.", "你好小熊", " What do you want to watch?", "谢谢你的故事", ""]
)
def test_sentences_of_children_are_not_among_them(text: str) -> None:
    assert not is_invented(text)


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
def test_a_voice_of_sixteen_steps_was_not_found() -> None:
    voice = sounds.spoken("Hello little bear, how are you today?")
    steps = np.round(16 * voice / np.abs(voice).max() + np.random.default_rng(0).normal(0, 0.3, len(voice)))

    found = speech.find((steps / 32768).astype(np.float32))

    assert found is not None
    assert found.seconds > 0.7 * len(voice) / RATE
