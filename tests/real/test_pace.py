"""A few hard recordings at once do not make whisper slow, or deaf to the others, for longer than they take."""

import asyncio
from time import monotonic

import numpy as np

from fixtures import sounds
from stt.engines.whisper.engine import Whisper
from stt.hearing import Hints, Pcm

EASY_TEXT = "Can you tell me a story about the moon, and another one about the sun?"
EASY = sounds.spoken(EASY_TEXT) if sounds.can_speak() else sounds.silence(4)
HARD = np.tile(sounds.spoken("yes please")[::-1], 4) if sounds.can_speak() else sounds.silence(4)
"""Speech backwards makes no sense in any language, and is looked at again and again."""
QUIET_SECONDS = 10.0


async def seconds_of(engine: Whisper, pcm: Pcm, language: str, callers: int) -> float:
    """Return how long it takes until all of several callers at once are heard; a refusal would be raised."""

    async def hear() -> None:
        assert [piece async for piece in engine.transcribe(pcm, Hints(language=language))]

    began = monotonic()
    await asyncio.gather(*(hear() for _ in range(callers)))
    return monotonic() - began


async def test_after_four_hard_recordings_at_once_four_easy_ones_are_heard_as_quickly_as_before(
    whisper: Whisper,
) -> None:
    before = min([await seconds_of(whisper, EASY, "en", 4) for _ in range(3)])
    hard = await seconds_of(whisper, HARD, "zh", 4)
    assert hard > before

    await asyncio.gather(*(seconds_of(whisper, EASY, "en", 1) for _ in range(2)))  # at once, none is refused
    await asyncio.sleep(QUIET_SECONDS)

    assert min([await seconds_of(whisper, EASY, "en", 4) for _ in range(3)]) < 2 * before
