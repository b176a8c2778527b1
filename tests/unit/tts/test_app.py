import httpx
import pytest
from starlette.applications import Starlette

from chassis.settings import SettingError
from tts.app import create_app
from tts.settings import Settings
from tts.voices.choose import Voice
from unit.tts.fakes import FakeEngine, ask, service


async def read(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as client:
        return await client.get(path)


async def test_voices_of_every_ready_engine_are_listed() -> None:
    engines = {"first": FakeEngine(), "second": FakeEngine()}

    listed = (await read(service(None, None, **engines), "/v1/audio/voices")).json()["voices"]

    assert [voice["engine"] for voice in listed] == ["first", "first", "second", "second"]
    assert listed[0] == {"id": "anna", "name": "anna", "engine": "first", "language": "en-US", "gender": "female"}
    assert [engine.asked for engine in engines.values()] == [1, 1]


async def test_a_house_may_speak_chinese_where_letters_do_not_tell() -> None:
    engine = FakeEngine()

    await ask(service(Settings(language="zh"), fake=engine), input="2024")

    assert engine.said == [("两千零二十四", "xiaoxiao", 1.0)]


async def test_another_method_is_a_405_that_says_which() -> None:
    response = await read(service(fake=FakeEngine()), "/v1/audio/speech")

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_a_chain_of_engines_that_do_not_exist_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_ENGINES", "parrot")

    with pytest.raises(SettingError, match=r"'parrot'.*edge, .*espeak, .*flite, .*kokoro"):
        create_app()


ALIASES = Settings(voices=("guodegang=xiaoxiao", "Bunny=zh-CN-YunxiNeural", "alloy=anna"))


async def test_the_operators_own_names_are_listed_first_with_what_is_known_of_them() -> None:
    listed = (await read(service(ALIASES, fake=FakeEngine()), "/v1/audio/voices")).json()["voices"]

    assert [voice["id"] for voice in listed] == ["guodegang", "Bunny", "alloy", "anna", "xiaoxiao"]
    assert listed[0]["alias_of"] == "xiaoxiao"
    assert (listed[0]["engine"], listed[0]["language"], listed[0]["gender"]) == ("fake", "zh-CN", "female")
    assert (listed[1]["engine"], listed[1]["language"], listed[1]["gender"]) == (None, "zh-CN", "male")


@pytest.mark.parametrize(
    ("asked", "text", "voice"),
    [("guodegang", "你好", "xiaoxiao"), ("GUODEGANG", "12", "xiaoxiao"), ("alloy", "Hi", "anna")],
)
async def test_a_name_of_the_operators_own_speaks_with_the_voice_behind_it(asked: str, text: str, voice: str) -> None:
    engine = FakeEngine()

    await ask(service(ALIASES, fake=engine), input=text, voice=asked)

    assert engine.said[0][1] == voice


async def test_an_engine_without_the_voice_behind_a_name_uses_the_nearest_in_language_and_gender() -> None:
    engine = FakeEngine(
        voices=[Voice("a", "en-US", "male"), Voice("b", "zh-CN", "female"), Voice("c", "zh-CN", "male")]
    )

    await ask(service(ALIASES, fake=engine), input="12", voice="bunny")

    assert engine.said[0][1] == "c"


@pytest.mark.parametrize("voices", ["guodegang", "=zh-CN-YunxiNeural", "bunny="])
def test_a_name_that_stands_for_nothing_is_refused_at_the_start(voices: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_VOICES", voices)

    with pytest.raises(SettingError, match="TTS_VOICES"):
        create_app()
