from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.errors import EngineFailed, EngineRefused, EngineUnavailable
from contract.test_vendors_tts import PROVIDERS, failure, speaking, spoken
from imitations.aliyun_tts import AliyunServer
from tts.engines.aliyun_tts import AliyunTts
from tts.sound_service import SoundService

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "aliyun-tts")


@asynccontextmanager
async def aliyun(monkeypatch: pytest.MonkeyPatch, key: str = "") -> AsyncIterator[tuple[SoundService, AliyunServer]]:
    async with speaking(monkeypatch, PROVIDER, key) as (engine, server):
        assert isinstance(server, AliyunServer)
        yield engine, server


async def test_one_token_serves_many_clauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with aliyun(monkeypatch) as (engine, server):
        await spoken(engine)
        await spoken(engine)

    assert server.desk.given == 1
    assert server.seen[0].path == "/x/stream/v1/tts"


async def test_a_token_that_expires_in_mid_use_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with aliyun(monkeypatch) as (engine, server):
        await spoken(engine)
        server.desk.end_all()
        assert await spoken(engine)

    assert server.desk.given == 2


async def test_a_wrong_secret_is_a_refused_key_and_the_clock_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with aliyun(monkeypatch) as (_, _server):
        monkeypatch.setenv("ALIYUN_TTS_ACCESS_KEY_SECRET", "wrong")
        engine = AliyunTts.load("aliyun-tts", lambda doing, part: None)
        with pytest.raises(EngineRefused, match="clock"):
            await spoken(engine)
        await engine.aclose()


@pytest.mark.parametrize(("key", "kind"), [("foreign", EngineRefused), ("internal", EngineFailed)])
async def test_statuses_are_read_whatever_http_says(
    monkeypatch: pytest.MonkeyPatch, key: str, kind: type[EngineFailed]
) -> None:
    assert isinstance(await failure(monkeypatch, PROVIDER, key), kind)


@pytest.mark.parametrize(("speed", "rate"), [(0.5, -500), (0.75, -167), (1.0, 0), (1.25, 200), (2.0, 500)])
async def test_speeds_are_written_in_its_own_numbers(monkeypatch: pytest.MonkeyPatch, speed: float, rate: int) -> None:
    async with aliyun(monkeypatch) as (engine, server):
        await spoken(engine, speed=speed)

    assert server.seen[0].json["speech_rate"] == rate


def test_no_clause_is_longer_than_it_takes() -> None:
    assert AliyunTts.lengths.most <= 300


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("ACCESS_KEY_ID", "id"), ("ACCESS_KEY_SECRET", "secret"), ("APP_KEY", "app")):
        with pytest.raises(EngineUnavailable, match=f"ALIYUN_TTS_{variable}"):
            AliyunTts.load("aliyun-tts", lambda doing, part: None)
        monkeypatch.setenv(f"ALIYUN_TTS_{variable}", value)
    AliyunTts.load("aliyun-tts", lambda doing, part: None)
