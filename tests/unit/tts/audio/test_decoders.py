"""Every format, by the decoders that players are made of."""

import io

import av
import pytest

from tts.audio.encode import Encoding
from tts.audio.loudness import Evened, Levels
from tts.audio.pcm import RATE, pcm, silence
from tts.engines.espeak import Espeak
from tts.voices.choose import choose
from tts.wire import Codec
from unit.tts.decoders import DECODERS, decoded
from unit.tts.fakes import gathered, hum

TEXT = "Shall we go to the park, Peter? Bob took a big piece of cake, and Betty shouted: Stop that!"
END_SECONDS = 0.09
MOST_OFF = {"mp3": 0.03, "opus": 0.001, "aac": 0.022, "flac": 0.0, "wav": 0.0, "pcm": 0.0}
"""Seconds by which the length may be off: half a frame of aac and a frame of mp3, which cannot say their length."""
LEFT_OUT = {"faad": 0.043}
"""Seconds at the beginning that a decoder leaves out by itself, since they are the codec's."""


async def speech() -> bytes:
    engine = Espeak()
    voice = choose(engine.voices, None, "alloy", TEXT, "en")
    return await gathered(engine.speak(TEXT, voice, 1.0))


def encoded(sound: bytes, codec: Codec, piece_bytes: int = 9_600, rate: int = RATE) -> bytes:
    encoding = Encoding(pcm(rate), codec)
    pieces = [sound[at : at + piece_bytes] for at in range(0, len(sound), piece_bytes)]
    return b"".join([out for piece in pieces for out in encoding.encode(piece)] + list(encoding.finish()))


@pytest.mark.parametrize(("codec", "decoder"), DECODERS)
@pytest.mark.parametrize("seconds", [0.31, 0.7, 1.234, 4.04])
def test_a_decoder_hears_the_whole_sound_and_complains_of_nothing(codec: Codec, decoder: str, seconds: float) -> None:
    found = decoded(encoded(silence(0.02) + hum(seconds) + silence(END_SECONDS), codec), codec, decoder)

    assert found.complaints == []
    expected = 0.02 + seconds + END_SECONDS - LEFT_OUT.get(decoder, 0.0)
    assert found.seconds == pytest.approx(expected, abs=MOST_OFF[codec] + 0.0002)
    assert found.hertz == pytest.approx(300, rel=0.03)
    assert 0.1 < found.peak < 0.25


@pytest.mark.parametrize("codec", ["mp3", "opus", "aac"])
@pytest.mark.parametrize("loudness", [-18.0, -10.0])
async def test_speech_stays_below_full_scale(codec: Codec, loudness: float) -> None:
    """What is decoded to more than full scale is clipped by players, which is heard."""
    evened = Evened(Levels(loudness), "anna", 22_050)
    sound = evened.feed(await speech()) + evened.end_clause() + evened.finish()

    found = decoded(encoded(sound, codec, rate=22_050), codec, "ffmpeg")

    assert 0.4 < found.peak <= 1.0


async def test_the_length_of_aac_is_guessed_right_although_pauses_take_fewer_bits() -> None:
    """Players divide the size by the bit rate that they see first; ADTS says no length."""
    sound = (await speech() + silence(1.5, 22_050)) * 3
    coded = encoded(sound, "aac", rate=22_050)
    with av.open(io.BytesIO(coded), "r", format="aac") as file:
        assert file.duration is not None
        guessed = file.duration / av.time_base

    assert guessed == pytest.approx(decoded(coded, "aac", "ffmpeg").seconds, rel=0.03)
