import pytest

from chassis.errors import EngineBusy, EngineFailed, EngineUnavailable
from contract.test_vendors_tts import PROVIDERS, failure, speaking, spoken
from tts.engines.volcengine_tts import VolcengineTts

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "volcengine-tts")


async def test_the_voice_decides_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        await spoken(engine, voice="zh_female_vv_uranus_bigtts")
        await spoken(engine, voice="zh_male_m1_moon_bigtts")

    assert [seen.headers["x-api-resource-id"] for seen in server.seen] == ["seed-tts-2.0", "seed-tts-1.0"]
    assert server.seen[0].headers["x-api-app-key"] == server.seen[0].headers["x-api-app-id"]


async def test_older_voices_are_asked_for_by_v1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLCENGINE_TTS_VOICE_TYPE", "BV700_V2_streaming")
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        assert len(await spoken(engine, "你好。")) > 5_000

    (seen,) = server.seen
    assert seen.path == "/x/api/v1/tts"
    assert seen.headers["Authorization"] == f"Bearer;{PROVIDER.key}"
    assert seen.json["app"]["cluster"] == "volcano_tts"


async def test_one_key_of_the_new_console_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER) as (_, server):
        monkeypatch.setenv("VOLCENGINE_TTS_API_KEY", PROVIDER.key)
        monkeypatch.delenv("VOLCENGINE_TTS_APP_ID")
        engine = VolcengineTts.load("volcengine-tts", lambda doing, part: None)
        assert await spoken(engine)
        await engine.aclose()

    assert "x-api-access-key" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("key", "kind"), [("concurrency", EngineBusy), ("within", EngineFailed), ("late", EngineFailed)]
)
async def test_codes_are_read(monkeypatch: pytest.MonkeyPatch, key: str, kind: type[EngineFailed]) -> None:
    assert isinstance(await failure(monkeypatch, PROVIDER, key), kind)


def test_a_token_without_its_app_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLCENGINE_TTS_ACCESS_TOKEN", "token")
    with pytest.raises(EngineUnavailable, match="VOLCENGINE_TTS_APP_ID"):
        VolcengineTts.load("volcengine-tts", lambda doing, part: None)
