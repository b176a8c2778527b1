import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.errors import Declined, EngineFailed, EngineRefused, EngineUnavailable
from chassis.settings import SettingError
from fixtures import sounds
from imitations.aliyun import SECRET
from imitations.aliyun_asr import APP_KEY, KEY, AliyunAsrServer
from stt.engines.aliyun_asr import AliyunAsr
from stt.hearing import Heard, Hints

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

SPOKEN = sounds.spoken("Hello little bear.") if sounds.can_speak() else sounds.silence(1)


def load() -> AliyunAsr:
    return AliyunAsr.load("aliyun-asr", lambda doing, part: None)


@asynccontextmanager
async def listening(
    monkeypatch: pytest.MonkeyPatch, key_id: str = KEY, **settings: str
) -> AsyncIterator[tuple[AliyunAsr, AliyunAsrServer]]:
    async with AliyunAsrServer() as server:
        usual = {"ACCESS_KEY_ID": key_id, "ACCESS_KEY_SECRET": SECRET, "APP_KEY": APP_KEY}
        for name, value in (usual | settings).items():
            monkeypatch.setenv(f"ALIYUN_ASR_{name}", value)
        monkeypatch.setenv("STT_ALIYUN_ASR_BASE_URL", server.base_url)
        engine = load()
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def heard(engine: AliyunAsr, hints: Hints | None = None) -> Heard:
    [piece] = [piece async for piece in engine.transcribe(SPOKEN, hints or Hints())]
    return piece


async def test_a_token_is_made_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        await asyncio.gather(*(heard(engine) for _ in range(5)))
        await heard(engine)

    assert server.desk.given == 1
    assert len(server.seen) == 6


async def test_a_token_that_ended_in_the_middle_of_use_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        await heard(engine)
        server.desk.ended.add(f"token/{KEY}/1")
        assert (await heard(engine)).segments

    assert server.desk.given == 2


async def test_a_refusal_of_the_new_token_too_is_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch, "account") as (engine, server):
        with pytest.raises(EngineRefused, match="APP_KEY"):
            await heard(engine)

    assert len(server.seen) == 2


async def test_a_wrong_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch, ACCESS_KEY_SECRET="wrong-secret") as (engine, server):
        with pytest.raises(EngineRefused, match=r"signature is not matched.*ACCESS_KEY_SECRET"):
            await heard(engine)

    assert server.seen == []


@pytest.mark.parametrize("seconds", [3_600, -86_400])
async def test_a_wrong_clock_of_this_machine_is_corrected_by_the_services(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    async with listening(monkeypatch) as (engine, server):
        server.desk.clock_ahead_seconds = seconds
        assert (await heard(engine)).segments
        server.desk.end_all()
        assert (await heard(engine)).segments

    assert server.desk.given == 2
    assert caplog.text.count("The clock of this machine is") == 1


async def test_a_clock_that_is_wrong_is_named_where_the_service_tells_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, server):
        server.desk.clock_ahead_seconds, server.desk.tells_time = 3_600, False
        with pytest.raises(EngineRefused, match="clock"):
            await heard(engine)


@pytest.mark.parametrize("key_id", ["client", "message", "parameter"])
async def test_a_request_that_it_does_not_take_is_never_the_callers_fault(
    monkeypatch: pytest.MonkeyPatch, key_id: str
) -> None:
    async with listening(monkeypatch, key_id) as (engine, _):
        with pytest.raises(EngineFailed, match="did not take the recording: Gateway:"):
            await heard(engine)


async def test_each_language_has_its_project(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch, APP_KEY=f"zh-CN:{APP_KEY}-zh, en:{APP_KEY}-en") as (engine, server):
        for language in ("en", "zh", None):
            await heard(engine, Hints(language=language))
        assert not engine.hears("ja")
        with pytest.raises(Declined):
            await heard(engine, Hints(language="ja"))

    assert [seen.query["appkey"].removeprefix(APP_KEY) for seen in server.seen] == ["-en", "-zh", "-zh"]


async def test_one_project_hears_what_it_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch) as (engine, _):
        assert engine.hears("ja")
        assert (await heard(engine)).language == "en"


def test_every_id_has_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIYUN_ASR_APP_KEY", APP_KEY)
    monkeypatch.setenv("ALIYUN_ASR_ACCESS_KEY_ID", "one,two,three")
    monkeypatch.setenv("ALIYUN_ASR_ACCESS_KEY_SECRET", "one,two")
    with pytest.raises(EngineUnavailable, match="one for each"):
        load()


def test_a_language_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIYUN_ASR_APP_KEY", "klingonese:abc")
    monkeypatch.setenv("ALIYUN_ASR_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("ALIYUN_ASR_ACCESS_KEY_SECRET", "one")
    with pytest.raises(SettingError, match="ALIYUN_ASR_APP_KEY"):
        load()
