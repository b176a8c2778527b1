"""What single providers want beside what tests/contract/test_vendors_stt.py asks of all of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import pytest

from chassis.errors import EngineUnavailable
from fixtures import sounds
from imitations import azure_whisper, cf_workers_ai_asr, dashscope_asr, dify_stt, elevenlabs_stt, volcengine_asr
from imitations.words import WORDS, HearingServer
from stt.engines import ENGINES, Engine
from stt.hearing import Heard, Hints

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

SPOKEN = sounds.spoken("Hello little bear.") if sounds.can_speak() else sounds.silence(1)


@asynccontextmanager
async def listening(
    monkeypatch: pytest.MonkeyPatch, name: str, server: HearingServer, **settings: str
) -> AsyncIterator[Engine]:
    async with server:
        for variable, value in settings.items():
            monkeypatch.setenv(variable, value.replace("BASE", server.base_url))
        module, _, kind = ENGINES[name].partition(":")
        engine: Engine = getattr(import_module(module), kind).load(name, lambda doing, part: None)
        try:
            yield engine
        finally:
            await engine.aclose()


async def heard(engine: Engine, hints: Hints | None = None) -> Heard:
    [piece] = [piece async for piece in engine.transcribe(SPOKEN, hints or Hints())]
    return piece


@pytest.mark.parametrize(("key", "header"), [(azure_whisper.KEY, "api-key"), ("eyJ-entra", "authorization")])
async def test_azure_is_asked_at_its_deployment_with_key_or_token(
    monkeypatch: pytest.MonkeyPatch, key: str, header: str
) -> None:
    server = azure_whisper.AzureWhisperServer("")
    settings = {
        "AZURE_WHISPER_KEY": key,
        "AZURE_WHISPER_API_BASE": "BASE/",
        "AZURE_WHISPER_DEPLOYMENT_NAME": azure_whisper.DEPLOYMENT,
        "AZURE_WHISPER_API_VERSION": "2023-09-01-preview",
    }
    async with listening(monkeypatch, "azure-whisper", server, **settings) as engine:
        piece = await heard(engine, Hints(language="en", stream=True))

    assert piece.segments[0].text == WORDS
    (seen,) = server.seen
    assert seen.query == {"api-version": "2023-09-01-preview"}
    assert {"api-key", "authorization"} & {name.lower() for name in seen.headers} == {header}


async def test_a_dify_of_ones_own_is_asked_with_or_without_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for base in ("BASE", "BASE/v1/"):
        server = dify_stt.DifySttServer("")
        settings = {"DIFY_STT_KEY": dify_stt.KEY, "DIFY_STT_API_BASE": base}
        async with listening(monkeypatch, "dify-stt", server, **settings) as engine:
            assert (await heard(engine)).segments[0].text == WORDS


async def test_a_cluster_of_volcengines_first_api_is_said_not_to_be_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = volcengine_asr.VolcengineAsrServer()
    block = {"ACCESS_TOKEN": volcengine_asr.KEY, "APP_ID": volcengine_asr.APP, "CLUSTER_ID": "volcengine_input_common"}
    settings = {f"VOLCENGINE_ASR_{name}": value for name, value in block.items()}
    async with listening(
        monkeypatch, "volcengine-asr", server, STT_VOLCENGINE_ASR_BASE_URL="BASE", **settings
    ) as engine:
        assert (await heard(engine)).segments[0].text == WORDS
    assert "VOLCENGINE_ASR_CLUSTER_ID" in caplog.text


async def test_one_key_replaces_the_pair_at_volcengine(monkeypatch: pytest.MonkeyPatch) -> None:
    server = volcengine_asr.VolcengineAsrServer()
    settings = {"VOLCENGINE_ASR_API_KEY": volcengine_asr.KEY, "STT_VOLCENGINE_ASR_BASE_URL": "BASE"}
    async with listening(monkeypatch, "volcengine-asr", server, **settings) as engine:
        assert (await heard(engine)).segments[0].text == WORDS

    assert "x-api-access-key" not in {name.lower() for name in server.seen[0].headers}


async def test_an_access_token_wants_its_app(monkeypatch: pytest.MonkeyPatch) -> None:
    server = volcengine_asr.VolcengineAsrServer()
    with pytest.raises(EngineUnavailable, match="VOLCENGINE_ASR_APP_ID"):
        async with listening(monkeypatch, "volcengine-asr", server, VOLCENGINE_ASR_ACCESS_TOKEN="token"):
            raise AssertionError


async def test_cloudflares_turbo_is_given_json_and_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    server = cf_workers_ai_asr.CfWorkersAiAsrServer()
    settings = {
        "CF_WORKERS_AI_ASR_API_TOKEN": cf_workers_ai_asr.KEY,
        "CF_WORKERS_AI_ASR_ACCOUNT_ID": cf_workers_ai_asr.ACCOUNT,
        "CF_WORKERS_AI_ASR_MODEL_ID": "@cf/openai/whisper-large-v3-turbo",
        "STT_CF_WORKERS_AI_ASR_BASE_URL": "BASE",
    }
    async with listening(monkeypatch, "cf-workers-ai-asr", server, **settings) as engine:
        assert (await heard(engine, Hints(language="en"))).segments[0].text == WORDS

    assert server.seen[0].json["language"] == "en"


async def test_qwen_is_given_the_language_and_the_words_to_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    server = dashscope_asr.DashscopeAsrServer()
    settings = {"DASHSCOPE_API_KEY": dashscope_asr.KEY, "STT_DASHSCOPE_BASE_URL": "BASE"}
    async with listening(monkeypatch, "dashscope", server, **settings) as engine:
        await heard(engine, Hints(language="en", hotwords=("Paddington",), prompt="A bear."))

    asked = server.seen[0].json
    assert asked["asr_options"]["language"] == "en"
    assert asked["messages"][0] == {"role": "system", "content": [{"text": "Paddington A bear."}]}


async def test_scribe_finds_out_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    server = elevenlabs_stt.ElevenLabsSttServer()
    settings = {"STT_ELEVENLABS_API_KEY": elevenlabs_stt.KEY, "STT_ELEVENLABS_BASE_URL": "BASE"}
    async with listening(monkeypatch, "elevenlabs", server, **settings) as engine:
        assert (await heard(engine)).language == "en"
