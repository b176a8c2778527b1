"""The engine `coze` against its imitation; what all providers share is in `contract/test_vendors_llm.py`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from chassis.errors import (
    ApiError,
    BadRequest,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineUnavailable,
    EngineUnpaid,
    EngineWithoutModel,
)
from chassis.settings import SettingError
from imitations.coze import BOT, CHAT, CONVERSATION, KEY, CozeServer
from llm.engines.coze import Coze
from llm.wire import Asked, ChatRequest

HELLO = {"role": "user", "content": "Hello!"}


def load() -> Coze:
    return Coze.load("coze", lambda doing, part: None)


@asynccontextmanager
async def talking(
    monkeypatch: pytest.MonkeyPatch, key: str = KEY, **settings: str
) -> AsyncIterator[tuple[Coze, CozeServer]]:
    async with CozeServer("/x") as server:
        monkeypatch.setenv("COZE_PERSONAL_ACCESS_TOKEN", key)
        monkeypatch.setenv("COZE_BOT_ID", BOT)
        monkeypatch.setenv("LLM_COZE_BASE_URL", server.base_url)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        engine = load()
        try:
            yield engine, server
        finally:
            await engine.aclose()


def asked(*messages: Any, **more: Any) -> Asked:
    body = msgspec.json.encode({"messages": messages or (HELLO,), "stream": True} | more)
    return Asked(msgspec.json.decode(body, type=ChatRequest), body)


async def answer(engine: Coze, question: Asked | None = None) -> tuple[str, str]:
    out = b"".join([piece async for piece in engine.chat(question or asked())])
    data = [line[6:] for line in out.splitlines() if line.startswith(b"data: ")]
    assert data[-1] == b"[DONE]"
    choices = [chunk["choices"][0] for chunk in map(json.loads, data[:-1]) if chunk["choices"]]
    return "".join(each["delta"].get("content") or "" for each in choices), choices[-1]["finish_reason"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (KEY, "Hello little bear."),
        ("mislabelled", "Hello little bear."),
        ("card", "Hi."),
        ("undivided", "Hello."),
        ("twice", "One. Two."),
    ],
)
async def test_words_are_said_once_and_thoughts_tools_and_follow_ups_never(
    monkeypatch: pytest.MonkeyPatch, key: str, words: str
) -> None:
    async with talking(monkeypatch, key) as (engine, server):
        assert await answer(engine) == (words, "stop")
    assert server.seen[0].path == "/x/v3/chat"
    assert server.stopped == []


async def test_the_whole_conversation_is_sent_the_last_question_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        {"role": "system", "content": "You are a bear."},
        HELLO,
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": [{"type": "text", "text": "Again!"}]},
    )
    settings = {"COZE_CUSTOM_VARIABLES": '{"toy": "bear"}', "COZE_SYSTEM_VARIABLE": "role"}
    async with talking(monkeypatch, **settings) as (engine, server):
        await answer(engine, asked(*said, user="anna"))
    body = server.seen[0].json
    assert [(each["role"], each["type"], each["content"]) for each in body["additional_messages"]] == [
        ("user", "question", "Hello!"),
        ("assistant", "answer", "Hi."),
        ("user", "question", "Again!"),
    ]
    assert body["user_id"] == "anna"
    assert body["custom_variables"] == {"toy": "bear", "role": "You are a bear."}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("unknown", EngineRefused),
        ("busy", EngineBusy),
        ("overloaded", EngineBusy),
        ("unpaid", EngineUnpaid),
        ("failed", EngineUnpaid),
        ("unpublished", EngineWithoutModel),
        ("blocked", BadRequest),
        ("within", EngineFailed),
        ("tool", EngineFailed),
        ("page", EngineFailed),
        ("cut", EngineFailed),
        ("endless", EngineFailed),
    ],
)
async def test_troubles_are_what_they_are(monkeypatch: pytest.MonkeyPatch, key: str, kind: type[ApiError]) -> None:
    async with talking(monkeypatch, key) as (engine, _):
        with pytest.raises(kind):
            await answer(engine)


async def test_a_bot_that_is_not_there_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, "unpublished") as (engine, _):
        with pytest.raises(EngineWithoutModel, match="COZE_BOT_ID"):
            await answer(engine)


async def test_a_caller_who_leaves_cancels_the_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, "stall") as (engine, server):
        pieces = engine.chat(asked())
        await anext(pieces)
        await pieces.aclose()
        await asyncio.wait_for(server.seen[0].over.wait(), 30)
    [stopped] = server.stopped
    assert stopped.path == "/x/v3/chat/cancel"
    assert stopped.json == {"chat_id": CHAT, "conversation_id": CONVERSATION}


@pytest.mark.parametrize(
    "address",
    ["https://api.coze.com", "https://api.coze.com/v3/chat", "https://api.coze.com/open_api/v2/chat/"],
)
async def test_folotoys_addresses_are_understood(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    async with talking(monkeypatch, COZE_API_BASE=address) as (engine, server):
        await answer(engine)
    assert server.seen[0].path == "/x/v3/chat"


@pytest.mark.parametrize("missing", ["COZE_PERSONAL_ACCESS_TOKEN", "COZE_BOT_ID"])
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("COZE_PERSONAL_ACCESS_TOKEN", KEY)
    monkeypatch.setenv("COZE_BOT_ID", BOT)
    monkeypatch.delenv(missing)
    with pytest.raises(EngineUnavailable, match=missing):
        load()


def test_variables_that_are_no_object_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COZE_PERSONAL_ACCESS_TOKEN", KEY)
    monkeypatch.setenv("COZE_BOT_ID", BOT)
    monkeypatch.setenv("COZE_CUSTOM_VARIABLES", "toy=bear")
    with pytest.raises(SettingError, match="COZE_CUSTOM_VARIABLES"):
        load()
