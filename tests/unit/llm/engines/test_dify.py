"""The engine `dify` against its imitation."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from chassis.errors import ApiError, Declined, EngineBusy, EngineFailed, EngineRefused, EngineUnavailable, EngineUnpaid
from imitations.dify import CONVERSATION, KEY, TASK, DifyServer
from llm.engines.dify import Dify
from llm.wire import Asked, ChatRequest

HELLO = {"role": "user", "content": "Hello!"}


@asynccontextmanager
async def talking(monkeypatch: pytest.MonkeyPatch, key: str = KEY) -> AsyncIterator[tuple[Dify, DifyServer]]:
    async with DifyServer("/x") as server:
        monkeypatch.setenv("DIFY_KEY", key)
        monkeypatch.setenv("LLM_DIFY_BASE_URL", server.base_url)
        engine = Dify.load("dify", lambda doing, part: None)
        try:
            yield engine, server
        finally:
            await engine.aclose()


def asked(*messages: Any, **more: Any) -> Asked:
    body = msgspec.json.encode({"messages": messages or (HELLO,), "stream": True} | more)
    return Asked(msgspec.json.decode(body, type=ChatRequest), body)


async def chunks(engine: Dify, question: Asked) -> list[Any]:
    out = b"".join([piece async for piece in engine.chat(question)])
    data = [line[6:] for line in out.splitlines() if line.startswith(b"data: ")]
    assert data[-1] == b"[DONE]"
    return [json.loads(each) for each in data[:-1]]


async def answer(engine: Dify, question: Asked | None = None) -> tuple[str, str]:
    choices = [chunk["choices"][0] for chunk in await chunks(engine, question or asked()) if chunk["choices"]]
    return "".join(each["delta"].get("content") or "" for each in choices), choices[-1]["finish_reason"]


@pytest.mark.parametrize(
    ("key", "words", "reason"),
    [
        (KEY, "Hello little bear.", "stop"),
        ("mislabelled", "Hello little bear.", "stop"),
        ("repeats", "Hello bear.", "stop"),
        ("echo", "haha!", "stop"),
        ("replaced", "Let us talk of bears.", "stop"),
        ("late", "Hello ", "content_filter"),
    ],
)
async def test_words_are_said_once_and_thoughts_never(
    monkeypatch: pytest.MonkeyPatch, key: str, words: str, reason: str
) -> None:
    async with talking(monkeypatch, key) as (engine, server):
        assert await answer(engine) == (words, reason)
    assert server.seen[0].path == "/x/v1/chat-messages"


async def test_a_whole_answer_has_the_counts_of_dify(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch) as (engine, _):
        whole = json.loads(b"".join([piece async for piece in engine.chat(asked(stream=False))]))
    assert whole["choices"][0]["message"]["content"] == "Hello little bear."
    assert whole["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


async def test_each_user_keeps_a_conversation_and_nobody_shares_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (HELLO, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "Again!"})
    async with talking(monkeypatch) as (engine, server):
        for user in ("anna", "anna", "ben", None, None):
            await answer(engine, asked(*said, **({"user": user} if user else {})))
    bodies = [seen.json for seen in server.seen]
    assert [body["conversation_id"] for body in bodies] == ["", CONVERSATION, "", "", ""]
    assert bodies[1]["query"] == "Again!"
    assert bodies[0]["query"] == bodies[4]["query"] == "User: Hello!\nYou: Hi.\nUser: Again!"


async def test_a_conversation_that_dify_forgot_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch) as (engine, server):
        await answer(engine, asked(user="anna"))
        server.forgets = True
        assert (await answer(engine, asked(user="anna")))[0] == "Hello little bear."
    assert [seen.json["conversation_id"] for seen in server.seen] == ["", CONVERSATION, ""]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("unknown", EngineRefused),
        ("busy", EngineBusy),
        ("unpaid", EngineUnpaid),
        ("quota", EngineUnpaid),
        ("within", EngineUnpaid),
        ("off", EngineFailed),
        ("broken", EngineFailed),
        ("page", EngineFailed),
        ("cut", EngineFailed),
        ("endless", EngineFailed),
    ],
)
async def test_troubles_are_what_they_are(monkeypatch: pytest.MonkeyPatch, key: str, kind: type[ApiError]) -> None:
    async with talking(monkeypatch, key) as (engine, _):
        with pytest.raises(kind) as caught:
            await answer(engine)
    assert "app-secret" not in str(caught.value)


async def test_a_refused_key_rests_and_the_next_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, f"unknown,within,{KEY}") as (engine, _):
        assert (await answer(engine))[0] == "Hello little bear."
        assert engine.detail == "2 of 3 keys rest"


async def test_a_caller_who_leaves_stops_the_work_at_dify(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, "stall") as (engine, server):
        asking = asyncio.create_task(answer(engine, asked(user="anna")))
        while not server.seen:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        asking.cancel()
        await asyncio.wait([asking])
    [stopped] = server.stopped
    assert stopped.path == f"/x/v1/chat-messages/{TASK}/stop"
    assert stopped.json == {"user": "anna"}


async def test_an_answer_that_is_closed_in_the_middle_stops_the_work_at_dify(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, "stall") as (engine, server):
        pieces = engine.chat(asked())
        await anext(pieces)
        await pieces.aclose()
    assert len(server.stopped) == 1


async def test_what_it_cannot_do_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch) as (engine, server):
        for more in ({"n": 2}, {"tool_choice": "required"}, {"response_format": {"type": "json_object"}}):
            with pytest.raises(Declined):
                await answer(engine, asked(**more))
    assert server.seen == []


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIFY_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match="DIFY_KEY"):
        Dify.load("dify", lambda doing, part: None)
