import pytest

from chassis.errors import EngineFailed, EngineUnavailable, EngineUnpaid
from contract.test_vendors_tts import PROVIDERS, failure, speaking, spoken
from tts.engines.dashscope_tts import DashscopeTts

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "qwen-tts")


async def test_settings_reach_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_QWEN_VOICE", "Ethan")
    monkeypatch.setenv("DASHSCOPE_QWEN_LANGUAGE", "Chinese")
    monkeypatch.setenv("TTS_QWEN_TTS_MODEL", "qwen-tts-latest")
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        await spoken(engine, "你好")

    assert server.seen[-1].json == {
        "model": "qwen-tts-latest",
        "input": {"text": "你好", "voice": "Ethan", "language_type": "Chinese"},
    }


@pytest.mark.parametrize(
    ("key", "kind"), [("within", EngineUnpaid), ("no end", EngineFailed), ("no letters", EngineFailed)]
)
async def test_what_else_may_come_instead_of_sound(
    monkeypatch: pytest.MonkeyPatch, key: str, kind: type[EngineFailed]
) -> None:
    assert isinstance(await failure(monkeypatch, PROVIDER, key), kind)


def test_the_websockets_engine_names_this_one_for_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    monkeypatch.setenv("TTS_DASHSCOPE_MODEL", "qwen3-tts-flash")
    with pytest.raises(EngineUnavailable, match="qwen-tts"):
        DashscopeTts.load("dashscope", lambda doing, part: None)
