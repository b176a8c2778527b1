"""Every engine of the ears that asks a provider with an API of its own, in one suite, each against its imitation."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
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
    EngineUnavailable,
    EngineUnpaid,
    TooBusy,
)
from fixtures import sounds
from imitations import (
    aliyun,
    aliyun_asr,
    azure_stt,
    azure_whisper,
    cf_workers_ai_asr,
    dashscope_asr,
    dify_stt,
    elevenlabs_stt,
    volcengine_asr,
)
from imitations.words import WORDS, HearingServer
from stt.engines import ENGINES, Engine
from stt.hearing import Heard, Hints, Pcm

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

SPOKEN = sounds.spoken("Hello little bear.") if sounds.can_speak() else sounds.silence(1)
MARK = "marked-secret-0000"


@dataclass(frozen=True)
class Provider:
    """One engine with its imitation, and what it needs beside a key.

    Args:
        paired: A variable that holds one value for each key, and that value.
    """

    name: str
    server: type[HearingServer]
    key: str
    key_variable: str
    more: Mapping[str, str] = field(default_factory=dict)
    paired: tuple[str, str] | None = None

    @property
    def base_variable(self) -> str:
        return f"STT_{self.name.upper().replace('-', '_')}_BASE_URL"

    def environment(self, keys: str, base_url: str) -> dict[str, str]:
        settings = {**self.more, self.key_variable: keys, self.base_variable: base_url}
        if self.paired is not None:
            variable, value = self.paired
            settings[variable] = ",".join(value for _ in keys.split(","))
        return settings


PROVIDERS = (
    Provider(
        "aliyun-asr",
        aliyun_asr.AliyunAsrServer,
        aliyun_asr.KEY,
        "ALIYUN_ASR_ACCESS_KEY_ID",
        {"ALIYUN_ASR_APP_KEY": aliyun_asr.APP_KEY},
        ("ALIYUN_ASR_ACCESS_KEY_SECRET", aliyun.SECRET),
    ),
    Provider(
        "azure-stt",
        azure_stt.AzureSttServer,
        azure_stt.KEY,
        "AZURE_STT_KEY",
        {"AZURE_STT_SERVICE_REGION": "eastasia"},
    ),
    Provider(
        "azure-whisper",
        azure_whisper.AzureWhisperServer,
        azure_whisper.KEY,
        "AZURE_WHISPER_KEY",
        {
            "AZURE_WHISPER_API_BASE": "https://mine.openai.azure.com",
            "AZURE_WHISPER_DEPLOYMENT_NAME": azure_whisper.DEPLOYMENT,
        },
    ),
    Provider(
        "cf-workers-ai-asr",
        cf_workers_ai_asr.CfWorkersAiAsrServer,
        cf_workers_ai_asr.KEY,
        "CF_WORKERS_AI_ASR_API_TOKEN",
        {"CF_WORKERS_AI_ASR_ACCOUNT_ID": cf_workers_ai_asr.ACCOUNT},
    ),
    Provider("dashscope", dashscope_asr.DashscopeAsrServer, dashscope_asr.KEY, "DASHSCOPE_API_KEY"),
    Provider("elevenlabs", elevenlabs_stt.ElevenLabsSttServer, elevenlabs_stt.KEY, "ELEVENLABS_API_KEY"),
    Provider("dify-stt", dify_stt.DifySttServer, dify_stt.KEY, "DIFY_STT_KEY"),
    Provider(
        "volcengine-asr",
        volcengine_asr.VolcengineAsrServer,
        volcengine_asr.KEY,
        "VOLCENGINE_ASR_ACCESS_TOKEN",
        {"VOLCENGINE_ASR_APP_ID": volcengine_asr.APP},
    ),
)
every = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)


def load(provider: Provider) -> Engine:
    module, _, kind = ENGINES[provider.name].partition(":")
    engine: Engine = getattr(import_module(module), kind).load(provider.name, lambda doing, part: None)
    return engine


@asynccontextmanager
async def listening(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, keys: str = ""
) -> AsyncIterator[tuple[Engine, HearingServer]]:
    async with provider.server("/x") as server:
        for name, value in provider.environment(keys or provider.key, server.base_url).items():
            monkeypatch.setenv(name, value)
        engine = load(provider)
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def heard(engine: Engine, hints: Hints | None = None, pcm: Pcm = SPOKEN) -> Heard:
    [piece] = [piece async for piece in engine.transcribe(pcm, hints or Hints())]
    return piece


async def failure(monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str) -> ApiError:
    async with listening(monkeypatch, provider, key) as (engine, _):
        with pytest.raises(ApiError) as caught:
            await heard(engine)
    return caught.value


@every
@pytest.mark.parametrize("key", ["", "mislabelled", "drip"])
async def test_speech_comes_back_as_text(monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str) -> None:
    """Under whatever label, and however slowly."""
    async with listening(monkeypatch, provider, key) as (engine, server):
        piece = await heard(engine, Hints(language="en"))

    assert [segment.text for segment in piece.segments] == [WORDS]
    assert 0 <= piece.segments[0].start < piece.segments[0].end <= len(SPOKEN) / 16_000
    assert piece.language == "en"
    assert all(seen.path.startswith("/x/") for seen in server.seen)


@every
async def test_a_recording_without_words_is_an_empty_text(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    for key in provider.server.no_words:
        async with listening(monkeypatch, provider, key) as (engine, _):
            assert (await heard(engine)).segments == ()


@every
async def test_silence_is_not_sent(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    async with listening(monkeypatch, provider) as (engine, server):
        assert (await heard(engine, pcm=sounds.silence(1))).segments == ()

    assert server.seen == []


@every
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("unknown", EngineRefused),
        ("busy", EngineBusy),
        ("within", EngineBusy),
        ("unpaid", EngineUnpaid),
        ("broken", EngineFailed),
        ("away", EngineFailed),
        ("page", EngineFailed),
        ("nothing", EngineFailed),
        ("list", EngineFailed),
        ("cut", EngineFailed),
        ("blocked", BadRequest),
    ],
)
async def test_troubles_are_what_they_are(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str, kind: type[ApiError]
) -> None:
    if key in ("within", "unpaid", "blocked") and key not in provider.server.manners:
        pytest.skip("not documented")
    error = await failure(monkeypatch, provider, key)

    assert isinstance(error, kind)
    assert kind is not BadRequest or error.body["code"] == "content_filter"
    assert not isinstance(error, EngineUnpaid) or (error.rest_seconds or 0) >= 600


@every
async def test_no_documented_error_is_the_callers_fault(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    """Nothing but moderation is, as all that is sent is made here."""
    fine = provider.server.no_words | {provider.key, "eyJ-entra", "mislabelled", "drip", "hangs", "stall", "blocked"}
    for key in provider.server.manners.keys() - fine:
        assert isinstance(await failure(monkeypatch, provider, key), EngineFailed), key


@every
@pytest.mark.parametrize("key", ["hangs", "stall"])
async def test_a_provider_that_falls_silent_is_given_up(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str
) -> None:
    monkeypatch.setattr("stt.text_service.TextService.answer_seconds", 0.3)
    for setting in ("ANSWER_SECONDS", "GAP_SECONDS"):
        monkeypatch.setenv(provider.base_variable.replace("BASE_URL", setting), "0.3")
    async with listening(monkeypatch, provider, key) as (engine, server):
        with pytest.raises(EngineTimeout):
            await heard(engine)
        async with asyncio.timeout(30):  # the provider itself would be silent for twice as long
            await server.seen[-1].over.wait()

    assert server.seen[-1].left


@every
@pytest.mark.parametrize("key", ["hangs", "stall"])
async def test_a_caller_who_leaves_stops_the_work(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, key: str
) -> None:
    async with listening(monkeypatch, provider, key) as (engine, server):
        asking = asyncio.create_task(heard(engine))
        while not server.seen:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        asking.cancel()
        async with asyncio.timeout(30):  # the provider itself would be silent for twice as long
            await server.seen[-1].over.wait()

    assert server.seen[-1].left


@every
async def test_a_key_that_is_refused_or_busy_rests_alone(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    resting = [key for key in ("busy", "within", "unpaid") if key in provider.server.manners] + ["unknown"]
    async with listening(monkeypatch, provider, ",".join([*resting, provider.key])) as (engine, server):
        assert (await heard(engine)).segments
        asked = len(server.seen)
        assert (await heard(engine)).segments

        assert len(server.seen) == asked + 1
        assert getattr(engine, "detail", None) == f"{len(resting)} of {len(resting) + 1} keys rest"


@every
async def test_no_secret_is_ever_shown(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """The key is marked, and the provider repeats it in whatever it refuses."""
    known = dict(provider.server.manners)
    for manner in ("busy", "within", "unpaid", "blocked", "broken", "page", "unknown"):
        refused = known.get(manner, provider.server.unknown_key)
        repeats = re.sub(rb'((?:message|msg|code)": ")', rb"\1your key marked-secret-0000: ", refused.body)
        monkeypatch.setattr(provider.server, "manners", known | {MARK: replace(refused, body=repeats)})
        async with listening(monkeypatch, provider, MARK) as (engine, _):
            with pytest.raises(ApiError) as caught:
                await heard(engine)
            detail = getattr(engine, "detail", None)
            shown = f"{caught.value} {caught.value.body} {vars(caught.value)} {detail} {caplog.text}"
        assert MARK not in shown
        for secret in (provider.paired or (), *provider.more.values()):
            assert not isinstance(secret, str) or "1234567" not in secret or secret not in shown


@every
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    whole = provider.environment(provider.key, "")
    for missing in (provider.key_variable, *((provider.paired[0],) if provider.paired else ()), *provider.more):
        for name, value in (whole | {missing: ""}).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(EngineUnavailable, match=re.escape(missing)):
            load(provider)


@every
async def test_no_more_is_asked_than_was_bought(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.setenv(provider.base_variable.replace("BASE_URL", "REQUESTS"), "1/day")
    async with listening(monkeypatch, provider) as (engine, server):
        assert (await heard(engine)).segments
        with pytest.raises(TooBusy):
            await heard(engine)

    assert len(server.seen) == 1
