"""Engines that hear each piece as it comes; no sound is decoded here."""

from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np
import pytest

from chassis.errors import BadRequest, EngineFailed, TooBusy
from stt.hearing import RATE, Heard, Hints, Pcm, Segment, Word
from stt.piecewise import hear
from stt.sound.recording import Piece, Recording
from stt.sound.speech import Presence
from unit.stt.fakes import FakeEngine


def recording(*begins: float, error: Exception | None = None) -> Recording:
    async def pieces() -> AsyncGenerator[Piece, None]:
        for begin in begins:
            yield Piece(np.zeros(RATE, np.float32), begin)
        if error is not None:
            raise error

    async def speech() -> Presence:
        return "found"

    async def other_rate() -> None:
        return None

    return Recording(100.0, pieces, speech, None, other_rate)


class Scripted(FakeEngine):
    """Gives `answers` one after the other, one for each time that it is asked; raises those that are errors."""

    def __init__(self, *answers: list[Heard] | Exception, hears: tuple[str, ...] = ()) -> None:
        super().__init__(hears=hears)
        self.answers = list(answers)

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        self.asked.append((pcm, hints))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        for heard in answer:
            yield heard


def said(*texts: str, language: str = "en") -> list[Heard]:
    segments = [Segment(start=0.1, end=0.5, text=text, words=(Word(text.strip(), 0.1, 0.5),)) for text in texts]
    return [Heard(language=language, segments=(segment,)) for segment in segments]


NOTHING = [Heard(language="en")]


async def heard(engine: FakeEngine, recording: Recording, hints: Hints | None = None) -> list[Heard]:
    return [piece async for piece in hear(engine, recording, hints or Hints(), patience_seconds=0.1)]


def text(pieces: list[Heard]) -> str:
    return "".join(segment.text for piece in pieces for segment in piece.segments)


async def test_times_are_those_of_the_recording() -> None:
    _, second = await heard(Scripted(said(" one"), said(" two")), recording(0, 27.5))

    [segment] = second.segments
    assert (segment.start, segment.end) == (27.6, 28.0)
    assert segment.words == (Word("two", 27.6, 28.0),)


@pytest.mark.parametrize(
    ("language", "texts", "whole"),
    [
        ("en", ("One.", "Two."), "One. Two."),
        ("en", (" One.", " Two."), " One. Two."),
        ("zh", ("你好。", "再见。"), "你好。再见。"),
    ],
)
async def test_what_is_said_in_two_pieces_is_joined_as_the_language_wants(
    language: str, texts: tuple[str, str], whole: str
) -> None:
    first, second = texts

    pieces = await heard(Scripted(said(first, language=language), said(second, language=language)), recording(0, 20))

    assert text(pieces) == whole


async def test_a_word_that_comes_in_parts_stays_one() -> None:
    assert text(await heard(Scripted(said("Hel", "lo"), said("wor", "ld")), recording(0, 20))) == "Hello world"


async def test_the_language_is_found_out_once() -> None:
    engine = Scripted(NOTHING, said(" un", language="fr"), said(" deux", language="fr"))

    await heard(engine, recording(0, 20, 40))

    assert [hints.language for _, hints in engine.asked] == [None, None, "fr"]


async def test_a_language_that_the_engine_would_decline_is_not_held_against_it() -> None:
    engine = Scripted(said("ja", language="ko"), said("ne", language="ko"), hears=("zh",))

    await heard(engine, recording(0, 20))

    assert [hints.language for _, hints in engine.asked] == [None, None]


async def test_where_nothing_is_said_there_is_one_answer_all_the_same() -> None:
    assert await heard(Scripted(NOTHING, NOTHING), recording(0, 20)) == [Heard(language="en")]
    assert await heard(Scripted(), recording(), Hints(language="zh")) == [Heard(language="zh")]


@pytest.mark.parametrize("error", [TooBusy("full", retry_after=0.01), EngineFailed("broke off")])
async def test_an_engine_that_fails_in_the_middle_is_asked_again(error: Exception) -> None:
    engine = Scripted(said(" one"), error, error, said(" two"))

    assert text(await heard(engine, recording(0, 20))) == " one two"


@pytest.mark.parametrize("error", [TooBusy("full"), EngineFailed("broke off")])
async def test_before_anything_was_said_the_chain_shall_ask_the_next(error: Exception) -> None:
    engine = Scripted(NOTHING, error)

    with pytest.raises(type(error)):
        await heard(engine, recording(0, 20))

    assert len(engine.asked) == 2


async def test_patience_has_an_end() -> None:
    engine = Scripted(said(" one"), *[EngineFailed("broke off")] * 100)

    with pytest.raises(EngineFailed):
        await heard(engine, recording(0, 20))

    assert 2 < len(engine.asked) < 50


async def test_what_broke_off_within_a_piece_is_not_said_twice() -> None:
    class Broken(FakeEngine):
        async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
            self.asked.append((pcm, hints))
            [only] = said(" one")
            yield only
            if len(self.asked) == 2:
                raise EngineFailed("broke off")

    engine = Broken()

    with pytest.raises(EngineFailed):
        await heard(engine, recording(0, 20))

    assert len(engine.asked) == 2


async def test_a_recording_that_turns_out_bad_is_the_callers_affair() -> None:
    pieces = hear(Scripted(said(" one")), recording(0, error=BadRequest("corrupted")), Hints())

    assert text([await anext(pieces)]) == " one"
    with pytest.raises(BadRequest):
        await anext(pieces)
