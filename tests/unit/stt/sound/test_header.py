"""Recordings whose header says another thing than their samples, and many that only seem so."""

import io
import struct
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.threads import Stop
from fixtures import sounds
from stt.sound import vad
from stt.sound.contradiction import contradiction, look_at
from stt.sound.header import wav_header
from stt.sound.rate import likelier_rate
from unit.stt.fakes import decoded

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

KINDS: dict[str, tuple[int, int, Callable[[NDArray[np.floating]], bytes]]] = {
    "16-bit samples": (1, 16, lambda sound: (sound * 32767).astype("<i2").tobytes()),
    "24-bit samples": (1, 24, lambda sound: _top_bytes(sound, 3)),
    "32-bit samples": (1, 32, lambda sound: _top_bytes(sound, 4)),
    "8-bit samples": (1, 8, lambda sound: (sound * 127 + 128).astype(np.uint8).tobytes()),
    "32-bit floats": (3, 32, lambda sound: sound.astype("<f4").tobytes()),
    "64-bit floats": (3, 64, lambda sound: sound.astype("<f8").tobytes()),
    "samples in G.711 (A-law)": (
        6,
        8,
        lambda sound: data_of(sounds.encoded("wav, A-law", sound.astype(np.float32), 8000)),
    ),
    "samples in G.711 (mu-law)": (
        7,
        8,
        lambda sound: data_of(sounds.encoded("wav, mu-law", sound.astype(np.float32), 8000)),
    ),
}


def _top_bytes(sound: NDArray[np.floating], count: int) -> bytes:
    whole = (sound * (2**31 - 1)).astype("<i4").view(np.uint8).reshape(-1, 4)
    return whole[:, 4 - count :].tobytes()


def data_of(wav: bytes) -> bytes:
    return wav[wav.find(b"data") + 8 :]


@cache
def voice() -> sounds.Samples:
    return sounds.spoken("Hello little bear, how are you today my friend?")


@cache
def finer() -> NDArray[np.float64]:
    """The voice as a microphone of 24 bits and more gives it: its lowest bits are noise, where flite's are zeros."""
    return voice() + np.random.default_rng(0).normal(0, 1e-6, len(voice()))


def wav(
    data: bytes, code: int = 1, bits: int = 16, *, channels: int = 1, rate: int = sounds.RATE, size: int = -1
) -> bytes:
    size, width = size if size >= 0 else len(data), channels * bits // 8
    format = struct.pack("<HHIIHH", code, channels, rate, rate * width % 2**32, width, bits)
    return b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + format + b"data" + struct.pack("<I", size) + data


def contradiction_in(wav: bytes) -> str | None:
    file = io.BytesIO(wav)
    return contradiction(file, look_at(file))


def of_kind(kind: str, sound: sounds.Samples | None = None) -> bytes:
    return KINDS[kind][2](finer() if sound is None else sound)


@pytest.mark.parametrize("said", KINDS)
@pytest.mark.parametrize("true", KINDS)
def test_samples_of_another_kind_are_named_and_those_of_the_right_one_are_not(true: str, said: str) -> None:
    code, bits, _ = KINDS[said]
    data = of_kind(true)

    found = contradiction_in(wav(data[: len(data) // 24 * 24], code, bits))

    assert found == expected(true, said)


def expected(true: str, said: str) -> str | None:
    return None if true == said else f"says {said}, sounds like {true}"


def samples(*channels: sounds.Samples) -> bytes:
    return (np.stack(channels).T * 32767).astype("<i2").tobytes()


HISSING = ("yes", "six", "kiss", "zoo", "ice", "hiss", "this is so nice")


def at_rate(rate: int) -> sounds.Samples:
    """Return the voice with so many samples a second."""
    moments = np.arange(len(voice()) * rate // sounds.RATE) * sounds.RATE / rate
    return np.interp(moments, np.arange(len(voice())), voice()).astype(np.float32)


def noisy(loudness: float) -> sounds.Samples:
    return voice() + sounds.noise(10, loudness)[: len(voice())]


def crackling(rate: int, loudness: float, clicks: int, width: int, peak: float) -> bytes:
    """Return a WAV of the voice with so many clicks a second, each of `width` samples."""
    random, sound = np.random.default_rng(0), loudness * at_rate(rate)
    for at in random.integers(0, len(sound) - width, clicks * len(sound) // rate):
        sound[at : at + width] = peak * random.choice([-1, 1])
    return wav(samples(sound), rate=rate)


LIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "the high byte first": (
        lambda: wav((voice() * 32767).astype(">i2").tobytes()),
        "says 16-bit samples, sounds like 16-bit samples, the high byte first",
    ),
    "unsigned": (
        lambda: wav((voice() * 32767 + 32768).astype("<u2").tobytes()),
        "says 16-bit samples, sounds like unsigned 16-bit samples",
    ),
    "a bit too low": (
        lambda: wav(((voice() * 32767).astype("<i2").view("<u2") >> 1).tobytes()),
        "says 16-bit samples, sounds like 16-bit samples, a bit too low",
    ),
    "8 bits for 16": (
        lambda: wav(of_kind("8-bit samples", 0.3 * voice() / np.abs(voice()).max())),
        "says 16-bit samples, sounds like 8-bit samples",
    ),
    "24 bits in 32, without a sign": (
        lambda: wav(((voice() * 2**23).astype("<i4") & 0xFFFFFF).astype("<u4").tobytes(), bits=32),
        "says 32-bit samples, sounds like 32-bit samples, eight bits too low",
    ),
    "16 bits in 32": (
        lambda: wav((voice() * 32767).astype("<i4").tobytes(), bits=32),
        "says 32-bit samples, sounds like 32-bit samples, 16 bits too low",
    ),
    "24 bits, the high byte first": (
        lambda: wav(_top_bytes(finer()[::-1], 3)[::-1], bits=24),
        "says 24-bit samples, sounds like 24-bit samples, the high byte first",
    ),
    "32 bits, the high byte first": (
        lambda: wav((voice() * (2**31 - 1)).astype(">i4").tobytes(), bits=32),
        "says 32-bit samples, sounds like 32-bit samples, the high byte first",
    ),
    "signed 8 bits": (
        lambda: wav((voice() * 127).astype("i1").tobytes(), bits=8),
        "says 8-bit samples, sounds like signed 8-bit samples",
    ),
    "a byte too late": (
        lambda: wav(b"\0" + samples(voice())[:-1]),
        "says 16-bit samples, sounds like 16-bit samples, the high byte first",
    ),
    "mp3": (lambda: wav(sounds.encoded("mp3", voice())), "says 16-bit samples, holds mp3"),
    "aac": (lambda: wav(sounds.encoded("aac", voice())), "says 16-bit samples, holds aac"),
    "opus": (lambda: wav(sounds.encoded("ogg with opus", voice())), "says 16-bit samples, holds ogg"),
    "flac": (lambda: wav(sounds.encoded("flac", voice())), "says 16-bit samples, holds flac"),
    "flac of 24 bits": (lambda: wav(sounds.encoded("flac", voice()), 1, 24), "says 24-bit samples, holds flac"),
    "two alike": (lambda: wav(samples(voice(), voice())), "says 1 channel, sounds like 2"),
    "two that differ": (lambda: wav(samples(voice(), 0.6 * noisy(0.003))), "says 1 channel, sounds like 2"),
    "one of two dead": (lambda: wav(samples(voice(), 0 * voice())), "says 1 channel, sounds like 2"),
    "one half as loud": (lambda: wav(samples(voice(), 0.5 * voice())), "says 1 channel, sounds like 2"),
    "one later": (lambda: wav(samples(voice(), np.roll(voice(), 40))), "says 1 channel, sounds like 2"),
    "one inverted": (lambda: wav(samples(voice(), -voice())), "says 1 channel, sounds like 2"),
    "two of floats": (
        lambda: wav(np.repeat(voice(), 2).astype("<f4").tobytes(), 3, 32),
        "says 1 channel, sounds like 2",
    ),
    "one channel": (lambda: wav(samples(voice()), channels=2), "says 2 channels, sounds like 1"),
    "one channel, 8000": (lambda: wav(samples(voice()), channels=2, rate=8000), "says 2 channels, sounds like 1"),
    "cut": (lambda: wav(samples(voice())[:32_000], size=96_000), "says 3.0 s, holds 1.0 s"),
    "cut, stereo": (
        lambda: wav(samples(voice(), voice())[:64_000], size=192_000, channels=2),
        "says 3.0 s, holds 1.0 s",
    ),
    "shorter": (lambda: wav(samples(voice())[:64_000], size=32_000), "says 1.0 s, holds 2.0 s"),
    "after a title": (
        lambda: wav(samples(voice())[:32_000], size=96_000).replace(b"data", b"LIST\x04\0\0\0INFOdata", 1),
        "says 3.0 s, holds 1.0 s",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_says_another_thing_is_named(name: str) -> None:
    made, message = LIES[name]

    assert contradiction_in(made()) == message


HEARD = tuple(name for name, (_, said) in LIES.items() if "sounds like" in said and "8000" not in name)


@pytest.mark.parametrize("name", HEARD)
def test_samples_are_heard_as_what_they_are(name: str) -> None:
    heard, plain = decoded(LIES[name][0]()), decoded(wav(samples(voice())))

    assert len(heard) == pytest.approx(len(plain), abs=9)
    assert vad.probabilities(heard, Stop()).mean() > 0.8 * vad.probabilities(plain, Stop()).mean()


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_a_wav_whose_header_has_the_high_byte_first_is_heard(bits: int) -> None:
    kind = f"{bits}-bit samples"
    little = wav(of_kind(kind), bits=bits)
    numbers = np.frombuffer(of_kind(kind), np.uint8).reshape(-1, bits // 8)[:, ::-1].tobytes()
    format = struct.pack(">HHIIHH", 1, 1, sounds.RATE, sounds.RATE * bits // 8, bits // 8, bits)
    big = b"RIFX\xff\xff\xff\xffWAVEfmt \0\0\0\x10" + format + b"data" + struct.pack(">I", len(numbers)) + numbers

    assert np.abs(decoded(big) - decoded(little)).max() < 0.001
    assert contradiction_in(big) is None


def bright(sound: sounds.Samples) -> sounds.Samples:
    """Return the sound as a microphone gives it that hears high sounds best."""
    return np.append(sound[:1], sound[1:] - 0.7 * sound[:-1])


HONEST: dict[str, Callable[[], bytes]] = {
    **{f"{word}, full of hissing": partial(lambda word: wav(samples(sounds.spoken(word))), word) for word in HISSING},
    **{f"{word}, brighter": partial(lambda word: wav(samples(bright(sounds.spoken(word)))), word) for word in HISSING},
    "clipped": lambda: wav(samples(np.clip(4 * voice(), -1, 1))),
    "clipped to squares": lambda: wav(samples(np.clip(40 * voice(), -1, 1))),
    "quiet": lambda: wav(samples(0.005 * voice())),
    "in noise": lambda: wav(samples(0.3 * noisy(0.1))),
    **{
        f"crackling: {', '.join(map(str, how))}": partial(crackling, *how)
        for how in (
            *((8000, 0.1, 20, 1, 1.0), (16000, 0.3, 20, 1, 0.6), (16000, 0.1, 100, 3, 1.0)),
            *((16000, 1.0, 50, 1, 1.0), (24000, 0.1, 50, 2, 0.6), (48000, 0.3, 200, 1, 1.0)),
        )
    },
    "noise only": lambda: wav(samples(sounds.noise(3))),
    "silence": lambda: wav(samples(sounds.silence(3))),
    "a tone": lambda: wav(samples(sounds.tone(3, hertz=3000))),
    "8000": lambda: wav(samples(voice()[::2]), rate=8000),
    "8000, 8 bits": lambda: wav(of_kind("8-bit samples", voice()[::2]), 1, 8, rate=8000),
    "two that differ, 8 bits": lambda: wav(
        of_kind("8-bit samples", np.stack([voice(), np.roll(voice(), 8000)]).T.reshape(-1)), 1, 8, channels=2
    ),
    **{
        f"{word}, A-law": partial(
            lambda word: wav(of_kind("samples in G.711 (A-law)", 0.05 * sounds.spoken(word)), 6, 8, rate=8000), word
        )
        for word in ("six", "moon", "oh", "mama")
    },
    "48000": lambda: wav(samples(at_rate(48_000)), rate=48_000),
    "two alike": lambda: wav(samples(voice(), voice()), channels=2),
    "two that differ": lambda: wav(samples(voice(), noisy(0.05)), channels=2),
    "one of two dead": lambda: wav(samples(voice(), 0 * voice()), channels=2),
    "two far apart": lambda: wav(samples(voice(), np.roll(voice(), 40)), channels=2),
    "one of two is noise": lambda: wav(samples(voice(), sounds.noise(10, 0.3)[: len(voice())]), channels=2),
    "the other is": lambda: wav(samples(sounds.noise(10, 0.1)[: len(voice())], voice()), channels=2),
    "six": lambda: wav(samples(*[voice()] * 6), channels=6),
    "length 0": lambda: wav(samples(voice()), size=0),
    "length -1": lambda: wav(samples(voice()), size=2**32 - 1),
    "length of a recorder that streams": lambda: wav(samples(voice()), size=0x7FFFFFD3),
    "a chunk after it": lambda: wav(samples(voice())) + b"LIST\x04\0\0\0INFO",
    "an odd byte": lambda: wav(samples(voice()) + b"\0"),
    "short": lambda: wav(samples(voice()[:2000])),
    "no samples": lambda: wav(b""),
    "adpcm": lambda: sounds.encoded("wav, adpcm", voice()),
    "mp3": lambda: sounds.encoded("mp3", voice()),
    "flac": lambda: sounds.encoded("flac", voice()),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("name", HONEST)
def test_nothing_is_said_of_a_header_that_may_be_right(name: str) -> None:
    assert contradiction_in(HONEST[name]()) is None


@pytest.mark.parametrize(("said", "true"), [(8000, 24_000), (16_000, 48_000), (44_100, 16_000), (48_000, 16_000)])
def test_a_rate_at_which_nobody_speaks_is_told_from_one_at_which_somebody_does(said: int, true: int) -> None:
    heard = decoded(wav(samples(at_rate(true)), rate=said))

    assert likelier_rate(heard, said) == pytest.approx(true, rel=0.1)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_a_rate_that_is_right_is_not_doubted(rate: int) -> None:
    assert likelier_rate(decoded(wav(samples(at_rate(rate)), rate=rate)), rate) is None


@pytest.mark.parametrize("sound", [sounds.silence(2), sounds.noise(2), sounds.tone(2), sounds.silence(0.01)])
def test_what_is_no_voice_has_no_likelier_rate(sound: sounds.Samples) -> None:
    assert likelier_rate(sound, 16_000) is None


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        (lambda: wav(samples(voice())[:96_000]), 3),
        (lambda: wav(samples(voice())[:95_999]), 3),
        (lambda: wav(samples(voice())[:96_000], size=32_000), 3),
        (lambda: wav(bytes(96_000), size=3_200), 3),
        (lambda: wav(samples(voice())[:96_000], size=96_001), 3),
        (lambda: wav(samples(voice())[:96_000], size=2_000_000), 3),
        (lambda: 2 * wav(samples(voice())[:96_000]), 6),
        (lambda: wav(samples(voice())[:32_000]) + b"LIST" + (40_000).to_bytes(4, "little") + bytes(40_000), 1),
        (lambda: wav(samples(voice())[:31_999]) + b"\0LIST\4\0\0\0INFO", 1),
        (lambda: wav(samples(voice())[:31_999]) + b"LIST\4\0\0\0INFO", 1),
        (lambda: wav(samples(voice(), voice())[:95_998], channels=2), 1.5),
        (lambda: wav(samples(voice())[:1]), 0),
        (lambda: wav(samples(voice())[:96_000], size=0), 3),
        (lambda: wav(of_kind("32-bit samples")[:96_000], bits=32), 1.5),
    ],
)
def test_a_wav_is_heard_to_its_end_whatever_its_header_says(made: Callable[[], bytes], seconds: float) -> None:
    assert len(decoded(made())) / sounds.RATE == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["16-bit samples", "32-bit samples"])
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_what_needs_no_decoder_sounds_as_decoded(kind: str, channels: int, rate: int) -> None:
    _, bits, _ = KINDS[kind]
    data = np.repeat(np.frombuffer(of_kind(kind), f"<i{bits // 8}"), channels).tobytes()
    made = wav(data, bits=bits, channels=channels, rate=rate)
    left_to_ffmpeg = made.replace(b"fmt ", 100 * b"junk\0\0\0\0" + b"fmt ", 1)

    ours, theirs = decoded(made), decoded(left_to_ffmpeg)

    assert abs(len(ours) - len(theirs)) < 32
    assert np.abs(ours[: len(theirs)] - theirs[: len(ours)]).max() < 0.002


def test_a_header_of_a_million_chunks_takes_no_time() -> None:
    assert wav_header(io.BytesIO(b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 1_000_000)) is None
