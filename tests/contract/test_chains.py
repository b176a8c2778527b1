"""Six providers in a chain of a service that runs by itself: five fail, each otherwise; the sixth answers in time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from contract import test_vendors_stt as ears
from contract import test_vendors_tts as mouths
from fixtures import sounds
from fixtures.serving import process
from imitations.dify import KEY as DIFY_KEY
from imitations.dify import DifyServer
from imitations.upstream import MANNERS, Upstream
from imitations.words import WORDS
from unit.tts.fakes import Heard

SILENT = -1
"""Instead of a turn: all five say nothing at all."""
TOY_SECONDS = 5.0
"""folotoy-server gives up after so long."""
ORDERS = pytest.mark.parametrize("turn", [0, 2, 4, SILENT])
EARS = {
    "azure-stt": "hangs",
    "elevenlabs": "unknown",
    "dify-stt": "busy",
    "cf-workers-ai-asr": "cut",
    "volcengine-asr": "page",
}
MOUTHS = {
    "azure-tts": "hangs",
    "minimax-tts": "unknown",
    "volcengine-tts": "busy",
    "elevenlabs": "cut-at-once",
    "inworld-tts": "page",
}
MINDS = {"openai": "silent", "deepseek": "401", "zhipu": "429", "moonshot": "cut-in-an-event", "siliconflow": "html"}


def turned(failing: dict[str, str], turn: int) -> dict[str, str]:
    """Return the same engines, another one first; or, for `SILENT`, all failing as the first does."""
    if turn == SILENT:
        return dict.fromkeys(failing, next(iter(failing.values())))
    names = [*failing][turn:] + [*failing][:turn]
    return {name: failing[name] for name in names}


@asynccontextmanager
async def running(service: str, environ: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service in a process of its own."""
    async with AsyncExitStack() as stack:
        started = process(service, **environ)
        base = (await asyncio.to_thread(started.__enter__)).base
        stack.push_async_callback(asyncio.to_thread, started.__exit__, None, None, None)
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=TOY_SECONDS))


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
@ORDERS
async def test_ears(turn: int) -> None:
    known = {provider.name: provider for provider in ears.PROVIDERS}
    failing = turned(EARS, turn)
    async with AsyncExitStack() as stack:
        environ = {"STT_ENGINES": ",".join([*failing, "dashscope"])}
        for name, key in {**failing, "dashscope": known["dashscope"].key}.items():
            server = await stack.enter_async_context(known[name].server("/x"))
            environ |= known[name].environment(key, server.base_url)
        client = await stack.enter_async_context(running("stt", environ))
        began = time.monotonic()
        recording = sounds.wav(ears.SPOKEN)
        answer = await client.post(
            "/v1/audio/transcriptions", files={"file": ("a.wav", recording)}, data={"model": "whisper-1"}
        )
        seconds = time.monotonic() - began

    assert (answer.status_code, answer.headers["x-talkbox-engine"]) == (200, "dashscope"), answer.text
    assert answer.json()["text"] == WORDS
    assert seconds < TOY_SECONDS


@ORDERS
async def test_mouths(turn: int) -> None:
    known = {provider.name: provider for provider in mouths.PROVIDERS}
    failing = turned(MOUTHS, turn)
    async with AsyncExitStack() as stack:
        environ = {"TTS_ENGINES": ",".join([*failing, "dashscope"])}
        for name, key in {**failing, "dashscope": known["dashscope"].key}.items():
            provider = known[name]
            server = await stack.enter_async_context(provider.server("/x"))
            environ |= {**provider.more, provider.key_variable: key, provider.base_variable: server.base_url}
        client = await stack.enter_async_context(running("tts", environ))
        began = time.monotonic()
        answer = await client.post(
            "/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": "Hello, bear!"}
        )
        seconds = time.monotonic() - began

    assert (answer.status_code, answer.headers["x-talkbox-engine"]) == (200, "dashscope"), answer.text
    assert Heard(answer.content).seconds > 0.5
    assert seconds < TOY_SECONDS


@ORDERS
async def test_minds(turn: int) -> None:
    failing = turned(MINDS, turn)
    async with AsyncExitStack() as stack:
        environ = {"LLM_ENGINES": ",".join([*failing, "dify"])}
        for name, manner in failing.items():
            upstream = await stack.enter_async_context(Upstream(MANNERS[manner]))
            environ |= {f"LLM_{name.upper()}_BASE_URL": upstream.base_url, f"LLM_{name.upper()}_API_KEY": "key-0000"}
        dify = await stack.enter_async_context(DifyServer("/x"))
        environ |= {"DIFY_KEY": DIFY_KEY, "LLM_DIFY_BASE_URL": dify.base_url}
        client = await stack.enter_async_context(running("llm", environ))
        began = time.monotonic()
        asked = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        answer = await client.post("/v1/chat/completions", json=asked)
        seconds = time.monotonic() - began

    assert answer.status_code == 200, answer.text
    assert answer.headers.get("x-talkbox-engine", "dify") == "dify"  # headers that leave early cannot name it
    assert "little bear" in answer.text
    assert answer.text.rstrip().endswith("data: [DONE]")
    assert seconds < TOY_SECONDS
