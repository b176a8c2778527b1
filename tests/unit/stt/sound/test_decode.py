import io
import random

import numpy as np
import pytest

from chassis.errors import BadRequest
from fixtures import sounds
from stt.hearing import RATE
from stt.sound.decode import _resampled
from unit.stt.fakes import decoded

LOUD = 0.4


def hertz(pcm: sounds.Samples) -> float:
    return float(np.abs(np.fft.rfft(pcm)).argmax() * RATE / len(pcm))


@pytest.mark.parametrize("kind", sounds.CONTAINERS)
def test_any_container_becomes_sixteen_kilohertz_mono(kind: str) -> None:
    pcm = decoded(sounds.encoded(kind, sounds.tone(2)))

    assert pcm.dtype == np.float32
    assert len(pcm) / RATE == pytest.approx(2, abs=0.12)  # lossy codecs pad
    assert hertz(pcm) == pytest.approx(440, abs=2)
    assert LOUD < np.abs(pcm).max() < 0.6


def test_amr_is_heard_whether_it_can_be_written_or_not() -> None:
    assert len(decoded(sounds.amr(2))) / RATE == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 12345, 22050, 44100, 48000, 96000, 192000])
def test_any_rate_keeps_its_pitch_and_length(rate: int) -> None:
    pcm = decoded(sounds.wav(sounds.tone(1, rate), rate))

    assert len(pcm) / RATE == pytest.approx(1, abs=0.01)
    assert hertz(pcm) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("kind", ["wav", "wav, 8 bits", "wav, 24 bits", "wav, 32 bits", "wav, floats", "aiff", "flac"])
def test_samples_that_have_the_rate_already_are_those_of_the_file(kind: str) -> None:
    tone = sounds.tone(1)
    content = io.BytesIO(sounds.encoded(kind, tone))

    pcm = np.concatenate(list(_resampled(content, None, 10.0, None)))

    assert len(pcm) == len(tone)
    assert np.abs(pcm - tone).max() < (0.01 if kind == "wav, 8 bits" else 0.0001)


def test_a_wav_whose_format_comes_late_is_understood() -> None:
    wav = sounds.wav(sounds.tone(1))
    late = wav[:12] + b"JUNK" + (100_000).to_bytes(4, "little") + bytes(100_000) + wav[12:]

    assert hertz(decoded(late)) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 8, 16])
def test_any_number_of_channels_is_as_loud_as_one(channels: int) -> None:
    pcm = decoded(sounds.wav(sounds.tone(1), channels=channels))

    assert len(pcm) == RATE
    assert np.abs(pcm[RATE // 4 :]).max() == pytest.approx(0.5, abs=0.01)


def test_stereo_of_a_lossy_codec_is_mixed_too() -> None:
    pcm = decoded(sounds.encoded("mp3", sounds.tone(1), layout="stereo"))

    assert np.abs(pcm).max() == pytest.approx(0.5 / 2**0.5, abs=0.05)  # the encoder is given each side 3 dB lower


@pytest.mark.parametrize("kind", ["aac", "flac", "ogg with opus", "webm"])
@pytest.mark.parametrize("layout", ["5.1", "7.1"])
def test_every_channel_of_a_codec_that_keeps_them_apart_is_heard(kind: str, layout: str) -> None:
    pcm = decoded(sounds.encoded(kind, sounds.tone(1), layout=layout))

    assert hertz(pcm) == pytest.approx(440, abs=2)


def test_tracks_that_begin_in_the_middle_of_a_file_are_not_listened_to() -> None:
    assert len(decoded(sounds.transport_with_new_tracks())) / RATE == pytest.approx(2, abs=0.1)


def test_a_damaged_frame_that_claims_51_channels_does_not_end_the_process() -> None:
    file = sounds.encoded("aac", sounds.tone(20))

    with pytest.raises(BadRequest):
        decoded(file + 30 * sounds.damaged_aac(file))


@pytest.mark.parametrize("size", [0, 0x7FFFFF00, 0xFFFFFFFF])
def test_a_recorder_that_streams_need_not_know_the_length(size: int) -> None:
    assert len(decoded(sounds.wav_header(data=size) + bytes(2 * RATE))) == RATE


@pytest.mark.parametrize("kind", ["wav", "mp3", "aac", "ogg with opus", "flac", "webm"])
def test_of_a_file_that_is_cut_off_what_is_there_is_heard(kind: str) -> None:
    file = sounds.encoded(kind, sounds.tone(4))

    assert 0.5 < len(decoded(file[: len(file) // 2])) / RATE < 2.5


def test_damage_in_the_middle_is_left_out() -> None:
    file = bytearray(sounds.encoded("mp3", sounds.tone(4)))
    file[2000:2400] = random.Random(0).randbytes(400)

    assert 3 < len(decoded(bytes(file))) / RATE < 4.2


def test_files_joined_with_different_rates_are_heard_to_the_end() -> None:
    first = sounds.encoded("mp3", sounds.tone(1))
    second = sounds.encoded("mp3", sounds.tone(1, 44100), 44100, layout="stereo")

    assert len(decoded(first + second)) / RATE == pytest.approx(2, abs=0.2)


def test_what_is_no_number_becomes_silence_and_what_is_too_loud_is_cut() -> None:
    assert not decoded(sounds.encoded("wav, floats", np.full(RATE, np.nan, np.float32))).any()
    loud = decoded(sounds.encoded("wav, floats", np.tile(np.array([np.inf, 0.0, -np.inf, 0.0], np.float32), RATE // 4)))
    assert 0.9 < np.abs(loud).max() <= 1.0


def test_a_title_in_a_strange_encoding_is_no_obstacle() -> None:
    song = sounds.encoded("wav", sounds.tone(1))
    title = "Übung".encode("gbk", "replace") + "Lied für Bär".encode("latin-1")
    chunk = b"INAM" + len(title).to_bytes(4, "little") + title + bytes(len(title) % 2)
    listed = b"LIST" + (4 + len(chunk)).to_bytes(4, "little") + b"INFO" + chunk
    at = song.index(b"data")

    assert len(decoded(song[:at] + listed + song[at:])) == pytest.approx(RATE, abs=10)
