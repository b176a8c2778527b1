"""What Whisper base makes of real speech, through the engine as a caller has it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from fixtures import sounds
from fixtures.word_errors import SENTENCES, word_errors
from stt.engines.whisper.engine import Whisper
from stt.hearing import Heard, Hints, Pcm


@pytest.fixture
async def whisper(base: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whisper]:
    monkeypatch.setenv("WHISPER_MODEL", str(base))
    engine = await asyncio.to_thread(Whisper.load, "whisper", lambda doing, part: None)
    yield engine
    await engine.aclose()


async def heard(engine: Whisper, pcm: Pcm, hints: Hints | None = None) -> list[Heard]:
    return [piece async for piece in engine.transcribe(pcm, hints or Hints())]


def text(pieces: list[Heard]) -> str:
    return "".join(segment.text for piece in pieces for segment in piece.segments)


async def test_what_is_said_to_a_toy_is_understood(whisper: Whisper) -> None:
    errors, words = 0, 0
    for sentence in SENTENCES:
        pieces = await heard(whisper, sounds.spoken(sentence))
        assert pieces[0].language == "en", sentence
        errors += word_errors(sentence, text(pieces))
        words += len(sentence.split())

    assert errors / words < 0.15


async def test_four_at_once_hear_what_each_hears_alone(whisper: Whisper) -> None:
    clips = [sounds.spoken(sentence) for sentence in SENTENCES[:4]]
    alone = [text(await heard(whisper, clip)) for clip in clips]

    together = [text(pieces) for pieces in await asyncio.gather(*(heard(whisper, clip) for clip in clips))]

    assert together == alone


async def test_words_have_the_times_at_which_they_are_said(whisper: Whisper) -> None:
    pcm = np.concatenate([sounds.silence(4), sounds.spoken("tell me a story about the moon"), sounds.silence(3)])
    pieces = await heard(whisper, pcm, Hints(words=True))

    words = [word for piece in pieces for segment in piece.segments for word in segment.words]
    assert [word.word.lower().strip(".,") for word in words] == ["tell", "me", "a", "story", "about", "the", "moon"]
    assert 4.0 <= words[0].start < words[-1].end <= len(pcm) / sounds.RATE - 2.5
    assert [word.start for word in words] == sorted(word.start for word in words)
