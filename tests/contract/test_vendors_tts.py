"""Every engine of the mouth that asks a provider with an API of its own, in one suite, each against its imitation."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module

import pytest

from chassis.errors import (
    ApiError,
    BadRequest,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnpaid,
    TooBusy,
)
from imitations import (
    aliyun_tts,
    azure_tts,
    dashscope_tts,
    dify_tts,
    elevenlabs,
    inworld_tts,
    minimax_tts,
    qwen_tts,
    volcengine_tts,
)
from imitations.vendor import VendorServer
from tts.engines import ENGINES
from tts.sound_service import SoundService
from tts.voices.choose import choose
from unit.tts.fakes import Heard, ask, gathered, service

TEXT = "Hello little bear, how are you?"
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")


@dataclass(frozen=True)
class Provider:
    """One engine with its imitation, and what it needs beside a key."""

    name: str
    server: type[VendorServer]
    key: str
    key_variable: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def base_variable(self) -> str:
        return f"TTS_{self.name.upper().replace('-', '_')}_BASE_URL"


PROVIDERS = (
    Provider(
        "aliyun-tts",
        aliyun_tts.AliyunServer,
        aliyun_tts.KEY,
        "ALIYUN_TTS_ACCESS_KEY_ID",
        {"ALIYUN_TTS_ACCESS_KEY_SECRET": aliyun_tts.SECRET, "ALIYUN_TTS_APP_KEY": "app-7"},
    ),
    Provider(
        "azure-tts",
        azure_tts.AzureTtsServer,
        azure_tts.KEY,
        "AZURE_TTS_KEY",
        {"AZURE_TTS_SERVICE_REGION": "eastasia"},
    ),
    Provider("dashscope", dashscope_tts.DashscopeTtsServer, dashscope_tts.KEY, "DASHSCOPE_API_KEY"),
    Provider("dify-tts", dify_tts.DifyTtsServer, dify_tts.KEY, "DIFY_TTS_KEY"),
    Provider("elevenlabs", elevenlabs.ElevenLabsServer, elevenlabs.KEY, "ELEVENLABS_TTS_KEY"),
    Provider("inworld-tts", inworld_tts.InworldTtsServer, inworld_tts.KEY, "INWORLD_TTS_KEY"),
    Provider(
        "minimax-tts",
        minimax_tts.MiniMaxTtsServer,
        minimax_tts.KEY,
        "MINIMAX_TTS_KEY",
        {"MINIMAX_TTS_GROUP_ID": "group-7"},
    ),
    Provider("qwen-tts", qwen_tts.QwenTtsServer, qwen_tts.KEY, "DASHSCOPE_API_KEY"),
    Provider(
        "volcengine-tts",
        volcengine_tts.VolcengineTtsServer,
        volcengine_tts.KEY,
        "VOLCENGINE_TTS_ACCESS_TOKEN",
        {"VOLCENGINE_TTS_APP_ID": volcengine_tts.APP},
    ),
)
every = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)


@asynccontextmanager
async def speaking(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, keys: str = ""
) -> AsyncIterator[tuple[SoundService, VendorServer]]:
    async with provider.server("/x") as server:
        settings = {provider.key_variable: keys or provider.key, provider.base_variable: server.base_url}
        for name, value in {**provider.more, **settings}.items():
            monkeypatch.setenv(name, value)
        module, _, kind = ENGINES[provider.name].partition(":")
        engine = getattr(import_module(module), kind).load(provider.name, lambda doing, part: None)
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def spoken(engine: SoundService, text: str = TEXT, voice: str = "alloy", speed: float = 1.0) -> bytes:
    chosen = choose(engine.voices, engine.voice(voice), voice, text, "zh-CN")
    return await gathered(engine.speak(text, chosen, speed))


async def failure(monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str) -> ApiError:
    async with speaking(monkeypatch, provider, key) as (engine, _):
        with pytest.raises(ApiError) as caught:
            await spoken(engine)
    return caught.value


@every
async def test_a_clause_comes_back_as_sound(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    async with speaking(monkeypatch, provider) as (engine, server):
        sound = await spoken(engine)

    assert len(sound) / 48_000 == pytest.approx(0.06 * len(TEXT), rel=1.1)
    assert all(seen.path.startswith("/x/") for seen in server.seen)


@every
async def test_no_word_is_said_twice(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    """Twice the text is twice the sound, so that none of it is a repeat."""
    async with speaking(monkeypatch, provider) as (engine, _):
        once, twice = await spoken(engine), await spoken(engine, TEXT + TEXT)

    assert len(twice) == pytest.approx(2 * len(once), rel=0.05)


@every
@pytest.mark.parametrize("audio_format", FORMATS)
async def test_every_format_is_served(monkeypatch: pytest.MonkeyPatch, provider: Provider, audio_format: str) -> None:
    async with speaking(monkeypatch, provider) as (engine, _):
        response = await ask(service(None, None, **{provider.name: engine}), input=TEXT, response_format=audio_format)

    assert response.status_code == 200
    if audio_format == "pcm":
        assert len(response.content) > 48_000
    else:
        assert Heard(response.content).seconds > 1


@every
async def test_a_label_that_lies_does_no_harm(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    async with speaking(monkeypatch, provider, "mislabelled") as (engine, _):
        assert len(await spoken(engine)) > 48_000


@every
@pytest.mark.parametrize("speed", [0.0, 1.0, 9.0])
async def test_speeds_are_within_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, speed: float
) -> None:
    """The imitation refuses any other."""
    async with speaking(monkeypatch, provider) as (engine, _):
        slowest, fastest = engine.speeds
        assert await spoken(engine, speed=min(fastest, max(slowest, speed)))


@every
async def test_openais_names_are_voices_of_both_genders_in_both_languages(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    async with speaking(monkeypatch, provider) as (engine, _):
        for text in ("Hello little bear.", "你好，小熊。"):
            chosen = {name: choose(engine.voices, None, name, text, "zh-CN") for name in ("nova", "onyx", "alloy")}
            assert all(voice in engine.voices for voice in chosen.values())
            if len(engine.voices) > 1:
                assert (chosen["nova"].gender, chosen["onyx"].gender) == ("female", "male")
        for voice in engine.voices:
            assert engine.voice(voice.name.upper()) == voice


@every
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("unknown", EngineRefused),
        ("busy", EngineBusy),
        ("unpaid", EngineUnpaid),
        ("blocked", BadRequest),
        ("broken", EngineFailed),
        ("page", EngineFailed),
        ("cut", EngineFailed),
    ],
)
async def test_troubles_are_what_they_are(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str, kind: type[ApiError]
) -> None:
    if key in ("unpaid", "blocked") and key not in provider.server.manners:
        pytest.skip("not documented")
    error = await failure(monkeypatch, provider, key)

    assert isinstance(error, kind)
    assert kind is not BadRequest or error.body["code"] == "content_filter"
    assert not isinstance(error, EngineUnpaid) or (error.rest_seconds or 0) >= 600


@every
async def test_a_provider_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.setattr("tts.sound_service.GAP_SECONDS", 0.2)

    assert isinstance(await failure(monkeypatch, provider, "stall"), EngineTimeout)


@every
async def test_sound_leaves_as_it_comes_and_a_caller_who_leaves_stops_the_work(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    async with speaking(monkeypatch, provider, "slow") as (engine, server):
        text = TEXT * 4
        voice = choose(engine.voices, None, "alloy", text, "zh-CN")
        async with aclosing(engine.speak(text, voice, 1.0)) as pieces:
            await anext(pieces)
            assert not server.seen[-1].over.is_set()
        async with asyncio.timeout(30):
            await server.seen[-1].over.wait()

    assert server.seen[-1].left


@every
async def test_a_key_that_is_refused_or_busy_rests_alone(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    async with speaking(monkeypatch, provider, f"busy,unknown,{provider.key}") as (engine, server):
        assert await spoken(engine)
        asked = len(server.seen)
        assert await spoken(engine)

        assert len(server.seen) <= asked + 1
        assert engine.detail == "2 of 3 keys rest"


@every
@pytest.mark.parametrize("manner", ["busy", "broken", "page", "unknown", "blocked", "unpaid"])
async def test_no_secret_is_ever_shown(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, manner: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The key is marked, and the provider repeats it in its refusal."""
    secret = "marked-secret-0000"
    known = dict(provider.server.manners)
    refused = known.get(manner, provider.server.unknown_key)
    repeats = re.sub(rb'((?:message|msg|code)": ")', rb"\1your key marked-secret-0000: ", refused.body)
    manners = known | {secret: replace(refused, body=repeats)}
    monkeypatch.setattr(provider.server, "manners", manners)
    async with speaking(monkeypatch, provider, secret) as (engine, _):
        with pytest.raises(ApiError) as caught:
            await spoken(engine)

    shown = f"{caught.value} {caught.value.body} {engine.detail} {engine.likeness} {caplog.text} {vars(caught.value)}"
    assert secret not in shown


@every
async def test_no_more_is_asked_than_was_bought(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.setenv(provider.base_variable.replace("BASE_URL", "REQUESTS"), "1/day")
    monkeypatch.setenv(provider.base_variable.replace("BASE_URL", "CONCURRENT"), "1")
    async with speaking(monkeypatch, provider) as (engine, server):
        assert await spoken(engine)
        asked = len(server.seen)
        with pytest.raises(TooBusy):
            await spoken(engine)

    assert len(server.seen) == asked
    assert engine.ahead == 0
