"""Blocks of folotoy-server's compose file, put into `.env` as they are: the provider that a block names answers.

The lines are as they stand under `environment:`, with blanks, quotation marks and comments; the imitations are local.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from deploy.env_file import parse_env
from deploy.provider_variables import set_variables

from contract import test_vendors_stt as ears
from contract import test_vendors_tts as mouths
from fixtures import sounds
from fixtures.serving import process
from imitations import aliyun, coze, dify
from imitations.words import WORDS
from unit.tts.fakes import Heard

BLOCKS = f"""
      # ---------------- STT ----------------
      STT_TYPE: azure-stt
      AZURE_STT_KEY: "azure-secret-1234567"
      AZURE_STT_SERVICE_REGION: eastasia
      # VOLCENGINE_ASR_APP_ID:
      # ---------------- LLM ----------------
      LLM_TYPE: coze
      COZE_PERSONAL_ACCESS_TOKEN: {coze.KEY}
      COZE_BOT_ID: "{coze.BOT}"
      DIFY_API_BASE: https://api.dify.ai/v1
      DIFY_KEY: '{dify.KEY}'
      # ---------------- TTS ----------------
      TTS_TYPE: aliyun-tts
      ALIYUN_TTS_ACCESS_KEY_ID: LTAI-hush-1234567
      ALIYUN_TTS_ACCESS_KEY_SECRET: {aliyun.SECRET}
      ALIYUN_TTS_APP_KEY: app-7
      ALIYUN_TTS_REGION_ID: cn-shanghai
      ALIYUN_TTS_VOICE_ID: "ruoxi"
      VOLCENGINE_TTS_APP_ID: "1234567890"
      VOLCENGINE_TTS_ACCESS_TOKEN: volcengine-secret-1234567
      VOLCENGINE_TTS_CLUSTER_ID: volcano_tts
"""


def environment(**ours: str) -> dict[str, str]:
    """Return what a `.env` means that holds a chain, the blocks and addresses of imitations."""
    lines = [f"{name}={value}" for name, value in ours.items()]
    return parse_env("\n".join(lines) + BLOCKS, {})


@asynccontextmanager
async def client(service: str, server: Any, base_variable: str, chain: str) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a service that has these lines, and reaches the provider at its imitation."""
    async with AsyncExitStack() as stack:
        imitation = await stack.enter_async_context(server("/x"))
        environ = environment(**{base_variable: imitation.base_url, f"{service.upper()}_ENGINES": chain})
        started = process(service, **environ)
        base = (await asyncio.to_thread(started.__enter__)).base
        stack.push_async_callback(asyncio.to_thread, started.__exit__, None, None, None)
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=30))


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
async def test_ears() -> None:
    known = next(each for each in ears.PROVIDERS if each.name == "azure-stt")
    async with client("stt", known.server, known.base_variable, "sphinx") as stt:
        files = {"file": ("a.wav", sounds.wav(ears.SPOKEN))}
        answer = await stt.post("/v1/audio/transcriptions", files=files, data={"model": "whisper-1", "language": "en"})

    assert (answer.headers["x-talkbox-engine"], answer.json()["text"]) == ("azure-stt", WORDS)


@pytest.mark.parametrize(
    ("server", "engine", "chain"),
    [(coze.CozeServer, "coze", "companion"), (dify.DifyServer, "dify", "dify,companion,coze")],
)
async def test_minds(server: Any, engine: str, chain: str) -> None:
    async with client("llm", server, f"LLM_{engine.upper()}_BASE_URL", chain) as llm:
        asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
        answer = await llm.post("/v1/chat/completions", json=asked)

    assert answer.headers["x-talkbox-engine"] == engine, answer.text
    assert "little bear" in answer.text


@pytest.mark.parametrize(("engine", "chain"), [("aliyun-tts", "espeak"), ("volcengine-tts", "volcengine-tts,espeak")])
async def test_mouths(engine: str, chain: str) -> None:
    known = next(each for each in mouths.PROVIDERS if each.name == engine)
    async with client("tts", known.server, known.base_variable, chain) as tts:
        model = "tts-1" if engine == "aliyun-tts" else engine
        answer = await tts.post("/v1/audio/speech", json={"model": model, "voice": "alloy", "input": "你好，小熊。"})

    assert answer.headers["x-talkbox-engine"] == engine
    assert Heard(answer.content).seconds > 0.2


def test_each_line_is_understood_or_a_word_says_what_to_do_instead() -> None:
    found = {variable: (owner, remedy) for variable, owner, remedy in set_variables(environment())}

    assert set(environment()) == set(found)
    assert all(owner or remedy for owner, remedy in found.values())
    assert found["STT_TYPE"][0] == "stt"
    assert found["ALIYUN_TTS_VOICE_ID"][0] == "tts aliyun-tts"
