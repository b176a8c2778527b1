"""Refusals as other frameworks word and wrap them: whatever the manner, the question is asked again as it is wanted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chassis.errors import Declined, EngineFailed
from imitations.upstream import Manner, Upstream
from imitations.vendors import Judge, Refusal
from unit.llm.engines.openai.rows import FOLOTOY, row
from unit.llm.engines.openai.test_engine import asked
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service

Fields = dict[str, Any]


def error(message: str, **more: Any) -> Fields:
    return {"error": {"message": message, "type": "invalid_request_error"} | more}


UNSUPPORTED = error("Unsupported parameter: 'top_p' is not supported with this model.", param="top_p")
REFUSED_TOP_P = [
    *(UNSUPPORTED, [UNSUPPORTED], {"error": UNSUPPORTED}, {"detail": UNSUPPORTED}, {"error": json.dumps(UNSUPPORTED)}),
    error(json.dumps(UNSUPPORTED)),
    error("Unrecognized request argument supplied: top_p"),
    error("top_p must be one of [1.0]"),
    error("`top_p` is deprecated for this model."),
    error("参数错误：top_p 取值范围为(0, 0.9]"),
    error("top_p はサポートされていません"),
    error("topP is not supported"),
    error("Top P is not supported by this model"),
    error("temperature and top_p are mutually exclusive", param="None"),
    error("litellm.UnsupportedParamsError: openai does not support parameters: ['top_p'], for model=m"),
    *(error("bad", param=place) for place in ("/top_p", "#/top_p", "$.top_p", "body.top_p", ["body", "top_p"])),
    *({"message": "bad", name: "top_p"} for name in ("parameter", "field", "argument")),
    {"errors": [{"status": "422", "source": {"pointer": "/top_p"}, "title": "Invalid", "detail": "is not supported"}]},
    {"errors": ["top_p is not supported"]},
    {"errors": {"top_p": ["is not permitted"]}},
    {"detail": ["top_p: not supported"]},
    {"detail": {"loc": ["body", "top_p"], "msg": "extra"}},
    {"detail": [{"type": "less_than_equal", "loc": ["body", "top_p"], "msg": "Input should be less than 0.9"}]},
    {"error": "ValidationError", "message": '"top_p" is not allowed'},
    {"statusCode": 400, "error": "Bad Request", "message": "body must NOT have additional properties: top_p"},
    error("validation failed", details=[{"instancePath": "/top_p", "message": "must be <= 0.9"}]),
    error("Invalid", details=[{"@type": "rpc.BadRequest", "fieldViolations": [{"field": "top_p"}]}]),
    b'json: unknown field "top_p"',
    b"unknown field `top_p`, expected one of `model`, `temperature`, `max_tokens` at line 1 column 90",
    "参数 top_p 不支持".encode(),
]


def refuses(condition: Callable[[Fields], bool], body: Any, status: int = 400) -> Judge:
    def judge(request: Fields) -> Manner | None:
        return Refusal("other", "cannot", status, body).manner if condition(request) else None

    return judge


@pytest.mark.parametrize("body", REFUSED_TOP_P, ids=range(len(REFUSED_TOP_P)))
async def test_a_field_is_found_however_a_refusal_names_it(body: Any) -> None:
    async with Upstream(judge=refuses(lambda request: "top_p" in request, body)) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**FOLOTOY))]

    sent = upstream.seen[-1].json
    assert (len(upstream.seen), sent["max_tokens"]) == (2, 200)


@pytest.mark.parametrize("status", [403, 422, 500, 501])
async def test_and_whatever_its_status(status: int) -> None:
    judge = refuses(lambda request: "top_p" in request, UNSUPPORTED, status)
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**FOLOTOY))]

    assert len(upstream.seen) == 2


@pytest.mark.parametrize("stream", [True, False])
async def test_what_an_error_inside_a_200_names_is_left_out_of_the_next_question(stream: bool) -> None:
    refusal = Refusal("other", "cannot", 200, UNSUPPORTED)
    manner = refusal.in_a_stream if stream else refusal.manner

    def judge(request: Fields) -> Manner | None:
        return manner if "top_p" in request else None

    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        with pytest.raises(EngineFailed):
            assert [piece async for piece in engine.chat(asked(stream=stream, **FOLOTOY))]
        assert [piece async for piece in engine.chat(asked(stream=stream, **FOLOTOY))]

    assert "top_p" not in upstream.seen[-1].json


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": 5}, "seed is not supported"),
        ({"user": "toy"}, "user: Extra inputs are not permitted"),
        ({"n": 1}, "n is not supported"),
        ({"stop": ["X"]}, "Unknown parameter: stop"),
        ({"metadata": {"a": "b"}, "store": True}, "Unrecognized request arguments supplied: metadata, store"),
        (FOLOTOY, "Parameters temperature, top_p, presence_penalty, frequency_penalty are not supported"),
    ],
)
async def test_fields_that_are_listed_as_unknown_go_together(fields: Fields, message: str) -> None:
    names = [name for name in fields if name in message]
    judge = refuses(lambda request: any(name in request for name in names), error(message))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**fields))]

    assert len(upstream.seen) == 2


@pytest.mark.parametrize(
    "message",
    [
        "Sampling parameters are not supported",
        "Sampling parameters are fixed for this model.",
        "sampling settings cannot be changed",
        "该模型的采样参数不可修改",
    ],
)
async def test_the_parameters_of_sampling_are_known_by_that_name_and_go_together(message: str) -> None:
    names = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
    judge = refuses(lambda request: any(name in request for name in names), error(message))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        for _ in range(2):
            assert [piece async for piece in engine.chat(asked(**FOLOTOY))]

    assert len(upstream.seen) == 1 + 1 + 1


def roles(request: Fields) -> list[str]:
    return [message["role"] for message in request["messages"]]


def is_strict(request: Fields) -> bool:
    """Tell whether a strict template would refuse: it wants a system, then user and assistant in turns."""
    said = roles(request)[1:] if roles(request)[0] == "system" else roles(request)
    wanted = ["user", "assistant"] * len(said)
    return (
        said != wanted[: len(said)] or said[-1:] != ["user"] or not all(each["content"] for each in request["messages"])
    )


def talk(*turns: tuple[str, str]) -> Fields:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


ORDERS = [
    talk(("system", "Bear."), ("user", "a"), ("user", "b")),
    talk(("system", "Bear."), ("assistant", "Hello!"), ("user", "b")),
    talk(("user", "b"), ("assistant", "Once")),
    talk(("system", "Bear."), ("user", "a"), ("assistant", "x"), ("system", "Short."), ("user", "b")),
    talk(("user", "a"), ("assistant", ""), ("user", "b")),
    talk(("system", "Bear.")),
]
WORDINGS = [
    "Conversation roles must alternate user/assistant/user/assistant/...",
    'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
    "After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s).",
    "First message must be from user",
    "Expected last role User or Tool for serving but got assistant",
    "This model does not support assistant message prefill. The conversation must end with a user message.",
    "System message must be at the beginning.",
    "messages: text content blocks must be non-empty",
    "message at position 1 with role 'assistant' must not be empty",
]


@pytest.mark.parametrize("order", ORDERS, ids=range(len(ORDERS)))
@pytest.mark.parametrize("message", [WORDINGS[0], WORDINGS[-1]])
async def test_a_strict_template_gets_turns(order: Fields, message: str) -> None:
    async with Upstream(judge=refuses(is_strict, error(message))) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**order))]

    assert len(upstream.seen) == 2
    said = "".join(each["content"] for each in upstream.seen[-1].json["messages"])
    assert all(each["content"] in said for each in order["messages"])


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("message", WORDINGS)
async def test_the_order_of_a_conversation_is_nobodys_mistake(message: str, status: int) -> None:
    async with Upstream(judge=refuses(is_strict, error(message), status)) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**ORDERS[0]))]


@pytest.mark.parametrize(
    "message",
    [
        "Role 'system' is not supported",
        "messages.0.role: Input should be 'user' or 'assistant'",
        "Developer instruction is not enabled for models/gemma-3-4b-it",
        "Jinja Exception: System role not supported",
    ],
)
async def test_a_template_without_a_system_gets_its_words_from_the_user(message: str) -> None:
    judge = refuses(lambda request: "system" in roles(request), error(message))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**talk(("system", "Bear."), ("user", "b"))))]

    assert upstream.seen[-1].json["messages"] == [{"role": "user", "content": "Bear.\n\nb"}]


@pytest.mark.parametrize(
    "message", ["messages[0].name: Extra inputs are not permitted", "'messages.0' : property 'name' is unsupported"]
)
async def test_names_of_speakers_go_where_they_are_not_known(message: str) -> None:
    judge = refuses(lambda request: any("name" in each for each in request["messages"]), error(message))
    named = {"messages": [{"role": "user", "name": "child", "content": "b"}]}
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**named))]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "message",
    [
        "Streaming is not supported for this model",
        "This model only support stream mode, please enable the stream parameter to access the model.",
    ],
)
async def test_an_answer_is_taken_as_it_is_to_be_had(message: str, stream: bool) -> None:
    has = stream if message.startswith("Streaming") else not stream
    judge = refuses(lambda request: bool(request.get("stream")) == stream, error(message, param="stream"))
    async with Upstream(judge=judge if has else None) as upstream, row(upstream) as engine:
        pieces = [piece async for piece in engine.chat(asked(stream=stream))]
        other = [piece async for piece in engine.chat(asked(stream=not stream))]

    assert b"".join(pieces).startswith(b"data: " if stream else b"{")
    assert b"".join(other).startswith(b"{" if stream else b"data: ")
    if has:
        assert [bool(seen.json.get("stream")) for seen in upstream.seen] == [stream, not stream, not stream]


@pytest.mark.parametrize("message", ["messages: content is odd", "messages.1.content.0: this kind is not for me"])
async def test_a_legal_conversation_that_one_engine_refuses_is_the_next_ones(message: str) -> None:
    following = FakeEngine(EVENT, DONE)
    refusal = Refusal("other", "cannot", 400, error(message, param="messages.1")).manner
    async with Upstream(refusal) as upstream, row(upstream) as engine:
        response = await ask(service(up=engine, next=following))

    assert response.headers["x-talkbox-engine"] == "next"


async def test_an_answer_under_201_is_an_answer() -> None:
    body = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}]}'
    manner = Manner(status=201, body=body, media_type="application/json")
    async with Upstream(manner) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(stream=False))]


RICH: Fields = FOLOTOY | {
    "seed": 1,
    "user": "u",
    "metadata": {"a": "b"},
    "store": False,
    "service_tier": "auto",
    "logit_bias": {"1": 1},
    "prompt_cache_key": "k",
    "safety_identifier": "s",
    "verbosity": "low",
    "own": 1,
    "other": 2,
}
UNWANTED = RICH.keys() - {"max_tokens"}
UNNAMED = [
    *(b"", b"Bad Request", b"<html>400 Bad Request</html>", error("invalid parameter"), error("Unprocessable Entity")),
    *({"code": 400, "msg": "参数错误"}, error("The request parameters are invalid.", code="InvalidParameter")),
]


@pytest.mark.parametrize("wish", [FOLOTOY, RICH], ids=["toy", "rich"])
@pytest.mark.parametrize("body", UNNAMED, ids=range(len(UNNAMED)))
async def test_where_nothing_is_named_the_barest_question_is_asked_and_remembered(wish: Fields, body: Any) -> None:
    judge = refuses(lambda request: not UNWANTED.isdisjoint(request), body)
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**wish))]
        first = len(upstream.seen)
        assert [piece async for piece in engine.chat(asked(**wish))]

    assert first <= 3
    assert len(upstream.seen) == first + 1
    assert upstream.seen[-1].json["max_tokens"] == 200


async def test_who_refuses_the_limit_without_a_word_gets_it_by_its_other_name() -> None:
    judge = refuses(lambda request: "max_tokens" in request, error("invalid parameter"))
    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**FOLOTOY))]

    assert upstream.seen[-1].json["max_completion_tokens"] == 200


async def test_who_refuses_one_field_after_the_other_is_asked_nine_times_at_most() -> None:
    def judge(request: Fields) -> Manner | None:
        found = sorted(UNWANTED & request.keys())
        return Refusal("other", "cannot", 400, error(f"Unsupported parameter: '{found[0]}'")).manner if found else None

    async with Upstream(judge=judge) as upstream, row(upstream) as engine:
        assert [piece async for piece in engine.chat(asked(**RICH))]

    assert len(upstream.seen) <= 9
    assert upstream.seen[-1].json["max_tokens"] == 200


@pytest.mark.parametrize(
    "message", ["This model does not support image input", "tools are not supported", "不支持图片"]
)
async def test_what_no_field_less_would_change_is_not_asked_again(message: str) -> None:
    async with Upstream(judge=refuses(lambda request: True, error(message))) as upstream, row(upstream) as engine:
        with pytest.raises(Declined):
            assert [piece async for piece in engine.chat(asked(**FOLOTOY))]

    assert len(upstream.seen) == 1
