"""Blocks of FoloToy's compose file work as they are."""

import pytest

from chassis.errors import EngineRefused, EngineUnavailable
from imitations.speech import SpeechServer
from tts.engines.edge.engine import Edge
from tts.engines.openai.engine import OpenAISpeech
from tts.engines.openai.providers import UPSTREAMS
from unit.tts.fakes import gathered


def load(name: str) -> OpenAISpeech:
    return OpenAISpeech.load(name, lambda doing, part: None)


def set_all(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


async def test_openai_tts_is_asked_where_its_block_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with SpeechServer() as server:
        block = {"API_BASE": server.base_url, "KEY": "sk-theirs", "MODEL": "tts-1-hd", "VOICE_NAME": "nova"}
        set_all(monkeypatch, **{f"OPENAI_TTS_{name}": value for name, value in block.items()})
        engine = load("openai-tts")
        await gathered(engine.speak("Hello.", engine.voices[0], 1.0))
        await engine.aclose()

    assert server.seen[0].headers["authorization"] == "Bearer sk-theirs"
    assert (server.seen[0].json["model"], server.seen[0].json["voice"]) == ("tts-1-hd", "nova")


def test_azure_openai_tts_is_asked_at_its_deployment_with_its_own_header(monkeypatch: pytest.MonkeyPatch) -> None:
    block = {"API_BASE": "https://mine.openai.azure.com/", "KEY": "k", "DEPLOYMENT_NAME": "tts"}
    set_all(monkeypatch, **{f"AZURE_OPENAI_TTS_{name}": value for name, value in block.items()})
    row = UPSTREAMS.row("azure-openai-tts")
    path = "/openai/deployments/tts/audio/speech"

    assert row.url("/audio/speech") == f"https://mine.openai.azure.com{path}?api-version=2024-02-15-preview"
    assert row.headers_with("k") == {"api-key": "k"}
    assert row.model == "tts"
    assert row.key_variable == "AZURE_OPENAI_TTS_KEY"

    set_all(monkeypatch, AZURE_OPENAI_TTS_API_VERSION="2025-04-01-preview", AZURE_OPENAI_TTS_MODEL="tts-hd")
    set_all(monkeypatch, TTS_AZURE_OPENAI_TTS_BASE_URL="http://127.0.0.1:9000/x")
    row = UPSTREAMS.row("azure-openai-tts")

    assert row.url("/audio/speech") == f"http://127.0.0.1:9000/x{path}?api-version=2025-04-01-preview"
    assert (row.headers_with("k"), row.model) == ({"api-key": "k"}, "tts-hd")


def test_an_entra_token_is_shown_as_a_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, AZURE_OPENAI_TTS_API_BASE="https://mine.openai.azure.com", AZURE_OPENAI_TTS_KEY="eyJ0.eyJ1.x")

    assert UPSTREAMS.row("azure-openai-tts").headers_with("eyJ0.eyJ1.x") == {"authorization": "Bearer eyJ0.eyJ1.x"}


def test_azure_without_an_address_says_what_to_set() -> None:
    with pytest.raises(EngineUnavailable, match="AZURE_OPENAI_TTS_API_BASE"):
        load("azure-openai-tts")


def test_siliconflows_voices_are_those_of_the_model_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SILICONFLOW_TTS_KEY="k", SILICONFLOW_TTS_MODEL="fishaudio/fish-speech-1.5")
    engine = load("siliconflow-tts")

    assert {voice.name.partition(":")[0] for voice in engine.voices} == {"fishaudio/fish-speech-1.5"}

    set_all(monkeypatch, SILICONFLOW_TTS_VOICE_NAME="fishaudio/fish-speech-1.5:bella")
    assert load("siliconflow-tts").voices[0].name == "fishaudio/fish-speech-1.5:bella"
    assert len(load("siliconflow-tts").voices) == len(engine.voices)


def test_a_cloned_voice_speaks_whatever_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SILICONFLOW_TTS_KEY="k", SILICONFLOW_TTS_VOICE_NAME="speech:mine:abc:def")
    voice = load("siliconflow").voice("onyx")

    assert voice is not None
    assert voice.name == "speech:mine:abc:def"


async def test_a_refused_key_is_named_by_the_variable_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with SpeechServer() as server:
        set_all(monkeypatch, OPENAI_TTS_API_BASE=server.base_url, OPENAI_TTS_KEY="sk-theirs", OPENAI_TTS_MODEL="401")
        engine = load("openai-tts")
        with pytest.raises(EngineRefused, match="OPENAI_TTS_KEY"):
            await gathered(engine.speak("Hello.", engine.voices[0], 1.0))
        await engine.aclose()


def test_a_services_own_variables_win(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, OPENAI_TTS_KEY="theirs", OPENAI_TTS_MODEL="theirs", OPENAI_API_KEY="shared")
    assert UPSTREAMS.row("openai").api_keys == ("theirs",)

    set_all(monkeypatch, TTS_OPENAI_API_KEY="own", TTS_OPENAI_MODEL="own")
    assert (UPSTREAMS.row("openai").api_keys, UPSTREAMS.row("openai").model) == (("own",), "own")


async def test_edge_prefers_the_voice_of_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, EDGE_TTS_VOICE_NAME="zh-CN-YunyangNeural")
    engine = Edge()

    assert engine.voices[0].name == "zh-CN-YunyangNeural"
    await engine.aclose()
