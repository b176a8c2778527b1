import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.errors import ApiError, Declined, EngineBusy, EngineFailed, EngineRefused, EngineUnavailable
from fixtures import sounds
from imitations.azure_stt import FAST_PATH, KEY, PATH, AzureSttServer
from stt.engines.azure_stt import AzureStt
from stt.hearing import Heard, Hints, Pcm

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

SPOKEN = sounds.spoken("Hello little bear.") if sounds.can_speak() else sounds.silence(1)


@asynccontextmanager
async def listening(
    monkeypatch: pytest.MonkeyPatch, keys: str = KEY, region: str = "eastasia"
) -> AsyncIterator[tuple[AzureStt, AzureSttServer]]:
    async with AzureSttServer("/azure") as server:
        monkeypatch.setenv("AZURE_STT_KEY", keys)
        monkeypatch.setenv("AZURE_STT_SERVICE_REGION", region)
        monkeypatch.setenv("STT_AZURE_STT_BASE_URL", server.base_url)
        engine = AzureStt.load("azure-stt", lambda doing, part: None)
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def heard(engine: AzureStt, hints: Hints | None = None, pcm: Pcm = SPOKEN) -> Heard:
    [piece] = [piece async for piece in engine.transcribe(pcm, hints or Hints())]
    return piece


async def test_speech_is_sent_as_azure_wants_it_and_its_text_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        piece = await heard(engine, Hints(language="en"))

    assert [segment.text for segment in piece.segments] == ["Hello little bear."]
    assert piece.language == "en"
    (seen,) = server.seen
    assert seen.path == f"/azure{PATH}"
    assert seen.query == {"language": "en-US", "format": "simple"}
    with wave.open(io.BytesIO(seen.body)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("zh", "zh-CN"),
        ("yue", "zh-HK"),
        ("fr", "fr-FR"),
        ("sv", "sv-SE"),
        ("vi", "vi-VN"),
        ("hi", "hi-IN"),
        ("he", "he-IL"),
        (None, "zh-CN"),
    ],
)
async def test_a_language_becomes_a_locale(monkeypatch: pytest.MonkeyPatch, language: str | None, locale: str) -> None:
    async with listening(monkeypatch) as (engine, server):
        await heard(engine, Hints(language=language))

    assert server.seen[0].query["language"] == locale


@pytest.mark.parametrize("key", ["no-match", "silence"])
async def test_a_recording_without_words_is_an_empty_text(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    async with listening(monkeypatch, key) as (engine, _):
        assert (await heard(engine)).segments == ()


async def test_silence_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        assert (await heard(engine, pcm=sounds.silence(1))).segments == ()

    assert server.seen == []


@pytest.mark.parametrize(
    ("key", "failure", "words"),
    [
        ("unknown", EngineRefused, "AZURE_STT_KEY"),
        ("wrong-region", EngineRefused, "AZURE_STT_KEY"),
        ("busy", EngineBusy, "429|too|fewer|limit"),
        ("broken", EngineFailed, "500"),
        ("page", EngineFailed, "no transcript"),
        ("error", EngineFailed, "could not recognise"),
    ],
)
async def test_every_trouble_is_a_failure_of_the_engine_and_never_the_callers(
    monkeypatch: pytest.MonkeyPatch, key: str, failure: type[ApiError], words: str
) -> None:
    async with listening(monkeypatch, key) as (engine, _):
        with pytest.raises(failure, match=words) as caught:
            await heard(engine)

    assert isinstance(caught.value, EngineFailed)


async def test_a_key_that_is_at_its_limit_rests_and_the_next_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch, f"busy,{KEY}") as (engine, server):
        assert (await heard(engine)).segments
        assert (await heard(engine)).segments
        assert engine.detail == "1 of 2 keys rest"

    assert [seen.headers["ocp-apim-subscription-key"] for seen in server.seen] == ["busy", KEY, KEY]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STT_SERVICE_REGION", "eastasia")
    with pytest.raises(EngineUnavailable, match="Set AZURE_STT_KEY"):
        AzureStt.load("azure-stt", lambda doing, part: None)
    monkeypatch.setenv("AZURE_STT_SERVICE_REGION", "")
    with pytest.raises(EngineUnavailable, match="AZURE_STT_SERVICE_REGION"):
        AzureStt.load("azure-stt", lambda doing, part: None)


async def test_a_language_that_nobody_stated_is_found_among_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STT_LANGUAGES", "zh-CN,en-US")
    async with listening(monkeypatch) as (engine, server):
        piece = await heard(engine)
        await heard(engine, Hints(language="en"))

    assert (piece.language, piece.segments[0].text) == ("en", "Hello little bear.")
    assert [seen.path for seen in server.seen] == [f"/azure{FAST_PATH}", f"/azure{PATH}"]
    assert b'{"locales":["zh-CN","en-US"]}' in server.seen[0].body


async def test_the_callers_own_candidates_are_those_that_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        await heard(engine, Hints(candidates=("ja", "xx", "en")))

    assert b'{"locales":["ja-JP","en-US"]}' in server.seen[0].body


async def test_a_language_that_azure_does_not_hear_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        with pytest.raises(Declined):
            await heard(engine, Hints(language="la"))

    assert server.seen == []


@pytest.mark.parametrize("key", ["busy", "page", "unknown", "cut", "error"])
async def test_troubles_of_the_fast_transcription_are_failures_too(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("AZURE_STT_LANGUAGES", "zh-CN,en-US")
    async with listening(monkeypatch, key) as (engine, _):
        with pytest.raises(EngineFailed):
            await heard(engine)
