"""What Whisper base makes of real speech, through the engine as a caller has it."""

import asyncio

import numpy as np

from fixtures import sounds
from fixtures.word_errors import SENTENCES, word_errors
from stt.engines.whisper.engine import Whisper
from stt.hearing import Heard, Hints, Pcm


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


async def test_the_prompt_of_folotoy_server_makes_nothing_heard_twice(whisper: Whisper) -> None:
    errors, words = 0, 0
    for sentence in SENTENCES[:12]:
        said = text(await heard(whisper, sounds.spoken(sentence), Hints(prompt="ok. Let's begin.")))
        assert len(said) < 1.5 * len(sentence), said
        errors += word_errors(sentence, said)
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


async def test_what_a_child_says_several_times_is_heard_once_and_at_the_first_attempt(whisper: Whisper) -> None:
    pcm = np.tile(sounds.spoken("stop it"), 6)
    segments = [segment for piece in await heard(whisper, pcm) for segment in piece.segments]

    assert "".join(segment.text for segment in segments).lower().count("stop it") == 6
    assert all(segment.temperature == 0 for segment in segments)


async def test_long_speech_is_heard_in_order_by_all_cores(whisper: Whisper) -> None:
    talk = np.concatenate([sounds.spoken(sentence) for sentence in SENTENCES[:8]])
    pieces = await heard(whisper, talk, Hints(language="en"))

    assert len(pieces) > 1
    starts = [segment.start for piece in pieces for segment in piece.segments]
    assert starts == sorted(starts)
    words = sum(len(sentence.split()) for sentence in SENTENCES[:8])
    assert word_errors(" ".join(SENTENCES[:8]), text(pieces)) < 0.2 * words
