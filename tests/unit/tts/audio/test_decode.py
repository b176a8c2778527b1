import io
import math
import struct
from array import array
from contextlib import suppress
from itertools import pairwise
from random import Random

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from imitations.speech import spoken
from tts.audio.decode import AudioDecoder
from tts.audio.parsers import MOST_FILE_BYTES
from tts.audio.pcm import RATE
from tts.audio.recognise import NotSound, recognise
from unit.tts.fakes import hum

FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm", "m4a", "webm"]


def heard(data: bytes, step: int = 777, **how: int | bool) -> "array[int]":
    """What comes out when it comes in pieces of `step` bytes."""
    decoder = AudioDecoder(**how)  # type: ignore[arg-type]
    pcm = b"".join(sound for at in range(0, len(data), step) for sound in decoder.feed(data[at : at + step]))
    return array("h", pcm + b"".join(decoder.finish()))


def hertz(samples: "array[int]") -> float:
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    return sum(1 for a, b in pairwise(middle) if a < 0 <= b) * RATE / len(middle)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac", "wav", "m4a", "webm", "aiff"])
def test_every_format_is_told_by_its_bytes_and_comes_out_as_the_same_sound(kind: str, channels: int, rate: int) -> None:
    samples = heard(spoken(kind, 1.0, rate, channels))

    assert len(samples) / RATE == pytest.approx(1.0, abs=0.13)
    assert hertz(samples) == pytest.approx(300, abs=6)


@pytest.mark.parametrize("step", [1, 7, 100, 100_000])
@pytest.mark.parametrize("kind", FORMATS)
def test_it_does_not_matter_how_the_bytes_are_cut(kind: str, step: int) -> None:
    data = spoken(kind, 0.4)

    assert heard(data, step) == heard(data, 4096)


@pytest.mark.parametrize("kind", ["mp3", "aac", "wav", "pcm"])
def test_the_first_sound_needs_no_more_than_the_first_bytes(kind: str) -> None:
    decoder, data = AudioDecoder(), spoken(kind, 2.0)
    needed = next(at for at in range(0, len(data), 64) if any(decoder.feed(data[at : at + 64])))

    assert needed < 1_600


def test_raw_pcm_is_taken_at_the_rate_it_is_said_to_have() -> None:
    samples = heard(spoken("pcm", 1.0, 16_000), pcm_rate=16_000)

    assert len(samples) / RATE == pytest.approx(1.0, abs=0.01)
    assert hertz(samples) == pytest.approx(300, abs=6)


def test_raw_pcm_that_begins_with_silence_is_raw_pcm() -> None:
    assert recognise(bytes(2048)) == "pcm"
    assert recognise(bytes(100), complete=True) == "pcm"


def test_noise_is_raw_pcm_only_where_it_is_said_to_be() -> None:
    noise = Random(1).randbytes(4096)

    assert recognise(noise, claims_pcm=True) == "pcm"
    with pytest.raises(NotSound):
        recognise(noise)


@pytest.mark.parametrize(
    "text", [b'{"error": {"message": "no"}}', "<html>你好</html>".encode(), b"Internal Server Error"]
)
def test_text_is_never_played_whatever_it_is_called(text: bytes) -> None:
    with pytest.raises(NotSound) as caught:
        heard(text, claims_pcm=True)
    assert caught.value.text == text


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_is_no_sound(kind: str) -> None:
    with pytest.raises(NotSound, match="no sound"):
        heard(b"")
    with pytest.raises(NotSound, match="no sound"):
        heard(spoken("wav", 0.0))


@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF - 36, 100_000_000, 1_000])
def test_a_wav_is_played_to_its_end_whatever_it_says_of_its_length(size: int | None) -> None:
    assert len(heard(spoken("wav", 1.0, wav_size=size))) / RATE == pytest.approx(1.0, abs=0.01)


def test_a_wav_that_is_cut_off_is_noticed_though_its_connection_ended_well() -> None:
    with pytest.raises(NotSound, match="less sound"):
        heard(spoken("wav", 2.0)[:48_000])


def test_notes_behind_the_sound_of_a_wav_are_not_played() -> None:
    notes = struct.pack("<4sI", b"LIST", 400) + bytes([200, 90] * 200)

    assert len(heard(spoken("wav", 0.5) + notes)) == len(heard(spoken("wav", 0.5)))


def test_several_wav_files_in_a_row_are_all_played_without_their_headers() -> None:
    once = heard(spoken("wav", 0.5))

    assert heard(spoken("wav", 0.5) * 3) == once * 3


@pytest.mark.parametrize(
    ("tag", "bits", "sample"),
    [(1, 8, b"\xc0"), (1, 24, b"\0\0\x40"), (1, 32, b"\0\0\0\x40"), (3, 32, struct.pack("<f", 0.5)), (7, 8, b"\x8f")],
)
def test_samples_of_other_widths_keep_their_loudness(tag: int, bits: int, sample: bytes) -> None:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, 1, RATE, RATE * bits // 8, bits // 8, bits)
    data = struct.pack("<4sI4s", b"RIFF", 0, b"WAVE") + form + struct.pack("<4sI", b"data", 0) + sample * RATE

    samples = heard(data)

    assert len(samples) == RATE
    assert samples[RATE // 2] == pytest.approx(16_384, rel=0.04)


def test_a_picture_in_front_of_an_mp3_is_skipped() -> None:
    picture = b"\xff\xfb\x90\x64" * 500
    tag = b"ID3\x04\0\0" + bytes([0, 0, len(picture) >> 7, len(picture) & 127]) + picture
    data = spoken("mp3", 0.5)
    assert data.startswith(b"ID3")
    data = data[10 + data[9] :]

    assert heard(tag + data, 5000) == heard(data, 5000)


def test_a_broken_frame_is_left_out() -> None:
    data = bytearray(spoken("mp3", 1.0))
    data[3000:3040] = b"\x55" * 40

    assert len(heard(bytes(data))) / RATE == pytest.approx(1.0, abs=0.15)


@given(st.binary(max_size=4096), st.booleans())
def test_no_bytes_do_harm(data: bytes, claims_pcm: bool) -> None:
    with suppress(NotSound):
        assert heard(data, 512, claims_pcm=claims_pcm)


@given(st.integers(40, 2000), st.floats(0.01, 1.0))
def test_sound_without_a_header_is_recognised(pitch: int, loudness: float) -> None:
    samples = array("h", hum(0.05, hertz=pitch))
    quieter = array("h", [int(sample * loudness) for sample in samples]).tobytes()

    assert recognise(quieter) == "pcm"


def test_ogg_may_hold_vorbis() -> None:
    file = io.BytesIO()
    soundfile.write(file, [math.sin(2 * math.pi * 300 * at / RATE) / 4 for at in range(RATE)], RATE, format="OGG")

    samples = heard(file.getvalue())

    assert len(samples) / RATE == pytest.approx(1.0, abs=0.05)
    assert hertz(samples) == pytest.approx(300, abs=6)


@pytest.mark.parametrize("kind", ["m4a", "webm", "aiff"])
def test_a_file_that_was_cut_is_no_sound_or_what_there_is_of_it(kind: str) -> None:
    whole = spoken(kind, 2.0)

    with suppress(NotSound):
        assert len(heard(whole[: len(whole) // 2])) / RATE < 2.0


def test_a_file_that_has_no_end_is_given_up() -> None:
    with pytest.raises(NotSound, match="more than"):
        heard(spoken("aiff", 0.1) + bytes(MOST_FILE_BYTES), step=2**20)
