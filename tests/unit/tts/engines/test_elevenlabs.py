import pytest

from chassis.errors import EngineBusy, EngineUnavailable
from chassis.errors import EngineWithoutModel as Without
from contract.test_vendors_tts import PROVIDERS, failure, speaking, spoken
from tts.engines.elevenlabs import ElevenLabs

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "elevenlabs")


async def test_the_clause_is_streamed_in_the_voice_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        await spoken(engine, voice="abcdefghij0123456789", speed=1.1)

    (seen,) = server.seen
    assert seen.path == "/x/v1/text-to-speech/abcdefghij0123456789/stream"
    assert seen.json["voice_settings"] == {"speed": 1.1}


async def test_a_voice_of_ones_own_speaks_whatever_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_TTS_VOICE_ID", "my-own")
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        await spoken(engine, voice="onyx")

    assert "/my-own/" in server.seen[0].path


async def test_a_voice_that_is_gone_is_a_matter_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_TTS_VOICE_ID", "0" * 20)
    error = await failure(monkeypatch, PROVIDER, PROVIDER.key)

    assert isinstance(error, Without)
    assert "Set ELEVENLABS_TTS_VOICE_ID" in str(error)


async def test_a_service_that_is_overloaded_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(await failure(monkeypatch, PROVIDER, "overloaded"), EngineBusy)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(EngineUnavailable, match="Set ELEVENLABS_TTS_KEY"):
        ElevenLabs.load("elevenlabs", lambda doing, part: None)
