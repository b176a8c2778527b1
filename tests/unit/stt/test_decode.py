import io
import random
import time
import zipfile

import numpy as np
import pytest

from chassis.errors import BadRequest
from fixtures import sounds
from stt.engines import RATE
from stt.recording import Recordings
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


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 8, 16])
def test_any_number_of_channels_is_as_loud_as_one(channels: int) -> None:
    pcm = decoded(sounds.wav(sounds.tone(1), channels=channels))

    assert len(pcm) == RATE
    assert np.abs(pcm).max() == pytest.approx(0.5, abs=0.01)


def test_stereo_of_a_lossy_codec_is_mixed_too() -> None:
    pcm = decoded(sounds.encoded("mp3", sounds.tone(1), layout="stereo"))

    assert np.abs(pcm).max() == pytest.approx(0.5 / 2**0.5, abs=0.05)  # the encoder is given each side 3 dB lower


@pytest.mark.parametrize("kind", ["aac", "flac", "ogg with opus", "webm"])
@pytest.mark.parametrize("layout", ["5.1", "7.1"])
def test_every_channel_of_a_codec_that_keeps_them_apart_is_heard(kind: str, layout: str) -> None:
    pcm = decoded(sounds.encoded(kind, sounds.tone(1), layout=layout))

    assert hertz(pcm) == pytest.approx(440, abs=2)


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
    assert decoded(sounds.encoded("wav, floats", np.full(RATE, np.inf, np.float32))).max() == 1.0


def test_a_title_in_a_strange_encoding_is_no_obstacle() -> None:
    song = sounds.encoded("wav", sounds.tone(1))
    title = "Übung".encode("gbk", "replace") + "Lied für Bär".encode("latin-1")
    chunk = b"INAM" + len(title).to_bytes(4, "little") + title + bytes(len(title) % 2)
    listed = b"LIST" + (4 + len(chunk)).to_bytes(4, "little") + b"INFO" + chunk
    at = song.index(b"data")

    assert len(decoded(song[:at] + listed + song[at:])) == pytest.approx(RATE, abs=10)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.mp3", random.Random(0).randbytes(300_000))
    return file.getvalue()


def playlist() -> bytes:
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///usr/share/sounds/alsa/Noise.wav\n#EXT-X-ENDLIST\n"


HOSTILE = {
    "nothing": b"",
    "text": b"hello world " * 5000,
    "json": b"{}",
    "a zip": zipped(),
    "a play list": playlist(),
    "a concatenation": b"ffconcat version 1.0\nfile /usr/share/sounds/alsa/Noise.wav\n",
    "zeros": bytes(1_000_000),
    "ones": b"\xff" * 1_000_000,
    "nothing but a tag": b"ID3\x04\0\0\0\0\x0f\x7f" + bytes(2000),
    "an empty ogg": b"OggS" + bytes(1000),
    "an empty mp4": b"\0\0\0\x18ftypM4A \0\0\0\0" + bytes(100),
    "an empty webm": b"\x1aE\xdf\xa3" + bytes(100),
    "half an m4a": sounds.encoded("m4a", sounds.tone(2))[:6000],
    "a film without sound": sounds.film_without_sound(),
    "a header alone": sounds.wav_header(),
    "a header that promises": sounds.wav_header(data=0xFFFFFFFF),
    "no rate": sounds.wav_header(data=100_000, rate=0) + bytes(100_000),
    "one sample a second": sounds.wav_header(data=100_000, rate=1) + bytes(100_000),
    "a rate beyond all": sounds.wav_header(data=100_000, rate=2**31 - 1) + bytes(100_000),
    "no channel": sounds.wav_header(data=100_000, channels=0) + bytes(100_000),
    "200 channels": sounds.wav_header(data=1_000_000, channels=200) + bytes(1_000_000),
    "65535 channels": sounds.wav_header(data=1_000_000, channels=65535) + bytes(1_000_000),
    "no bits": sounds.wav_header(data=100_000, bits=0) + bytes(100_000),
    "hours of samples": sounds.wav_header(data=25_000_000, rate=2000, bits=8) + bytes(25_000_000),
    "ten hours in a flac": sounds.flac_of_silence(10),
} | {f"random bytes {seed}": random.Random(seed).randbytes(100_000 * (seed + 1)) for seed in range(8)}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_cannot_be_heard_is_refused_soon(name: str) -> None:
    began = time.process_time()

    async def read() -> None:
        async with Recordings(10_800, places=1, queued=0).open(io.BytesIO(HOSTILE[name])):
            pass

    with pytest.raises(BadRequest) as refused:
        await read()

    assert refused.value.body["param"] == "file"
    assert time.process_time() - began < 2


def test_ten_hours_that_the_header_hides_are_refused_soon_and_in_little_memory() -> None:
    file = bytearray(sounds.flac_of_silence(10))
    file[21] &= 0xF0  # the number of samples: unknown
    file[22:26] = bytes(4)
    began = time.process_time()

    with pytest.raises(BadRequest, match="longer than 600 seconds"):
        decoded(bytes(file), 600)

    assert time.process_time() - began < 2
