"""The engine whisper as a caller has it: short speech in one window, long speech in several."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import EngineFailed, EngineUnavailable, TooBusy
from chassis.threads import NICENESS
from fixtures import sounds
from fixtures.whisper_model import make
from stt.admission import Full
from stt.engines.whisper.decoding import Utterance
from stt.engines.whisper.engine import Whisper
from stt.hearing import RATE, Heard, Hints, Pcm

SAYS = "hello little bear"
speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whisper") / "bear", say=SAYS, language="fr")


@asynccontextmanager
async def hearing(monkeypatch: pytest.MonkeyPatch, folder: Path, **variables: str) -> AsyncIterator[Whisper]:
    for name, value in {"WHISPER_MODEL": str(folder), **variables}.items():
        monkeypatch.setenv(name, value)
    engine = await asyncio.to_thread(Whisper.load, "whisper", lambda doing, part: None)
    try:
        yield engine
    finally:
        await engine.aclose()


async def heard(engine: Whisper, pcm: Pcm, hints: Hints | None = None) -> list[Heard]:
    return [piece async for piece in engine.transcribe(pcm, hints or Hints())]


def text(pieces: list[Heard]) -> str:
    return "".join(segment.text for piece in pieces for segment in piece.segments)


@speaks
async def test_short_speech_is_heard_where_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = np.concatenate([sounds.silence(3), sounds.spoken("how are you"), sounds.silence(2)])
    async with hearing(monkeypatch, folder) as engine:
        pieces = await heard(engine, pcm)

    assert text(pieces) == f" {SAYS}"
    assert pieces[0].language == "fr"
    assert 2.5 <= pieces[0].segments[0].start <= pieces[0].segments[-1].end <= len(pcm) / RATE - 1.5


@speaks
async def test_words_of_short_speech_have_their_times(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = np.concatenate([sounds.silence(3), sounds.spoken("how are you"), sounds.silence(2)])
    async with hearing(monkeypatch, folder) as engine:
        pieces = await heard(engine, pcm, Hints(words=True))

    words = [word for piece in pieces for segment in piece.segments for word in segment.words]
    assert [word.word for word in words] == SAYS.split()
    assert all(2.5 <= word.start <= word.end <= len(pcm) / RATE - 1.5 for word in words)


@speaks
async def test_eight_callers_are_heard_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = sounds.spoken("how are you")
    async with hearing(monkeypatch, folder) as engine:
        answers = await asyncio.gather(
            *(heard(engine, pcm, Hints(language=code)) for code in ("en", "zh", "de", "fr", "es", "it", "ja", "ko"))
        )

    assert [text(pieces) for pieces in answers] == [f" {SAYS}"] * 8
    assert [pieces[0].language for pieces in answers] == ["en", "zh", "de", "fr", "es", "it", "ja", "ko"]


@speaks
@pytest.mark.parametrize("seconds", [20.0, 70.0])
async def test_a_long_recording_comes_in_pieces_with_true_times(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    sentence = sounds.spoken("tell me a story about a bear that lives in the woods and likes to sing")
    talk = np.tile(sentence, round(30 * RATE / len(sentence)))
    pcm = np.concatenate([talk, sounds.silence(seconds), talk])
    async with hearing(monkeypatch, folder) as engine:
        pieces = await heard(engine, pcm, Hints(language="en"))

    segments = [segment for piece in pieces for segment in piece.segments]
    assert len(segments) >= 2
    assert segments[0].start < 1
    assert segments[-1].end > 30 + seconds
    gap = range(round(len(talk) / RATE) + 1, round(len(talk) / RATE + seconds) - 1)
    assert not any(segment.start < moment < segment.end for segment in segments for moment in gap)


@speaks
async def test_only_the_operators_languages_are_detected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hearing(monkeypatch, folder, STT_LANGUAGES="Chinese, en-GB") as engine:
        [first, *_] = await heard(engine, sounds.spoken("how are you"))

        assert first.language in ("zh", "en")
        assert (await heard(engine, sounds.spoken("how are you"), Hints(language="de")))[0].language == "de"


def test_a_language_that_does_not_exist_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_MODEL", str(folder))
    monkeypatch.setenv("STT_LANGUAGES", "en,klingon")

    with pytest.raises(EngineUnavailable, match=r"STT_LANGUAGES.*klingon"):
        Whisper.load("whisper", lambda doing, part: None)


@speaks
async def test_hot_words_and_the_longest_prompt_leave_room_for_the_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "Momo, Xiaobao, " * 50
    async with hearing(monkeypatch, folder, STT_HOTWORDS=names) as engine:
        pieces = await heard(
            engine, sounds.spoken("how are you"), Hints(language="fr", prompt="once upon a time " * 100)
        )

    assert text(pieces) == f" {SAYS}"


async def test_closing_leaves_no_thread_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hearing(monkeypatch, folder):
        assert any(thread.name.startswith("hear-") for thread in threading.enumerate())

    assert not any(thread.name.startswith("hear-") for thread in threading.enumerate())


class Batching:
    """Answers every utterance with `error`."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def hear(self, utterance: Utterance, *, patient: bool, within_seconds: float) -> Heard:
        raise self.error


class Model:
    supported_languages = ("en",)


@pytest.mark.parametrize(
    ("error", "becomes"),
    [(Full(2.5), TooBusy), (RuntimeError("cuDNN failed"), EngineFailed), (ValueError(), EngineFailed)],
)
async def test_what_goes_wrong_is_told_in_the_chains_terms(error: Exception, becomes: type[Exception]) -> None:
    engine = Whisper(Model(), batching=Batching(error))  # type: ignore[arg-type]

    with pytest.raises(becomes):
        await heard(engine, sounds.tone(1))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
async def test_every_thread_of_the_model_has_stepped_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def threads() -> dict[str, int]:
        return {
            each.name: os.getpriority(os.PRIO_PROCESS, int(each.name)) for each in Path("/proc/self/task").iterdir()
        }

    before = threads()
    async with hearing(monkeypatch, folder, WHISPER_WORKERS="2"):
        started = [niceness for thread, niceness in threads().items() if thread not in before]

    stepped_back = [
        niceness for niceness in started if niceness == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    ]
    assert len(stepped_back) >= 2 + 2  # CTranslate2's, and those of the batches
