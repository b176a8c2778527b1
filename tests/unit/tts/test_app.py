import httpx
import pytest
from starlette.applications import Starlette

from chassis.settings import SettingError
from tts.app import create_app
from tts.settings import Settings
from unit.tts.fakes import FakeEngine, ask, service


async def read(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as client:
        return await client.get(path)


async def test_voices_of_every_ready_engine_are_listed() -> None:
    engines = {"first": FakeEngine(), "second": FakeEngine()}

    listed = (await read(service(None, **engines), "/v1/audio/voices")).json()["voices"]

    assert [voice["engine"] for voice in listed] == ["first", "first", "second", "second"]
    assert listed[0] == {"id": "anna", "name": "anna", "engine": "first", "language": "en-US", "gender": "female"}
    assert [engine.asked for engine in engines.values()] == [1, 1]


async def test_a_house_may_speak_chinese_where_letters_do_not_tell() -> None:
    engine = FakeEngine()

    await ask(service(Settings(language="zh"), fake=engine), input="2024")

    assert engine.said == [("二千零二十四", "xiaoxiao", 1.0)]


async def test_another_method_is_a_405_that_says_which() -> None:
    response = await read(service(fake=FakeEngine()), "/v1/audio/speech")

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_an_engine_that_does_not_exist_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_ENGINES", "espeak,parrot")

    with pytest.raises(SettingError, match=r"'parrot'.*edge, .*espeak, flite, kokoro"):
        create_app()
