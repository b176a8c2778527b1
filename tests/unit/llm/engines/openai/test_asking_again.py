"""What is asked once more, and how: with another key, without a field, with half of a history."""

from typing import Any

import pytest

from chassis.errors import (
    EngineMisconfigured,
    EngineUnpaid,
)
from imitations.upstream import Manner, Upstream
from imitations.vendors import JUDGES, Judge, Refusal, deepseek, mistral, xai
from unit.llm.engines.openai.rows import FOLOTOY, first, row
from unit.llm.engines.openai.test_engine import asked
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service


@pytest.mark.parametrize(
    ("judge", "request_fields", "gone", "kept"),
    [
        (JUDGES["openai"], FOLOTOY, {"temperature", "top_p", "max_tokens"}, {"max_completion_tokens": 200}),
        (JUDGES["anthropic"], FOLOTOY, {"top_p"}, {"temperature": 0.7, "max_tokens": 200}),
        (JUDGES["moonshot"], FOLOTOY, {"temperature"}, {"top_p": 0.95, "max_tokens": 200}),
        (xai, FOLOTOY, {"frequency_penalty", "presence_penalty"}, {"temperature": 0.7, "top_p": 0.95}),
        (JUDGES["gemini"], FOLOTOY, {"frequency_penalty", "presence_penalty"}, {"temperature": 0.7}),
        (mistral, {"max_completion_tokens": 50}, {"max_completion_tokens"}, {"max_tokens": 50}),
        (
            mistral,
            {"stream": True, "stream_options": {"include_usage": True}, "reasoning_effort": "low"},
            {"stream_options", "reasoning_effort"},
            {},
        ),
    ],
)
async def test_a_refused_field_is_left_out_or_put_as_it_is_wanted(
    judge: Judge, request_fields: dict[str, Any], gone: set[str], kept: dict[str, Any]
) -> None:
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        for _ in range(2):
            assert [piece async for piece in engine.chat(asked(**request_fields))]
        first, last = upstream.seen[0].json, upstream.seen[-1].json
        learnt = engine.detail

    assert len(upstream.seen) == 2 + len(gone)
    assert gone <= first.keys()
    assert not gone & last.keys()
    assert kept.items() <= last.items()
    assert learnt is not None
    assert learnt.startswith("asks m without ")


async def test_a_role_and_parts_that_are_not_known_are_put_as_strings_of_the_system() -> None:
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "kind."}]},
        {"role": "user", "content": [{"type": "text", "text": "Hi."}]},
    ]
    async with Upstream(judge=deepseek) as upstream, row(upstream, "openai") as engine:
        assert [piece async for piece in engine.chat(asked(messages=messages))]

    assert upstream.seen[-1].json["messages"] == [
        {"role": "system", "content": "Be\nkind."},
        {"role": "user", "content": "Hi."},
    ]


async def test_a_caller_who_says_top_p_gets_no_temperature_beside_it() -> None:
    async with Upstream(judge=JUDGES["anthropic"]) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(top_p=0.9))]

    assert len(upstream.seen) == 1
    assert "temperature" not in upstream.seen[0].json


@pytest.mark.parametrize(
    "refusal",
    [first("gemini", "refused", 400), first("anthropic", "unpaid", 400), first("siliconflow", "unpaid", 403)],
    ids=lambda each: each.vendor,
)
async def test_the_second_key_is_tried_whatever_status_the_first_is_refused_with(refusal: Refusal) -> None:
    refuses_first = {"Bearer sk-secret-1234567": refusal.manner}
    async with Upstream(keys=refuses_first) as upstream, row(upstream, more_keys=("sk-other",)) as engine:
        assert [piece async for piece in engine.chat(asked())]
        assert engine.detail == "1 of 2 keys rest"


async def test_a_key_that_is_refused_inside_a_200_rests_alone() -> None:
    manner = first("minimax", "unpaid", 200).manner
    keys = {"Bearer sk-secret-1234567": manner}
    async with Upstream(keys=keys) as upstream, row(upstream, more_keys=("sk-other",)) as engine:
        with pytest.raises(EngineUnpaid) as caught:
            assert [piece async for piece in engine.chat(asked())]
        assert caught.value.rest_seconds == 0, "the engine itself need not rest"
        for _ in range(2):
            assert [piece async for piece in engine.chat(asked())]

    assert [seen.headers["authorization"][-5:] for seen in upstream.seen] == ["34567", "other", "other"]


LONG_TALK = [
    {"role": "system", "content": "You are a bear."},
    *({"role": role, "content": f"{number} " + "word " * 50} for number in range(8) for role in ("user", "assistant")),
    {"role": "user", "content": "And now?"},
]


def forgetful(most: int) -> Judge:
    """Refuse conversations of more than so many messages."""

    def judge(request: dict[str, Any]) -> Manner | None:
        return None if len(request["messages"]) <= most else first("vllm", "too long", 400).manner

    return judge


async def test_a_talk_that_is_too_long_is_asked_once_more_with_half_its_history() -> None:
    async with Upstream(judge=forgetful(12)) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(messages=LONG_TALK))]

    whole, half = (seen.json["messages"] for seen in upstream.seen)
    assert whole == LONG_TALK
    assert half[0] == LONG_TALK[0]
    assert half[1:] == LONG_TALK[-len(half) + 1 :], "the newest stay"
    assert half[1]["role"] == "user"
    assert len(half) <= len(whole) // 2 + 2


async def test_half_a_talk_that_is_still_too_long_is_the_next_engines() -> None:
    following = FakeEngine(EVENT, DONE)
    async with Upstream(judge=forgetful(3)) as upstream, row(upstream) as engine:
        response = await ask(service(up=engine, next=following), messages=LONG_TALK)

    assert response.headers["x-talkbox-engine"] == "next"
    assert len(upstream.seen) == 2


async def test_a_single_question_that_is_too_long_is_asked_once() -> None:
    async with Upstream(judge=forgetful(0)) as upstream, row(upstream) as engine:
        response = await ask(service(up=engine))

    assert (response.status_code, response.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert len(upstream.seen) == 1


def schemaless(request: dict[str, Any]) -> Manner | None:
    """Refuse a JSON schema as DeepSeek does."""
    if (request.get("response_format") or {}).get("type") == "json_schema":
        body = {"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}}
        return Refusal("deepseek", "cannot", 400, body).manner
    return None


SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}


async def test_where_no_schema_is_known_the_shape_is_told_in_words() -> None:
    async with Upstream(judge=schemaless) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(response_format=SCHEMA))]

    again = upstream.seen[-1].json
    assert again["response_format"] == {"type": "json_object"}
    assert again["messages"][0]["role"] == "system"
    assert again["messages"][0]["content"].endswith('JSON schema: {"type":"object"}')


def knows_schemas_only(body: dict[str, Any]) -> Manner | None:
    """Refuse a JSON object without a schema as LM Studio does."""
    if body["response_format"]["type"] == "json_object":
        return Refusal("", "cannot", 400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}).manner
    return None


async def test_where_only_schemas_are_known_an_object_is_asked_for_by_one() -> None:
    async with Upstream(judge=knows_schemas_only) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(response_format={"type": "json_object"}))]

    assert upstream.seen[-1].json["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_a_limit_beyond_the_range_is_left_out_of_that_request_alone() -> None:
    def judge(body: dict[str, Any]) -> Manner | None:
        limit = body.get("max_tokens", body.get("max_completion_tokens", 0))
        message = "Invalid max_tokens value, the valid range of max_tokens is [1, 100]"
        return Refusal("", "cannot", 400, {"error": {"message": message}}).manner if limit > 100 else None

    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(max_tokens=5000))]
        assert [piece async for piece in engine.chat(asked(max_tokens=50))]

    assert not {"max_tokens", "max_completion_tokens"} & upstream.seen[-2].json.keys()
    assert upstream.seen[-1].json["max_tokens"] == 50


@pytest.mark.parametrize(
    ("fields", "message", "param"),
    [
        (
            {"response_format": SCHEMA},
            "Invalid schema: 'x' is not permitted.",
            "response_format",
        ),
        (
            {"response_format": SCHEMA},
            "JSON schema error at #: unsupported $ref nowhere, see response_format",
            "response_format",
        ),
        ({"stop": ["a"]}, "'stop' must not be longer than 4", "stop"),
        ({}, "messages with role 'tool' must follow a message with 'tool_calls'", "messages.[1].role"),
    ],
)
async def test_what_every_engine_would_refuse_is_the_callers_mistake(
    fields: dict[str, Any], message: str, param: str
) -> None:
    following = FakeEngine(EVENT, DONE)
    body = {"error": {"message": message, "type": "invalid_request_error", "param": param}}
    manner = Refusal("openai", "cannot", 400, body).manner
    async with Upstream(manner) as upstream, row(upstream) as engine:
        response = await ask(service(up=engine, next=following), **fields)

    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert (len(upstream.seen), len(following.asked)) == (1, 0)


async def test_a_field_of_the_operators_that_is_refused_is_no_mistake_of_the_callers() -> None:
    body = {"error": {"message": "wish: this value is wrong", "param": "wish"}}
    manner = Refusal("up", "cannot", 400, body).manner
    following = FakeEngine(EVENT, DONE)
    async with Upstream(manner) as upstream, row(upstream, extra='{"wish": "x"}') as engine:
        response = await ask(service(up=engine, next=following))
        with pytest.raises(EngineMisconfigured, match="LLM_UP_EXTRA"):
            assert [piece async for piece in engine.chat(asked())]

    assert response.headers["x-talkbox-engine"] == "next"


async def test_a_value_beyond_its_range_says_nothing_of_the_next_callers() -> None:
    def judge(request: dict[str, Any]) -> Manner | None:
        body = {"error": {"message": "temperature must be between 0 and 1", "param": "temperature"}}
        return Refusal("up", "cannot", 400, body).manner if request.get("temperature", 0) > 1 else None

    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        for temperature in (1.5, 0.5):
            assert [piece async for piece in engine.chat(asked(temperature=temperature))]
        assert engine.detail is None

    assert [seen.json.get("temperature") for seen in upstream.seen] == [1.5, None, 0.5]


async def test_a_system_role_that_is_refused_joins_the_first_message() -> None:
    def judge(request: dict[str, Any]) -> Manner | None:
        body = {"error": {"message": "System role not supported", "type": "BadRequestError", "code": 400}}
        has = any(message["role"] == "system" for message in request["messages"])
        return Refusal("vllm", "cannot", 400, body).manner if has else None

    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi."}]
    async with Upstream(judge=judge) as upstream, row(upstream, system_prompt="Be short.") as engine:
        assert [piece async for piece in engine.chat(asked(messages=messages))]

    assert upstream.seen[-1].json["messages"] == [{"role": "user", "content": "Be short.\n\nBe kind.\n\nHi."}]
