from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree import ElementTree

import pytest

from chassis.errors import ApiError, EngineBusy, EngineFailed, EngineRefused, EngineTimeout, EngineUnavailable
from imitations.azure_tts import KEY, PATH, AzureTtsServer
from tts.engines.azure_tts import AzureTts
from tts.voices.choose import Voice
from unit.tts.fakes import gathered

XIAOXIAO = Voice("zh-CN-XiaoxiaoNeural", "zh-CN", "female")
TEXT = "Hello little bear."


@asynccontextmanager
async def speaking(
    monkeypatch: pytest.MonkeyPatch, keys: str = KEY, **options: str
) -> AsyncIterator[tuple[AzureTts, AzureTtsServer]]:
    async with AzureTtsServer("/azure") as server:
        settings = {"KEY": keys, "SERVICE_REGION": "eastasia"} | {
            name.upper(): value for name, value in options.items()
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"AZURE_TTS_{name}", value)
        monkeypatch.setenv("TTS_AZURE_TTS_BASE_URL", server.base_url)
        engine = AzureTts.load("azure-tts", lambda doing, part: None)
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def spoken(engine: AzureTts, text: str = TEXT, speed: float = 1.0) -> bytes:
    return await gathered(engine.speak(text, XIAOXIAO, speed))


async def test_a_clause_is_sent_as_ssml_and_comes_back_as_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch) as (engine, server):
        sound = await spoken(engine)

    assert len(sound) / 48_000 == pytest.approx(0.06 * len(TEXT), abs=0.01)
    (seen,) = server.seen
    assert seen.path == f"/azure{PATH}"
    assert ElementTree.fromstring(seen.body)[0].attrib["name"] == XIAOXIAO.name


async def test_markup_in_the_text_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch) as (engine, server):
        await spoken(engine, "Tom & <b>Jerry</b> ']]>")

    assert "".join(ElementTree.fromstring(server.seen[0].body).itertext()) == "Tom & <b>Jerry</b> ']]>"


async def test_style_role_dialect_and_prosody_are_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    manner = {"style": "cheerful", "styledegree": "1.5", "role": "Girl", "dialect_name": "zh-CN-sichuan"}
    async with speaking(monkeypatch, prosody_pitch="1.2", prosody_volume="loud", **manner) as (engine, server):
        await spoken(engine, speed=1.25)

    text = server.seen[0].body.decode()
    assert '<lang xml:lang="zh-CN-sichuan">' in text
    assert '<mstts:express-as style="cheerful" styledegree="1.5" role="Girl">' in text
    assert '<prosody rate="+25%" pitch="+20%" volume="loud">' in text


async def test_sound_leaves_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, "slow") as (engine, server):
        pieces = engine.speak(TEXT, XIAOXIAO, 1.0)
        await anext(pieces)
        assert not server.seen[0].over.is_set()
        await pieces.aclose()
        await server.seen[0].over.wait()

    assert server.seen[0].left


@pytest.mark.parametrize(
    ("key", "failure"),
    [
        ("unknown", EngineRefused),
        ("busy", EngineBusy),
        ("broken", EngineFailed),
        ("page", EngineFailed),
        ("cut", EngineFailed),
    ],
)
async def test_every_trouble_is_a_failure_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, key: str, failure: type[ApiError]
) -> None:
    async with speaking(monkeypatch, key) as (engine, _):
        with pytest.raises(failure) as caught:
            await spoken(engine)

    assert isinstance(caught.value, EngineFailed)
    assert KEY not in str(caught.value)


async def test_a_service_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tts.sound_service.GAP_SECONDS", 0.2)
    async with speaking(monkeypatch, "stall") as (engine, _):
        with pytest.raises(EngineTimeout):
            await spoken(engine)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnavailable, match="AZURE_TTS_SERVICE_REGION"):
        AzureTts.load("azure-tts", lambda doing, part: None)
    monkeypatch.setenv("AZURE_TTS_SERVICE_REGION", "eastasia")
    with pytest.raises(EngineUnavailable, match="Set AZURE_TTS_KEY"):
        AzureTts.load("azure-tts", lambda doing, part: None)
