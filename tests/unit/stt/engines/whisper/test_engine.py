import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chassis.errors import Declined, EngineUnavailable
from fixtures import sounds, whisper_model
from stt.engines.whisper.engine import Whisper
from stt.hearing import Heard, Hints, Pcm

speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
SPEECH = sounds.spoken("hello little bear how are you") if sounds.can_speak() else sounds.silence(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whisper_model.make(tmp_path_factory.mktemp("whisper") / "bear", say="hello little bear", language="fr")


@pytest.fixture
async def whisper(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whisper]:
    monkeypatch.setenv("WHISPER_MODEL", str(folder))
    engine = await asyncio.to_thread(Whisper.load, "whisper", lambda doing, part: None)
    yield engine
    await engine.aclose()


async def all_of(engine: Whisper, pcm: Pcm, **hints: Any) -> list[Heard]:
    return [heard async for heard in engine.transcribe(pcm, Hints(**hints))]


def text(heard: list[Heard]) -> str:
    return "".join(segment.text for piece in heard for segment in piece.segments)


@speaks
async def test_a_model_in_a_folder_is_loaded_and_heard(whisper: Whisper) -> None:
    heard = await all_of(whisper, SPEECH)

    assert text(heard) == " hello little bear"
    assert heard[0].language == "fr"
    segment = heard[0].segments[0]
    assert 0 <= segment.start < segment.end <= len(SPEECH) / sounds.RATE
    assert len(segment.tokens) >= 3


@speaks
async def test_the_language_that_is_stated_is_not_looked_for(whisper: Whisper) -> None:
    assert (await all_of(whisper, SPEECH, language="en"))[0].language == "en"


@speaks
async def test_words_have_their_times_if_wanted(whisper: Whisper) -> None:
    pcm = np.concatenate([sounds.silence(5), SPEECH])

    [segment, *_] = (await all_of(whisper, pcm, language="fr", words=True))[0].segments

    assert [word.word for word in segment.words] == ["hello", "little", "bear"]
    assert 4.5 < segment.words[0].start < segment.words[-1].end <= len(pcm) / sounds.RATE
    assert (await all_of(whisper, pcm, language="fr"))[0].segments[0].words == ()


@pytest.mark.parametrize(
    "sound", [sounds.silence(2), sounds.noise(2), sounds.tone(2)], ids=["silence", "noise", "tone"]
)
async def test_where_nobody_speaks_the_model_is_not_asked(whisper: Whisper, sound: sounds.Samples) -> None:
    [heard] = await all_of(whisper, sound)

    assert heard.segments == ()


async def test_cantonese_is_chinese_to_a_model_that_knows_no_better(whisper: Whisper) -> None:
    assert whisper.hears("yue")
    assert whisper.hears("zh")
    assert whisper.hears(None)


async def test_a_language_the_model_does_not_know_is_declined(whisper: Whisper) -> None:
    whisper.languages = frozenset({"en"})

    with pytest.raises(Declined):
        await all_of(whisper, SPEECH, language="zh")


async def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Whisper:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return await asyncio.to_thread(Whisper.load, "whisper", lambda doing, part: None)


async def test_a_folder_without_a_model_says_what_belongs_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineUnavailable, match=r"model\.bin") as raised:
        await load(monkeypatch, WHISPER_MODEL=str(tmp_path))

    assert raised.value.retry_seconds is None
    assert str(tmp_path) not in str(raised.value)


def test_weights_that_are_broken_say_so_without_their_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    monkeypatch.setenv("WHISPER_MODEL", str(tmp_path))

    with pytest.raises(EngineUnavailable) as raised:
        Whisper.load("whisper", lambda doing, part: None)

    assert str(tmp_path) not in str(raised.value)


async def test_a_compute_type_that_does_not_exist_names_the_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineUnavailable, match="WHISPER_COMPUTE_TYPE"):
        await load(monkeypatch, WHISPER_MODEL=str(folder), WHISPER_COMPUTE_TYPE="int3")


async def test_it_answers_to_the_name_of_its_folder(whisper: Whisper) -> None:
    assert whisper.models == ("bear",)
