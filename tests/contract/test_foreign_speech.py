"""Ears that know one language, and a mouth that speaks others."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from chassis.errors import Declined
from fixtures import sounds
from stt.engines.sphinx.engine import Sphinx
from stt.hearing import Hints, Pcm
from tts.engines.espeak import RATE, Espeak
from unit.stt.fakes import decoded, loaded_sphinx


@pytest.fixture
async def sphinx() -> AsyncIterator[Sphinx]:
    async with loaded_sphinx() as engine:
        yield engine


async def spoken_by_espeak(text: str, voice: str) -> Pcm:
    """eSpeak's voice, at the rate at which engines hear."""
    espeak = Espeak()
    found = espeak.voice(voice)
    assert found is not None
    sound = b"".join([samples async for samples in espeak.speak(text, found, 1.0)])
    await espeak.aclose()
    samples = np.asarray(np.frombuffer(sound, "<i2") / 32_768, np.float32)
    return decoded(sounds.wav(samples, RATE))


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
async def test_chinese_in_an_unknown_language_is_declined_and_english_is_not(sphinx: Sphinx) -> None:
    for sentence in ("Please tell me a story.", "What is the biggest animal in the world?"):
        assert (await anext(sphinx.transcribe(sounds.spoken(sentence), Hints()))).segments

    for sentence in ("给我讲一个月亮的故事。", "世界上最大的动物是什么？"):
        with pytest.raises(Declined, match="Send language=en"):
            await anext(sphinx.transcribe(await spoken_by_espeak(sentence, "cmn"), Hints()))
