import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chassis.errors import Declined, EngineFailed, EngineUnavailable
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


class FakeModel:
    """Stands in for faster-whisper's, to say what a real one does on a bad day."""

    supported_languages = ("en",)

    def __init__(self, *texts: str, error: Exception | None = None) -> None:
        self.texts, self.error = texts, error
        self.asked: list[dict[str, Any]] = []
        self.given = 0

    def transcribe(self, pcm: Pcm, **options: Any) -> tuple[Any, Any]:
        self.asked.append(options)
        return self._segments(), SimpleNamespace(language="en")

    def _segments(self) -> Any:
        for number, said in enumerate(self.texts):
            self.given += 1
            yield SimpleNamespace(
                start=0.1 * number,
                end=0.1 * number + 0.1,
                text=said,
                tokens=[number],
                temperature=0.0,
                avg_logprob=np.float64(-0.1),
                compression_ratio=1.0,
                no_speech_prob=0.0,
                words=None,
            )
        if self.error is not None:
            raise self.error


@speaks
async def test_a_model_that_breaks_off_is_a_failure_of_the_engine() -> None:
    with pytest.raises(EngineFailed):
        await all_of(Whisper(FakeModel(" one", error=RuntimeError("out of memory"))), SPEECH)


@speaks
async def test_a_caller_who_leaves_ends_the_work_between_two_segments() -> None:
    model = FakeModel(*(f" {number}" for number in range(100_000)))
    engine = Whisper(model)
    hearing = engine.transcribe(SPEECH, Hints())

    async with aclosing(hearing):  # type: ignore[type-var]  # it is a generator
        assert (await anext(hearing)).segments[0].text == " 0"
    await asyncio.to_thread(engine._executor.shutdown)

    assert model.given < 100_000


@speaks
async def test_temperature_zero_means_that_higher_ones_are_tried_where_it_sounds_wrong() -> None:
    model = FakeModel(" one")
    engine = Whisper(model)

    await all_of(engine, SPEECH)
    await all_of(engine, SPEECH, temperature=0.3, prompt="bears")

    assert model.asked[0]["temperature"][0] == 0
    assert model.asked[1]["temperature"] == 0.3
    assert model.asked[1]["initial_prompt"] == "bears"
    assert model.asked[0]["max_new_tokens"] < 200


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
