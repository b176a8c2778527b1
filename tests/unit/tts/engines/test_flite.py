import asyncio
import ctypes

import pytest

from chassis.errors import Declined
from fixtures.tools import lacking
from tts.engines.flite import Flite, FliteOptions
from tts.voices.choose import Voice, choose
from unit.tts.fakes import gathered


@pytest.fixture(scope="module")
def flite() -> Flite:
    try:
        ctypes.CDLL("libflite.so.1")
    except OSError:
        lacking("flite is a system library, and not installed: apt-get install libflite1")
    return Flite.load("flite", lambda doing, part: None)


async def said(flite: Flite, text: str, name: str = "slt", speed: float = 1.0) -> float:
    """Seconds of sound."""
    voice = flite.voice(name)
    assert voice is not None
    return len(await gathered(flite.speak(text, voice, speed))) / flite.sound.bytes_per_second


async def test_english_is_spoken(flite: Flite) -> None:
    voice = flite.voice("slt")
    assert voice == Voice("slt", "en-US", "female")

    sound = await gathered(flite.speak("Hello little bear.", voice, 1.0))

    assert 0.8 < len(sound) / 32_000 < 3
    assert max(memoryview(sound).cast("h")) > 5_000


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5, 2.0])
async def test_speed_is_its_own(flite: Flite, speed: float) -> None:
    text = "Once upon a time there was a little bear."

    assert await said(flite, text, speed=speed) == pytest.approx(await said(flite, text) / speed, rel=0.1)


async def test_one_callers_speed_is_not_anothers(flite: Flite) -> None:
    alone = {speed: await said(flite, "Hello little bear.", speed=speed) for speed in (0.5, 1.0, 2.0)}
    speeds = list(alone) * 8

    together = await asyncio.gather(*(said(flite, "Hello little bear.", speed=speed) for speed in speeds))

    assert together == [alone[speed] for speed in speeds]


def test_other_letters_are_declined(flite: Flite) -> None:
    voice = flite.voices[0]
    flite.accept("Hello, “déjà vu” 123!", voice)
    with pytest.raises(Declined, match="English only"):
        flite.accept("Hello 小熊", voice)
    with pytest.raises(Declined, match="slt"):
        choose(flite.voices, flite.voice("slt"), "slt", "你好", "en")


def test_openais_names_find_its_voices(flite: Flite) -> None:
    assert choose(flite.voices, None, "alloy", "Hello", "en").name == "slt"
    assert choose(flite.voices, None, "onyx", "Hello", "en").gender in ("male", "female")
    assert flite.voice("SLT") == flite.voice("slt")
    assert flite.voice("guodegang") is None
    assert Flite(FliteOptions(voices=("slt",))).voices[0].name == "slt"


async def test_accents_and_quotes_are_read_in_plain_letters(flite: Flite) -> None:
    assert await said(flite, "It’s “déjà vu” — naïve…") > 0.8


async def test_what_it_cannot_say_is_no_failure(flite: Flite) -> None:
    assert await said(flite, "ÞØ") < 1
