import json

import pytest
from aiohttp import web

from chassis.errors import EngineFailed, EngineRefused, EngineUnavailable
from contract.test_vendors_tts import PROVIDERS, speaking, spoken
from tts.engines.dashscope_tts import DashscopeTts

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "dashscope")


async def test_the_next_clause_waits_for_no_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        first, second = await spoken(engine), await spoken(engine)

    assert (len(first), server.connections) == (len(second), 1)  # type: ignore[attr-defined]


async def test_a_kept_connection_that_was_closed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER, "forgetful") as (engine, server):
        assert len(await spoken(engine)) == len(await spoken(engine)) > 48_000

    assert server.connections == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "kind"), [("expired", EngineRefused), ("early", EngineFailed), ("noise", EngineFailed)]
)
async def test_what_else_may_come_instead_of_sound(
    monkeypatch: pytest.MonkeyPatch, key: str, kind: type[Exception]
) -> None:
    async with speaking(monkeypatch, PROVIDER, key) as (engine, _):
        with pytest.raises(kind):
            await spoken(engine)


async def test_a_redirect_is_not_followed_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = []

    async def elsewhere(server: object, request: web.Request) -> web.StreamResponse:
        followed.append(request.path)
        raise web.HTTPFound("/elsewhere")

    monkeypatch.setattr(PROVIDER.server, "_connected", elsewhere)
    async with speaking(monkeypatch, PROVIDER) as (engine, _):
        with pytest.raises(EngineFailed, match="points elsewhere"):
            await spoken(engine)

    assert followed == ["/x/api-ws/v1/inference"]


async def test_settings_reach_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_TTS_INSTRUCTION", "你说话的情感是happy。")
    monkeypatch.setenv("DASHSCOPE_TTS_VOICE", "longanyang")
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        await spoken(engine, speed=1.25)

    asked = json.loads(server.seen[-1].body)["payload"]
    assert asked["model"] == "cosyvoice-v3-flash"
    assert asked["parameters"]["voice"] == "longanyang"
    assert asked["parameters"]["rate"] == 1.25
    assert asked["parameters"]["instruction"] == "你说话的情感是happy。"


@pytest.mark.parametrize(
    ("model", "voice"),
    [("cosyvoice-v2", "longxiaochun_v2"), ("qwen-audio-3.0-tts-plus", "longanlingxin"), ("", "longanhuan")],
)
def test_voices_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch, model: str, voice: str) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    monkeypatch.setenv("TTS_DASHSCOPE_MODEL", model)

    assert DashscopeTts.load("dashscope", lambda doing, part: None).voices[0].name == voice


def test_a_model_whose_voices_are_unknown_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    monkeypatch.setenv("TTS_DASHSCOPE_MODEL", "cosyvoice-v3.5-plus")
    with pytest.raises(EngineUnavailable, match="DASHSCOPE_TTS_VOICE"):
        DashscopeTts.load("dashscope", lambda doing, part: None)

    monkeypatch.setenv("DASHSCOPE_TTS_VOICE", "mine-7")
    assert [voice.name for voice in DashscopeTts.load("dashscope", lambda doing, part: None).voices] == ["mine-7"]
