"""Every provider behind a gateway that spoils its answers.

What is harmless is answered all the same. The rest is an error of that engine: never silence, nor a mistake of ours.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from chassis.errors import EngineFailed, EngineTimeout
from contract import test_vendors_llm as minds
from contract import test_vendors_stt as ears
from contract import test_vendors_tts as mouths
from imitations.meddler import HARMFUL, HARMLESS, Meddler
from imitations.words import WORDS
from stt.engines import Engine
from tts.sound_service import SoundService

harmful = pytest.mark.parametrize("way", HARMFUL)


@asynccontextmanager
async def listening(
    monkeypatch: pytest.MonkeyPatch, provider: ears.Provider, way: str
) -> AsyncIterator[tuple[Engine, Meddler]]:
    async with provider.server("/x") as server, Meddler(way, server.base_url) as meddler:
        for name, value in provider.environment(provider.key, meddler.base_url).items():
            monkeypatch.setenv(name, value)
        engine = ears.load(provider)
        try:
            yield engine, meddler
        finally:
            await engine.aclose()


@asynccontextmanager
async def speaking(
    monkeypatch: pytest.MonkeyPatch, provider: mouths.Provider, way: str
) -> AsyncIterator[tuple[SoundService, Meddler]]:
    async with mouths.speaking(monkeypatch, provider) as (engine, server), Meddler(way, server.base_url) as meddler:
        monkeypatch.setattr(engine.vendor, "_base_url", meddler.base_url)
        yield engine, meddler


@asynccontextmanager
async def thinking(
    monkeypatch: pytest.MonkeyPatch, provider: minds.Provider, way: str
) -> AsyncIterator[tuple[httpx.AsyncClient, Meddler]]:
    async with AsyncExitStack() as stack:
        meddler = Meddler(way, "")

        async def between(address: str) -> str:
            meddler.target = address
            return (await stack.enter_async_context(meddler)).base_url

        client, _ = await stack.enter_async_context(minds.talking(monkeypatch, provider, between=between))
        yield client, meddler


@ears.every
async def test_ears_hear_in_spite_of_what_is_harmless(monkeypatch: pytest.MonkeyPatch, provider: ears.Provider) -> None:
    async with listening(monkeypatch, provider, "as it is") as (engine, meddler):
        for meddler.way in HARMLESS:
            segments = (await ears.heard(engine)).segments
            assert [each.text for each in segments] == [WORDS], meddler.way


@ears.every
@harmful
async def test_ears_fail_where_nothing_can_be_heard(
    monkeypatch: pytest.MonkeyPatch, provider: ears.Provider, way: str
) -> None:
    async with listening(monkeypatch, provider, way) as (engine, meddler):
        with pytest.raises(EngineFailed):
            await ears.heard(engine)
        assert meddler.asked


@mouths.every
async def test_mouths_speak_in_spite_of_what_is_harmless(
    monkeypatch: pytest.MonkeyPatch, provider: mouths.Provider
) -> None:
    async with speaking(monkeypatch, provider, "as it is") as (engine, meddler):
        length = len(await mouths.spoken(engine))
        for meddler.way in HARMLESS:
            assert len(await mouths.spoken(engine)) == length, meddler.way


@mouths.every
@harmful
async def test_mouths_fail_where_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, provider: mouths.Provider, way: str
) -> None:
    async with speaking(monkeypatch, provider, way) as (engine, meddler):
        with pytest.raises(EngineFailed):
            await mouths.spoken(engine)
        assert meddler.asked


@mouths.every
async def test_a_line_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, provider: mouths.Provider) -> None:
    if provider.name == "dashscope":
        pytest.skip("a WebSocket, whose messages come whole")
    monkeypatch.setattr("tts.sound_service.FIRST_SOUND_SECONDS", 0.5)
    monkeypatch.setattr("tts.sound_service.GAP_SECONDS", 0.5)
    async with speaking(monkeypatch, provider, "drip") as (engine, _):
        with pytest.raises(EngineTimeout):
            await mouths.spoken(engine)


@minds.each_api
async def test_minds_answer_in_spite_of_what_is_harmless(
    monkeypatch: pytest.MonkeyPatch, provider: minds.Provider
) -> None:
    async with thinking(monkeypatch, provider, "as it is") as (client, meddler):
        for meddler.way in HARMLESS:
            assert minds.words(minds.chunks(await minds.asked(client))).startswith("Hello "), meddler.way


@minds.each_api
@harmful
async def test_minds_never_call_it_complete(
    monkeypatch: pytest.MonkeyPatch, provider: minds.Provider, way: str
) -> None:
    async with thinking(monkeypatch, provider, way) as (client, meddler):
        try:
            answer = await minds.asked(client)
        except httpx.RemoteProtocolError:  # it broke off where the caller sees it
            return
        assert meddler.asked
        whole = await minds.asked(client, stream=False)

    assert "[DONE]" not in answer.text
    assert answer.status_code in (200, 502, 504), answer.text
    assert whole.status_code in (502, 503, 504), whole.text
