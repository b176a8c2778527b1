"""Clauses of mp3 joined in frames, as the decoders of players hear them."""

from array import array
from itertools import pairwise
from random import Random
from typing import Any

import lameenc
import numpy as np
import pytest

from tts.audio import mp3_frames
from tts.audio.mp3_edges import FrameEdges
from tts.audio.pcm import RATE, Sound, silence
from unit.tts.decoders import MP3_DECODERS, decoded
from unit.tts.fakes import hum

EDGE = Sound("mp3", 24_000, 6_000)
FRAME_SECONDS = 0.024
SIZES = [1, 144, 720, 100_000]


def mp3(pcm: bytes, rate: int = 24_000, kbits: int = 48, channels: int = 1) -> bytes:
    """As LAME makes it, which is what the service sends: sound is spread over the frames before it."""
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_in_sample_rate(rate)
    lame.set_out_sample_rate(rate)
    lame.set_channels(channels)
    lame.set_bit_rate(kbits)
    lame.set_quality(5)
    return bytes(lame.encode(pcm)) + bytes(lame.flush())


def hiss(seconds: float, loudest: int, seed: int) -> bytes:
    random = Random(seed)
    return array("h", (random.randint(-loudest, loudest) for _ in range(int(seconds * RATE)))).tobytes()


def clause(seconds: float = 1.0, before: float = 0.3, after: float = 0.8, hertz: float = 300.0) -> bytes:
    """Hums, then hisses, between the silences that a voice leaves."""
    return silence(before) + hum(seconds - 0.2, hertz=hertz) + hiss(0.2, 9_000, 1) + silence(after)


def joined(*clauses: bytes, pause: float = 0.25, piece_bytes: int = 720) -> bytes:
    edges, heard = FrameEdges(EDGE), []
    for number, sound in enumerate(clauses, 1):
        heard += [edges.feed(sound[at : at + piece_bytes]) for at in range(0, len(sound), piece_bytes)]
        heard.append(edges.finish(pause if number < len(clauses) else None))
    return b"".join(heard)


def frames(data: bytes) -> list[bytes]:
    found, rest = mp3_frames.cut(data)
    assert b"".join(found) + rest == data
    assert rest == b""
    return found


@pytest.mark.parametrize("decoder", MP3_DECODERS)
@pytest.mark.parametrize("before", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("pause", [0.04, 0.12, 0.25])
def test_a_decoder_hears_every_clause_and_complains_of_nothing(decoder: str, before: float, pause: float) -> None:
    data = joined(*(mp3(clause(1.0, before, hertz=hertz)) for hertz in (250, 300, 350)), pause=pause)

    found = decoded(data, "mp3", decoder)

    assert found.complaints == []
    assert found.seconds == pytest.approx(len(frames(data)) * FRAME_SECONDS, abs=0.002 + 1.1 * FRAME_SECONDS)
    assert found.seconds == pytest.approx(3.0 + 2 * pause + 0.8, abs=0.3)
    assert len(_silences(found.samples)) == 2


@pytest.mark.parametrize("before", [0.0, 0.02, 0.05, 0.1, 0.3])
def test_each_clause_sounds_as_it_does_alone(before: float) -> None:
    """Sample by sample: no bit of its frames is lost, though those before them are."""
    first, second = mp3(clause(1.0, 0.3)), mp3(hiss(0.1, 50, 2) * bool(before) + clause(1.0, before, hertz=350))
    alone, both = decoded(second, "mp3", "ffmpeg").samples, decoded(joined(first, second), "mp3", "ffmpeg").samples

    begin = int((before + 0.1 * bool(before) + 0.1) * RATE)
    loud = alone[begin : begin + RATE // 2]
    places = [at for at in range(len(both) - len(loud)) if abs(both[at] - loud[0]) < 1e-5]
    assert any(np.allclose(both[at : at + len(loud)], loud, atol=1e-4) for at in places)


@pytest.mark.parametrize("pause", [0.04, 0.12, 0.25])
@pytest.mark.parametrize("before", [0.0, 0.3])
def test_the_silence_between_clauses_is_the_pause(before: float, pause: float) -> None:
    data = joined(*[mp3(clause(1.0, before, 0.8))] * 4, pause=pause)

    found = _silences(decoded(data, "mp3", "ffmpeg").samples)

    assert len(found) == 3
    assert all(seconds == pytest.approx(pause + 0.02, abs=3 * FRAME_SECONDS) for seconds in found)


def test_sound_does_not_depend_on_the_sizes_of_pieces() -> None:
    sound = mp3(clause())

    assert len({joined(sound, sound, piece_bytes=size) for size in SIZES}) == 1


def test_frames_leave_as_soon_as_they_are_loud() -> None:
    edges, sound = FrameEdges(EDGE), mp3(silence(0.3) + hum(2.0))
    heard = [len(edges.feed(sound[at : at + 720])) for at in range(0, len(sound) - 720, 720)]

    assert heard[0] == heard[1] == 0
    assert all(heard[3:])


def test_the_end_of_an_answer_is_long_enough_for_players() -> None:
    data = joined(mp3(hum(1.0)), mp3(hum(1.0)))

    assert all(mp3_frames.level(frame) < mp3_frames.QUIET for frame in frames(data)[-3:])


def test_a_clause_without_sound_leaves_nothing() -> None:
    assert joined(mp3(silence(1.0)), mp3(clause())) == joined(b"", mp3(clause()))


def test_what_describes_one_file_is_left_out() -> None:
    """ID3 in front and behind, and a frame that says how long one file is, in the form of Xing, of LAME and of VBRI."""
    plain = mp3(clause())
    silent = mp3_frames.silent(plain[:144])
    tags = [
        silent[:13] + b"Xing" + silent[17:],
        silent[:13] + b"Info" + silent[17:],
        silent[:36] + b"VBRI" + silent[40:],
    ]
    id3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)
    for tag in tags:
        tagged = id3 + tag + plain + b"TAG" + b"title".ljust(125, b"\0")
        assert joined(tagged, tagged) == joined(plain, plain)


@pytest.mark.parametrize("decoder", MP3_DECODERS)
@pytest.mark.parametrize("form", [(22_050, 48, 1), (44_100, 64, 1), (24_000, 64, 2), (16_000, 32, 1)])
def test_a_clause_of_another_form_is_encoded_anew(decoder: str, form: tuple[int, int, int]) -> None:
    rate, kbits, channels = form
    samples = array("h", hum(1.0, rate))
    other = array("h", [sample for sample in samples for _ in range(channels)]).tobytes()
    data = joined(mp3(clause()), mp3(other, rate, kbits, channels), mp3(clause()))

    found = decoded(data, "mp3", decoder)

    assert found.complaints == []
    assert found.rate == 24_000
    assert found.seconds == pytest.approx(3.0 + 2 * 0.25 + 0.8, abs=0.35)
    assert {len(frame) for frame in frames(data)} == {144}


@pytest.mark.parametrize("decoder", MP3_DECODERS)
def test_a_clause_that_begins_in_the_middle_begins_with_what_can_be_played(decoder: str) -> None:
    sound = mp3(clause(2.0))
    middle = next(at for at, frame in enumerate(frames(sound)) if at > 30 and mp3_frames.backstep(frame) > 144)

    data = joined(mp3(clause()), sound[144 * middle :])

    assert decoded(data, "mp3", decoder).complaints == []


def test_other_bitrates_are_joined_as_they_are() -> None:
    data = joined(mp3(clause(), kbits=64), mp3(clause(), kbits=32), mp3(clause()))

    assert {len(frame) for frame in frames(data)} == {192, 96, 144}
    assert decoded(data, "mp3", "mpg123").complaints == []


def _silences(samples: "np.ndarray[Any, Any]") -> list[float]:
    """Seconds of each silence between two sounds, without the ends."""
    step = RATE // 200
    loud = [at for at in range(0, len(samples), step) if np.abs(samples[at : at + step]).max() > 0.03]
    return [(b - a) / RATE for a, b in pairwise(loud) if b - a > 3 * step]
