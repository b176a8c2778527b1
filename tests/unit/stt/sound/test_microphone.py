"""Bad microphones: a voice is found behind an offset, hum, inverted channels, few bits and too much or little gain."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.threads import Stop
from fixtures import sounds
from fixtures.word_errors import SENTENCES
from stt.hearing import RATE, Pcm
from stt.sound import vad
from stt.sound.microphone import Mixer
from unit.stt.fakes import decoded

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

PEAKS = (0.1, 0.05, 0.03, 0.02, 0.01)
OFFSETS = (0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.5)
KEPT = 0.95


def voice() -> Pcm:
    """Nine seconds of speech, as loud as can be."""
    said = np.concatenate([sounds.spoken(sentence) for sentence in SENTENCES[:4]])
    return np.asarray(said / np.abs(said).max(), np.float32)


VOICE = voice() if sounds.can_speak() else sounds.silence(1)
SECONDS = np.arange(len(VOICE)) / RATE


def spoken_seconds(file: bytes) -> float:
    pcm = decoded(file)
    return sum(end - begin for begin, end in vad.voices(vad.probabilities(pcm, Stop()), pcm)) / RATE


def recorded(sound: NDArray[Any], bits: int = 16) -> bytes:
    """Return a file in which too much gain is cut and too little is lost in the steps of the converter."""
    pcm = np.asarray(sound.clip(-1, 1), np.float32)
    return sounds.encoded("wav" if bits == 16 else "wav, 8 bits", pcm)


CLEAN = spoken_seconds(recorded(VOICE)) if sounds.can_speak() else 0.0


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("peak", PEAKS)
def test_a_voice_is_found_behind_an_offset(peak: float, offset: float) -> None:
    for sign in (1, -1):
        assert spoken_seconds(recorded(peak * VOICE + sign * offset)) >= KEPT * CLEAN


@pytest.mark.parametrize("peak", PEAKS)
def test_a_voice_is_found_behind_an_offset_that_drifts(peak: float) -> None:
    drift = 0.2 * SECONDS / SECONDS[-1] + 0.1 * np.sin(2 * np.pi * 0.3 * SECONDS) + 0.05 * np.sign(SECONDS - 3)

    assert spoken_seconds(recorded(peak * VOICE + drift)) >= KEPT * CLEAN


@pytest.mark.parametrize("overtones", [(1.0,), (1.0, 0.4, 0.2)], ids=["pure", "with overtones"])
@pytest.mark.parametrize("hertz", [50, 60])
@pytest.mark.parametrize("peak", [0.2, 0.05, 0.02])
def test_a_voice_is_found_in_hum_three_times_as_loud(peak: float, hertz: int, overtones: tuple[float, ...]) -> None:
    hum = sum(share * np.sin(2 * np.pi * hertz * (n + 1) * SECONDS) for n, share in enumerate(overtones))

    assert spoken_seconds(recorded(peak * VOICE + 3 * peak * hum)) >= KEPT * CLEAN


SPOILT: dict[str, Callable[[], bytes]] = {
    "8 bits": lambda: recorded(0.5 * VOICE, 8),
    "8 bits, quiet": lambda: recorded(0.1 * VOICE, 8),
    "8 bits with an offset": lambda: recorded(0.2 * VOICE + 0.3, 8),
    "cut at a tenth": lambda: recorded(10 * VOICE),
    "very quiet": lambda: recorded(0.003 * VOICE),
    "quiet with an offset and hum": lambda: recorded(0.01 * VOICE + 0.2 + 0.03 * np.sin(100 * np.pi * SECONDS)),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_voice_is_found_whatever_the_converter_does(kind: str) -> None:
    assert spoken_seconds(SPOILT[kind]()) >= KEPT * CLEAN


def stereo(left: Pcm, right: Pcm) -> bytes:
    return sounds.wav_of_channels(np.stack([left, right]).clip(-1, 1))


NOISE = 0.002 * np.random.default_rng(0).normal(size=(2, len(VOICE))).astype(np.float32)
PAIRS: dict[str, Callable[[], bytes]] = {
    "exactly inverted": lambda: stereo(0.3 * VOICE, -0.3 * VOICE),
    "inverted, each with its own noise": lambda: stereo(0.3 * VOICE + NOISE[0], -0.3 * VOICE + NOISE[1]),
    "nine tenths inverted": lambda: stereo(0.3 * VOICE, -0.27 * VOICE),
    "one side dead": lambda: stereo(0.3 * VOICE, 0 * VOICE),
    "one side dead, at an offset": lambda: stereo(0.02 * VOICE, 0 * VOICE - 0.5),
    "inverted offsets": lambda: stereo(0.05 * VOICE + 0.2, 0.05 * VOICE - 0.2),
    "inverted after two seconds": lambda: stereo(0.3 * VOICE, np.where(SECONDS < 2, 0.3, -0.3) * VOICE),
}


WHITE = np.random.default_rng(1).normal(size=len(VOICE)).astype(np.float32)
SPOILT_SIDES: dict[str, Callable[[float], bytes]] = {
    "the right": lambda loud: stereo(0.3 * VOICE, loud * WHITE),
    "the left": lambda loud: stereo(loud * WHITE, 0.3 * VOICE),
    "the right, with some of the voice": lambda loud: stereo(0.3 * VOICE, loud * WHITE + 0.03 * VOICE),
    "the left, beside faint noise": lambda loud: stereo(loud * WHITE, 0.3 * VOICE + NOISE[0]),
    "the left, at 48000": lambda loud: sounds.wav_of_channels(
        np.stack(
            [
                loud * np.resize(WHITE, 3 * len(VOICE)),
                0.3 * np.interp(np.arange(3 * len(VOICE)) / 3, np.arange(len(VOICE)), VOICE),
            ]
        ).clip(-1, 1)
    ).replace((16_000).to_bytes(4, "little"), (48_000).to_bytes(4, "little"), 1),
    "one of four": lambda loud: sounds.wav_of_channels(
        np.stack([0.3 * VOICE, 0.25 * VOICE, loud * WHITE, 0.3 * VOICE]).clip(-1, 1)
    ),
}


@pytest.mark.parametrize("loud", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("side", SPOILT_SIDES)
def test_a_channel_of_white_noise_is_left_out_once_there_is_a_voice_in_another(side: str, loud: float) -> None:
    heard, there = decoded(SPOILT_SIDES[side](loud)), decoded(recorded(0.3 * VOICE))
    begun = 2 * RATE
    size = min(len(heard), len(there))
    likeness = np.corrcoef(heard[begun:size], there[begun:size])[0, 1]

    assert likeness > 0.95


@pytest.mark.parametrize("kind", PAIRS)
def test_a_voice_is_found_whatever_the_two_channels_do_to_each_other(kind: str) -> None:
    assert spoken_seconds(PAIRS[kind]()) >= KEPT * CLEAN


def test_channels_that_agree_are_averaged_which_takes_noise_away() -> None:
    noisy = 0.3 * VOICE + 10 * NOISE

    assert np.std(Mixer().mix(noisy) - 0.3 * VOICE) < 0.8 * np.std(noisy[0] - 0.3 * VOICE)


def test_floats_on_the_scale_of_sixteen_bits_are_the_same_sound() -> None:
    plain, undivided = (decoded(sounds.encoded("wav, floats", loud * VOICE)) for loud in (0.5, 0.5 * 32_768))

    np.testing.assert_allclose(undivided, plain, atol=0.01)
