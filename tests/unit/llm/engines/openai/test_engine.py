import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from chassis.errors import ApiError, EngineFailed, EngineUnavailable, NotFound, TooBusy
from chassis.request_id import request_id
from chassis.upstream.allowance import LimitOptions
from chassis.upstream.refusals.meaning import UnknownModel
from chassis.upstream.settings import Row
from imitations.upstream import MANNERS, Manner, Upstream
from llm.engines.openai.engine import OpenAIChat
from llm.request.body import body_for as asked_as
from llm.request.providers import Mind
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest
from unit.llm.fakes import HELLO

KEY = "sk-secret-1234567"


def asked(submodel: str | None = None, /, **changes: Any) -> Asked:
    body = json.dumps(HELLO | changes, ensure_ascii=False).encode()
    return Asked(msgspec.json.decode(body, type=ChatRequest), body, submodel)


@asynccontextmanager
async def engine(upstream: Upstream, **row: Any) -> AsyncIterator[OpenAIChat]:
    made = OpenAIChat(Row("up", upstream.base_url, KEY, prefix="LLM_UP_", **row), RelayOptions(silence_seconds=1.0))
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


def body_for(asked: Asked, model: str, options: RelayOptions) -> bytes:
    return asked_as(asked, model, options, Mind(None))


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
        reply = await made.remote.upstream.post(upstream.seen[0].body, {})
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

    async def collect(engine: OpenAIChat) -> None:
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
        OpenAIChat(Row("up", "http://host/v1", "ключ", prefix="LLM_UP_"), RelayOptions())
    assert "ключ" not in str(caught.value)


async def test_an_answer_whole_although_a_stream_was_asked_for_becomes_one() -> None:
    whole = Manner(body=b'{"id":"c","choices":[{"message":{"content":"Hi","refusal":null},"finish_reason":"length"}],'
                   b'"usage":{"total_tokens":3}}')  # fmt: skip
    through, _ = await answer(whole, asked(stream=True, stream_options={"include_usage": True}))

    *events, done = through.decode().split("\n\n")[:-1]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert done == "data: [DONE]"
    [choice] = chunks[0]["choices"]
    assert (choice["delta"]["role"], choice["delta"]["content"], choice["finish_reason"]) == (
        "assistant",
        "Hi",
        "length",
    )
    assert chunks[0]["usage"] == {"total_tokens": 3}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


async def test_of_an_answer_that_came_whole_and_tells_no_usage_it_is_estimated_too() -> None:
    whole = Manner(body=b'{"choices":[{"message":{"content":"Hi"}}]}')
    through, _ = await answer(whole, asked(stream=True, stream_options={"include_usage": True}))

    assert b'"estimated":true' in through
    assert through.endswith(b"data: [DONE]\n\n")


async def test_what_we_added_is_left_out_where_it_is_refused_and_from_then_on() -> None:
    options = RelayOptions(thinking="off")
    async with Upstream(refuses=b'"enable_thinking"') as upstream:
        made = OpenAIChat(Row("qwen", upstream.base_url, KEY), options)
        for _ in range(2):
            assert b"".join([piece async for piece in made.chat(asked(stream=True))]).endswith(b"[DONE]\n\n")
        await made.aclose()

    assert ["enable_thinking" in seen.json for seen in upstream.seen] == [True, False, False]


async def test_a_model_seen_to_begin_inside_a_thought_is_not_heard_thinking_again() -> None:
    async with Upstream(Manner(pieces=("so", "</think>", "Hello"))) as upstream, engine(upstream) as made:
        answers = [b"".join([piece async for piece in made.chat(asked(stream=True))]) for _ in range(2)]

    assert [b'"so"' in each for each in answers] == [True, False]
    assert all(b"</think>" not in each and b'"Hello"' in each for each in answers)


async def test_for_the_ear_nothing_of_thoughts_or_markdown_is_left() -> None:
    manner = Manner(pieces=("<think>so", "</think>", "**Hello** ", "`bear`"), reasoning=("Let me",))
    async with Upstream(manner) as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, KEY), RelayOptions(for_the_ear=True))
        streamed = b"".join([piece async for piece in made.chat(asked(stream=True))]).decode()
        whole = json.loads(b"".join([piece async for piece in made.chat(asked())]))
        await made.aclose()

    words = [json.loads(line[6:])["choices"][0]["delta"] for line in streamed.split("\n\n") if "{" in line]
    assert "".join(delta.get("content", "") for delta in words) == "Hello bear"
    assert "reasoning" not in streamed
    assert whole["choices"][0]["message"]["content"] == "Hello bear"
    assert upstream.seen[0].json["messages"][0]["role"] == "system"


async def test_a_key_that_is_refused_rests_and_the_others_answer() -> None:
    async with Upstream(keys={"Bearer k1": "401", "Bearer k2": "429"}) as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, "k1", more_keys=("k2", "k3")), RelayOptions())
        for _ in range(3):
            assert [piece async for piece in made.chat(asked())]
        assert made.detail == "2 of 3 keys rest"
        await made.aclose()

    used = [seen.headers["authorization"] for seen in upstream.seen]
    assert used == ["Bearer k1", "Bearer k2", "Bearer k3", "Bearer k3", "Bearer k3"]


async def test_when_every_key_rests_the_engine_does_until_the_first_wakes() -> None:
    async with Upstream(keys={"Bearer k1": "401", "Bearer k2": "429"}) as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, "k1", more_keys=("k2",)), RelayOptions())
        with pytest.raises(EngineFailed) as caught:
            await anext(aiter(made.chat(asked())))
        await made.aclose()

    assert caught.value.rest_seconds == pytest.approx(7, abs=1)  # as the Retry-After of "429" says


async def test_more_answers_at_a_time_than_the_row_may_give_are_the_next_engines() -> None:
    async with Upstream(MANNERS["silent"]) as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, KEY, limits=LimitOptions(concurrent=1)), RelayOptions())
        waiting = [asyncio.ensure_future(anext(aiter(made.chat(asked(stream=True))))) for _ in range(2)]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(done.pop().exception(), TooBusy)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await made.aclose()

    assert len(upstream.seen) == 1


async def test_more_requests_in_a_minute_than_the_row_may_get_are_the_next_engines() -> None:
    async with Upstream() as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, KEY, limits=LimitOptions(requests="2/day")), RelayOptions())
        for _ in range(2):
            assert [piece async for piece in made.chat(asked())]
        with pytest.raises(TooBusy):
            await anext(aiter(made.chat(asked())))
        await made.aclose()

    assert len(upstream.seen) == 2


async def test_who_finds_no_place_is_not_counted_as_a_request() -> None:
    async with Upstream(MANNERS["silent"]) as upstream:
        limits = LimitOptions(concurrent=1, requests="2/day")
        made = OpenAIChat(Row("up", upstream.base_url, KEY, limits=limits), RelayOptions())
        waiting = asyncio.ensure_future(anext(aiter(made.chat(asked(stream=True)))))
        while not upstream.seen:
            await asyncio.sleep(0.001)
        for _ in range(2):
            with pytest.raises(TooBusy, match="place"):
                await anext(aiter(made.chat(asked())))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        upstream.manner = MANNERS["good"]
        assert [piece async for piece in made.chat(asked())]
        await made.aclose()


async def test_usage_that_was_asked_for_and_is_not_told_is_estimated_and_says_so() -> None:
    told, estimate = [
        (await answer(Manner(usage=usage), asked(stream=True, stream_options={"include_usage": True})))[0]
        for usage in (True, False)
    ]

    assert b'"estimated"' not in told
    chunk = json.loads(estimate.decode().split("\n\n")[-3].removeprefix("data: "))
    assert (chunk["id"], chunk["choices"]) == ("chatcmpl-imitated", [])
    assert chunk["usage"] == {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10, "estimated": True}


async def test_a_rate_under_its_former_name_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MINE_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("LLM_MINE_RATE", "20/minute")
    made = OpenAIChat.load("mine", lambda doing, part: None)

    assert made.row.limits.requests == "20/minute"
    await made.aclose()
