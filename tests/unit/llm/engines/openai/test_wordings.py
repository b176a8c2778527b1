"""Refusals of one part of a request: however they are worded, the question is asked again without that part."""

import json
import re
from typing import Any

import msgspec
import pytest

from chassis.errors import Declined, EngineWithoutModel
from imitations.upstream import Manner, Upstream
from imitations.vendors import Refusal
from imitations.wordings import CASES, REFUSED, SCHEMA, TALK, TOOLS, Part, body_of
from llm.wire import Asked
from unit.llm.engines.openai.rows import row
from unit.llm.engines.openai.test_engine import asked
from unit.llm.engines.openai.test_manners import error, refuses
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service

MOST_REQUESTS = 4
CASE_IDS = [f"{name}, {number}" for name, _, number in CASES]


def last(**fields: Any) -> Asked:
    """Return a request that no other model would be asked."""
    return msgspec.structs.replace(asked(**fields), is_last=True)


@pytest.mark.parametrize(("name", "part", "number"), CASES, ids=CASE_IDS)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_refused_goes_whatever_the_words(name: str, part: Part, number: int, stream: bool) -> None:
    judge = refuses(part.has, body_of(part.wordings[number]))
    async with Upstream(judge=judge) as upstream, row(upstream, "openai") as engine:
        for _ in range(2):
            assert [piece async for piece in engine.chat(last(stream=stream, **part.request))]

    assert part.has(upstream.seen[0].json), "the case says nothing"
    assert 3 <= len(upstream.seen) <= MOST_REQUESTS + 1
    words = [
        message["content"] for message in part.request.get("messages", ()) if message["role"] in ("user", "system")
    ]
    asked_last = json.dumps(upstream.seen[-1].json["messages"], ensure_ascii=False)
    assert all(word in asked_last for word in words if isinstance(word, str))


def refused(name: str) -> Manner:
    return Refusal("any", "cannot", 400, body_of(REFUSED[name].wordings[0])).manner


async def test_a_model_behind_that_calls_tools_is_asked_before_they_are_given_up() -> None:
    following = FakeEngine(EVENT, DONE)
    judge = refuses(REFUSED["tools"].has, body_of(REFUSED["tools"].wordings[0]))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        response = await ask(service(up=engine, next=following), **TOOLS)
        alone = await ask(service(up=engine), **TOOLS)
        again = await ask(service(up=engine, next=following), **TOOLS)

    assert [each.headers["x-talkbox-engine"] for each in (response, alone, again)] == ["next", "up", "next"]
    assert [len(seen.json.get("tools", ())) for seen in upstream.seen] == [1, 1, 0, 1]


@pytest.mark.parametrize("forced", ["required", {"type": "function", "function": {"name": "light"}}])
async def test_a_forced_call_is_not_answered_in_words_by_a_server_without_tools(forced: Any) -> None:
    async with Upstream(refused("tools")) as upstream, row(upstream) as engine:
        with pytest.raises(Declined):
            assert [piece async for piece in engine.chat(last(**TOOLS, tool_choice=forced))]


async def test_what_was_learnt_of_schemas_changes_no_plain_question() -> None:
    judge = refuses(REFUSED["a schema"].has, body_of(REFUSED["a schema"].wordings[0]))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**SCHEMA))]
        assert [piece async for piece in engine.chat(asked())]

    assert "response_format" not in upstream.seen[-1].json


@pytest.mark.parametrize("name", ["JSON", "JSON without the word"])
async def test_where_json_is_not_to_be_had_by_a_field_it_is_asked_for_in_words(name: str) -> None:
    part = REFUSED[name]
    async with Upstream(judge=refuses(part.has, body_of(part.wordings[0]))) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**part.request))]
        assert [piece async for piece in engine.chat(asked())]

    first, plain = upstream.seen[-2].json, upstream.seen[-1].json
    assert first["messages"][0]["content"].endswith("Answer with one JSON object and nothing else.")
    assert plain["messages"] == asked().wanted.messages or "JSON" not in json.dumps(plain["messages"])


@pytest.mark.parametrize("status", [400, 404, 500])
@pytest.mark.parametrize(
    "message",
    [
        "This model is only supported in v1/responses and not in v1/chat/completions.",
        'model "gpt-5-codex" is not accessible via the /chat/completions endpoint',
        "gpt-5-codex must be used with the Responses API",
        "Please use /v1/responses for this model.",
        "The model 'm' is only available through the Responses API",
        "This model can only be used with the Realtime API.",
        "This model only supports the /v1/embeddings endpoint",
        "Model m is not a chat model",
        "The model `m` does not support chat completions",
        "m doesn't support chat",
        "current user api does not support http call.",
        "该模型仅支持 /v1/responses 接口",
    ],
)
async def test_a_model_that_is_asked_in_another_way_is_the_operators_to_change(message: str, status: int) -> None:
    async with Upstream(Refusal("any", "no model", status, error(message)).manner) as upstream, row(upstream) as engine:
        with pytest.raises(EngineWithoutModel, match=re.escape(message)) as failed:
            assert [piece async for piece in engine.chat(asked())]
        response = await ask(service(up=engine, next=FakeEngine(EVENT, DONE)))

    assert "Set LLM_UP_MODEL" in str(failed.value)
    assert response.headers["x-talkbox-engine"] == "next"
    assert len(upstream.seen) == 2


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"reasoning_effort": "low"},
            "Tools with reasoning_effort are not supported in chat completions; use /v1/responses.",
        ),
        ({"stop": ["X"]}, "The stop parameter is not supported by this model in chat completions."),
    ],
)
async def test_a_part_that_is_taken_elsewhere_goes_here(part: dict[str, Any], message: str) -> None:
    judge = refuses(lambda request: bool(part.keys() & request.keys()), error(message))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**part))]


async def test_a_limit_below_the_least_is_left_out_of_that_request_alone() -> None:
    message = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 5 instead."
    judge = refuses(
        lambda request: 5 in (request.get("max_tokens"), request.get("max_completion_tokens")),
        error(message, param="max_output_tokens", code="integer_below_min_value"),
    )
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(max_tokens=5))]
        assert [piece async for piece in engine.chat(asked(max_tokens=50))]

    assert upstream.seen[-1].json["max_tokens"] == 50


async def test_a_refusal_that_names_nothing_costs_a_plain_talk_no_form() -> None:
    async with Upstream(Manner(status=400, body=b"")) as upstream, row(upstream) as engine:
        with pytest.raises(Declined):
            assert [piece async for piece in engine.chat(asked(**TALK))]

    assert all(seen.json["messages"] == TALK["messages"] for seen in upstream.seen)
