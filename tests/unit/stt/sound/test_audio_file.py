import io
from typing import get_args

import av
import numpy as np
import pytest

from fixtures import sounds
from stt.hearing import RATE
from stt.sound.audio_file import STEP, Format, encoded
from stt.sound.microphone import MicrophoneFilter
from unit.stt.fakes import decoded

FORMATS: tuple[Format, ...] = get_args(Format)


@pytest.mark.parametrize(
    ("kind", "name", "media_type", "begins"),
    [
        ("wav", "speech.wav", "audio/wav", b"RIFF"),
        ("flac", "speech.flac", "audio/flac", b"fLaC"),
        ("mp3", "speech.mp3", "audio/mpeg", b"ID3"),
        ("opus", "speech.ogg", "audio/ogg", b"OggS"),
    ],
)
def test_name_and_media_type_say_what_the_file_is(kind: Format, name: str, media_type: str, begins: bytes) -> None:
    called, content, told = encoded(sounds.tone(0.5), kind)

    assert (called, told) == (name, media_type)
    assert content.startswith(begins)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_is_mono_and_as_long_as_the_sound(kind: Format) -> None:
    _, content, _ = encoded(sounds.tone(2.5), kind)

    with av.open(io.BytesIO(content)) as file:
        assert file.streams.audio[0].codec_context.channels == 1
    assert len(decoded(content)) / RATE == pytest.approx(2.5, abs=0.1)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_loses_nothing_gives_each_sample_back(kind: Format) -> None:
    pcm = np.linspace(-1, 1, 10_001, dtype=np.float32)

    back = decoded(encoded(pcm, kind)[1])

    assert len(back) == len(pcm)
    assert np.abs(back - MicrophoneFilter().mend(pcm)).max() < 16 / 32768


@pytest.mark.parametrize("samples", [STEP - 1, STEP, STEP + 1])
def test_where_two_steps_meet_nothing_is_lost_or_said_twice(samples: int) -> None:
    pcm = (np.sin(np.arange(samples) / 7) / 2).astype(np.float32)

    back = decoded(encoded(pcm, "flac")[1])

    assert len(back) == samples
    assert np.abs(back - MicrophoneFilter().mend(pcm)).max() < 16 / 32768


@pytest.mark.parametrize("kind", FORMATS)
def test_a_sound_shorter_than_one_frame_of_the_codec_is_a_file_too(kind: Format) -> None:
    assert len(decoded(encoded(sounds.tone(0.12), kind)[1])) >= 1920
