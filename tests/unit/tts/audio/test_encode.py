import struct
from typing import get_args

import pytest

from imitations.edge import mp3 as sentence
from tts.audio.encode import Encoding
from tts.audio.encoders import Mp3
from tts.audio.pcm import RATE, Sound, pcm, silence
from tts.audio.resample import tempos
from tts.wire import Codec
from unit.tts.fakes import Heard, hum

CODECS: tuple[Codec, ...] = get_args(Codec)
EDGE = Sound("mp3", 24_000, 6_000)
CONTAINERS = {"pcm": "s16le", "aac": "aac"}
FFMPEG = {"mp3": "mp3float", "opus": "opus", "aac": "aac", "flac": "flac", "wav": "pcm_s16le"}


def encoded(data: bytes, sound: Sound, codec: Codec, stretch: float = 1.0, piece_bytes: int = 10_000) -> bytes:
    encoding = Encoding(sound, codec, stretch)
    pieces = [data[begin : begin + piece_bytes] for begin in range(0, len(data), piece_bytes)]
    return b"".join([out for piece in pieces for out in encoding.encode(piece)] + list(encoding.finish()))


def heard(data: bytes, codec: Codec) -> Heard:
    if codec == "pcm":
        data = encoded(data, pcm(RATE), "wav")
    return Heard(data)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_every_format_holds_the_sound_that_went_in(codec: Codec, rate: int) -> None:
    found = heard(encoded(hum(2.0, rate), pcm(rate), codec), codec)

    assert found.seconds == pytest.approx(2.0, abs=0.12)
    assert found.hertz == pytest.approx(300, rel=0.03)
    assert 3_000 < found.loudest < 9_000
    assert found.channels == 1


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec != "pcm"])
def test_every_format_is_what_it_is_called(codec: Codec) -> None:
    found = Heard(encoded(hum(0.5), pcm(RATE), codec))

    assert found.codec == FFMPEG[codec]
    assert found.container == {"opus": "ogg"}.get(codec, codec)
    assert found.rate == (48_000 if codec == "opus" else RATE)  # Opus is always decoded at 48 kHz


@pytest.mark.parametrize("codec", CODECS)
def test_bytes_leave_before_the_sound_is_complete(codec: Codec) -> None:
    encoding = Encoding(pcm(22_050), codec)

    first = b"".join(encoding.encode(hum(0.5, 22_050)))
    later = b"".join(encoding.encode(hum(5.0, 22_050)))

    assert len(first) > 500
    assert len(later) > 4 * len(first)


@pytest.mark.parametrize("codec", CODECS)
def test_an_encoder_may_be_left_in_the_middle_and_one_without_sound_ends(codec: Codec) -> None:
    unfinished = Encoding(pcm(22_050), codec)
    next(iter(unfinished.encode(hum(1.0, 22_050))))
    del unfinished

    assert len(encoded(b"", pcm(22_050), codec)) < 1_000


def test_mp3_for_an_mp3_caller_is_passed_on_untouched() -> None:
    sound = sentence("Hello little bear")

    assert encoded(sound, EDGE, "mp3", piece_bytes=720) == sound


@pytest.mark.parametrize("codec", CODECS)
def test_mp3_is_transcoded_for_others(codec: Codec) -> None:
    sound = sentence("Hello little bear")

    found = heard(encoded(sound, EDGE, codec, piece_bytes=100), codec)

    assert found.seconds == pytest.approx(Heard(sound).seconds, abs=0.12)
    assert found.loudest > 3_000


@pytest.mark.parametrize("codec", ["mp3", "wav"])
@pytest.mark.parametrize("stretch", [0.25, 0.5, 0.8, 1.5, 2.0, 4.0])
def test_speed_changes_the_length_and_not_the_pitch(codec: Codec, stretch: float) -> None:
    encoding = Encoding(pcm(22_050), codec, stretch)
    data = b"".join([*encoding.encode(hum(4.0, 22_050)), *encoding.finish()])

    found = heard(data, codec)

    assert found.seconds == pytest.approx(4.0 / stretch, abs=0.15)
    assert found.hertz == pytest.approx(300, rel=0.04)
    assert encoding.seconds == pytest.approx(4.0 / stretch, rel=0.01)


def test_mp3_is_stretched_too() -> None:
    sound = sentence("Hello little bear, how are you today")

    assert Heard(encoded(sound, EDGE, "mp3", 2.5)).seconds == pytest.approx(Heard(sound).seconds / 2.5, abs=0.15)


@pytest.mark.parametrize("stretch", [0.25, 0.3, 0.5, 1.0, 1.7, 2.0, 3.9, 4.0])
def test_a_stretch_is_made_of_steps_that_lose_nothing(stretch: float) -> None:
    steps = tempos(stretch)

    product = 1.0
    for step in steps:
        assert 0.5 <= step <= 2.0
        product *= step
    assert product == pytest.approx(stretch)


def test_a_streamed_wav_has_one_header_whose_sizes_say_unknown() -> None:
    data = encoded(hum(1.0), pcm(RATE), "wav", piece_bytes=1_000)

    assert data.count(b"RIFF") == data.count(b"data") == 1
    assert struct.unpack("<4sI4s4sIHHIIHH4sI", data[:44]) == (
        *(b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16),
        *(1, 1, 24_000, 48_000, 2, 16, b"data", 0xFFFFFFFF),
    )
    assert data[44:] == hum(1.0)


def test_pcm_is_nothing_but_samples() -> None:
    assert encoded(hum(1.0), pcm(RATE), "pcm") == hum(1.0)


@pytest.mark.parametrize("seconds", [1.2, 2.03, 4.77])
@pytest.mark.parametrize("rate", [22_050, RATE])
def test_mp3_is_as_long_as_the_sound(seconds: float, rate: int) -> None:
    found = Heard(encoded(hum(seconds, rate) + silence(0.1, rate), pcm(rate), "mp3"))

    assert found.seconds == pytest.approx(seconds + 0.1, rel=0.01)
    assert found.samples[round(RATE * seconds) - 500] != 0  # it is silence that went


def test_mp3_of_a_sound_that_ends_loud_is_not_cut_off() -> None:
    assert Heard(encoded(hum(1.0), pcm(RATE), "mp3")).seconds >= 1.02


@pytest.mark.parametrize(("kbits", "rate"), [(16, 8_000), (32, 16_000), (48, 24_000), (128, 44_100), (None, 16_000)])
def test_mp3_is_of_the_size_and_rate_asked_for(kbits: int | None, rate: int) -> None:
    encoding = Encoding(pcm(22_050), "mp3", mp3=Mp3(kbits, rate))
    data = b"".join([*encoding.encode(hum(5.0, 22_050)), *encoding.finish()])

    found = Heard(data)
    assert found.rate == rate
    assert len(data) * 8 / found.seconds == pytest.approx(1_000 * (kbits or 64), rel=0.02)
    assert found.hertz == pytest.approx(300, rel=0.03)


@pytest.mark.parametrize(
    ("mp3", "fits"),
    [(Mp3(), True), (Mp3(48), True), (Mp3(32), False), (Mp3(None, 22_050), False), (Mp3(64, 16_000), False)],
)
def test_an_engines_own_mp3_is_passed_on_if_it_is_small_enough(mp3: Mp3, fits: bool) -> None:
    made = sentence("Hello little bear")

    encoding = Encoding(EDGE, "mp3", mp3=mp3)
    data = b"".join([*encoding.encode(made), *encoding.finish()])

    assert (data == made) is fits
    assert Heard(data).seconds == pytest.approx(Heard(made).seconds, abs=0.15)


def test_mp3_has_no_header_that_makes_players_stop_early() -> None:
    data = encoded(hum(3.0), pcm(RATE), "mp3")

    assert data[:2] == b"\xff\xf3"
    assert b"Xing" not in data
    assert b"Info" not in data
