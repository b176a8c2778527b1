import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from chassis.errors import ApiError, EngineFailed, EngineUnavailable, NotFound
from chassis.failures import UnknownModel
from chassis.logs import request_id
from chassis.rows import Row
from imitations.upstream import MANNERS, Manner, Upstream
from llm.engines.openai import OpenAI, body_for
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest
from unit.llm.fakes import HELLO

KEY = "sk-secret-1234567"


def asked(submodel: str | None = None, /, **changes: Any) -> Asked:
    body = json.dumps(HELLO | changes, ensure_ascii=False).encode()
    return Asked(msgspec.json.decode(body, type=ChatRequest), body, submodel)


@asynccontextmanager
async def engine(upstream: Upstream, **row: Any) -> AsyncIterator[OpenAI]:
    made = OpenAI(Row("up", upstream.base_url, KEY, prefix="LLM_UP_", **row), RelayOptions(silence_seconds=1.0))
    try:
        yield made
    finally:
        await made.aclose()


async def answer(manner: Manner, asked: Asked, **row: Any) -> tuple[bytes, Upstream]:
    async with Upstream(manner) as upstream, engine(upstream, **row) as made:
        return b"".join([piece async for piece in made.chat(asked)]), upstream


async def refused(manner: Manner, asked: Asked, **row: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await answer(manner, asked, **row)
    return caught.value


def sent(**changes: Any) -> Any:
    return json.loads(body_for(asked(**changes), "any", RelayOptions()))


def test_a_request_that_needs_no_change_is_the_bytes_it_came_as() -> None:
    whole = asked(max_tokens=5, temperature=1, unheard_of={"a": [1.10, "é"]})

    assert body_for(whole, "any", RelayOptions()) is whole.body


def test_values_reach_the_upstream_byte_for_byte() -> None:
    body = (
        b'{"model":"any", "messages" : [ {"role":"user","content":"\\u4f60\xe5\xa5\xbd"} ],"seed":1,'
        b'"response_format": {"type" : "json_object"},"stop":["\\n"], "unheard_of":{"pi":3.1400,"big":1e400,"x":[ ]}}'
    )
    out = body_for(Asked(msgspec.json.decode(body, type=ChatRequest), body), "theirs", RelayOptions())

    was = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    now = msgspec.json.decode(out, type=dict[str, msgspec.Raw])
    assert {name: bytes(value) for name, value in now.items()} == {
        name: bytes(value) for name, value in was.items()
    } | {"model": b'"theirs"', "max_tokens": b"200", "temperature": b"0.7"}


@pytest.mark.parametrize(
    ("changes", "tokens", "temperature"),
    [
        ({}, {"max_tokens": 200}, 0.7),
        ({"max_tokens": None, "temperature": None}, {"max_tokens": 200}, 0.7),
        ({"max_tokens": 5}, {"max_tokens": 5}, 0.7),
        ({"max_completion_tokens": 5}, {"max_completion_tokens": 5}, 0.7),
        ({"temperature": 0}, {"max_tokens": 200}, 0),
    ],
)
def test_defaults_are_sent_only_where_the_caller_says_nothing(
    changes: dict[str, Any], tokens: dict[str, int], temperature: float
) -> None:
    out = sent(**changes)

    assert {name: value for name, value in out.items() if "tokens" in name and value is not None} == tokens
    assert out["temperature"] == temperature


def test_the_operator_can_turn_the_defaults_off_or_change_them() -> None:
    off = RelayOptions(max_tokens="off", temperature="off")
    other = RelayOptions(max_tokens=50, temperature=0.0)

    assert json.loads(body_for(asked(), "any", off)) == HELLO
    assert json.loads(body_for(asked(), "any", other)) == HELLO | {"max_tokens": 50, "temperature": 0.0}


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5", "openai/gpt-5-mini"])
def test_models_that_refuse_the_defaults_are_not_sent_them(model: str) -> None:
    assert json.loads(body_for(asked(), model, RelayOptions())) == HELLO | {"model": model}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_is_passed_on_as_the_bytes_it_came_as(stream: bool) -> None:
    through, upstream = await answer(Manner(pieces=("你", "好 é")), asked(stream=stream))

    async with Upstream(Manner(pieces=("你", "好 é"))) as same, engine(same) as made:
        reply = await made.upstream.post(upstream.seen[0].body, {})
        assert through == await reply.read(10**6)


async def test_the_upstream_is_told_key_model_and_request_id() -> None:
    token = request_id.set("abc-123")
    _, upstream = await answer(Manner(), asked(stream=True), model="theirs")
    request_id.reset(token)

    seen = upstream.seen[0]
    assert (seen.path, seen.json["model"]) == ("/v1/chat/completions", "theirs")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["x-request-id"] == "abc-123"
    assert seen.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("row", "submodel", "named", "model"),
    [
        ({}, None, "any", "any"),
        ({"model": "theirs"}, None, "any", "theirs"),
        ({"model": "theirs"}, "picked", "any", "picked"),
        ({"models": ("a", "b"), "model": "a"}, None, "any", "a"),
        ({"models": ("a", "b"), "model": "a"}, None, "b", "b"),
        ({"models": ("a", "b"), "model": "a"}, "b", "any", "b"),
    ],
)
async def test_the_model_is_the_one_picked_else_the_operators_else_the_callers(
    row: dict[str, Any], submodel: str | None, named: str, model: str
) -> None:
    _, upstream = await answer(Manner(), asked(submodel, model=named), **row)

    assert upstream.seen[0].json["model"] == model


async def test_a_model_the_operator_did_not_list_reaches_nobody() -> None:
    async with Upstream() as upstream, engine(upstream, models=("a", "b"), model="a") as made:
        with pytest.raises(NotFound, match="up/a, up/b") as caught:
            await anext(aiter(made.chat(asked("c"))))
        assert made.models == ("a", "b")

    assert caught.value.body["code"] == "model_not_found"
    assert upstream.seen == []


@pytest.mark.parametrize(
    "name",
    [
        *("html", "empty", "not-json", "only-done", "error-in-200", "error-first", "drops", "redirect"),
        *("cut-in-an-event", "401", "402", "403", "429", "500", "503"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_an_upstream_that_goes_wrong_at_once_fails_before_the_first_piece(name: str, stream: bool) -> None:
    async with Upstream(MANNERS[name]) as upstream, engine(upstream) as made:
        with pytest.raises(EngineFailed) as caught:
            await anext(aiter(made.chat(asked(stream=stream))))

    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["cut", "ends-early", "no-finish", "error-in-stream", "stall"])
async def test_an_upstream_that_goes_wrong_later_fails_after_whole_events(name: str) -> None:
    pieces: list[bytes] = []

    async def collect(engine: OpenAI) -> None:
        async for piece in engine.chat(asked(stream=True)):
            pieces.append(piece)  # noqa: PERF401  (a comprehension would lose them)

    async with Upstream(MANNERS[name]) as upstream, engine(upstream) as made:
        with pytest.raises(EngineFailed):
            await collect(made)

    whole = b"".join(pieces)
    assert whole.startswith(b"data: ")
    assert whole.endswith(b"\n\n")
    assert b"[DONE]" not in whole


@pytest.mark.parametrize(
    "name",
    [
        *("good", "reasoning", "comments", "no-done", "garbage-after-done"),
        *("lingers", "one-byte", "crlf", "large", "filtered"),
    ],
)
async def test_a_stream_that_is_only_odd_is_relayed_to_its_end(name: str) -> None:
    through, _ = await answer(MANNERS[name], asked(stream=True))

    assert through.endswith(b"data: [DONE]\n\n")
    assert through.count(b"[DONE]") == 1


async def test_moderation_is_the_callers_400() -> None:
    error = await refused(MANNERS["blocked"], asked())

    assert (error.status, error.body["code"]) == (400, "content_filter")


async def test_a_model_the_upstream_does_not_have_is_whose_word_it_was() -> None:
    callers = await refused(MANNERS["404"], asked())
    assert isinstance(callers, UnknownModel)
    assert "LLM_UP_MODEL" in str(callers)

    picked = await refused(MANNERS["404"], asked("picked"))
    assert (type(picked), picked.body["code"]) == (NotFound, "model_not_found")

    operators = await refused(MANNERS["404"], asked(), model="theirs")
    assert isinstance(operators, EngineFailed)
    assert "LLM_UP_MODEL" not in str(operators.body["code"])


async def test_a_404_without_an_error_object_is_a_wrong_address() -> None:
    error = await refused(Manner(status=404, body=b'{"detail":"Not Found"}'), asked())

    assert isinstance(error, EngineFailed)
    assert "LLM_UP_BASE_URL" in str(error)


async def test_a_whole_answer_with_an_error_beside_its_choices_is_a_failure() -> None:
    body = b'{"choices":[],"error":{"message":"it broke"}}'

    assert isinstance(await refused(Manner(body=body), asked()), EngineFailed)


async def test_a_whole_answer_that_is_cut_is_a_failure() -> None:
    assert isinstance(await refused(Manner(cut_after=0), asked()), EngineFailed)


def test_a_key_that_cannot_be_sent_is_told_without_showing_it() -> None:
    with pytest.raises(EngineUnavailable, match="LLM_UP_BASE_URL, _API_KEY") as caught:
        OpenAI(Row("up", "http://host/v1", "ключ", prefix="LLM_UP_"), RelayOptions())
    assert "ключ" not in str(caught.value)
