"""The official SDK is the judge: the real app on a real socket, an imitated upstream behind it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
from pydantic import BaseModel

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.server.auth import KeyOptions
from chassis.upstream.settings import Row
from fixtures.serving import serving
from imitations.upstream import CALLS, Manner, Upstream
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.engines.openai.engine import OpenAIChat
from llm.settings import RelayOptions, Settings

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
WORDS = "Hello there, friend."


class Reply(BaseModel):
    reply: str
    mood: str


def client_of(address: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{address}/v1", api_key="sk-ours", max_retries=0)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as running:
        yield running


@pytest.fixture
async def sdk(upstream: Upstream) -> AsyncIterator[AsyncOpenAI]:
    relay = OpenAIChat(Row("up", upstream.base_url, "sk-upstream", models=("listed",)), RelayOptions())
    seats = [Seat[Engine].of("up", relay), Seat[Engine].of("companion", Companion())]
    app = assemble(Settings(), Chain(seats), keys=KeyOptions(api_keys=("sk-ours",)))
    async with serving(app) as address, client_of(address) as client:
        yield client


@asynccontextmanager
async def asking(
    upstream: Upstream, options: RelayOptions | None = None, *, name: str = "up"
) -> AsyncIterator[AsyncOpenAI]:
    """The SDK before this upstream alone, which is called `name`, and the companion."""
    relay = OpenAIChat(Row(name, upstream.base_url, "sk-upstream"), options or RelayOptions())
    chain = Chain([Seat[Engine].of(name, relay), Seat[Engine].of("companion", Companion())])
    async with serving(assemble(Settings(), chain)) as address, client_of(address) as client:
        yield client


@pytest.mark.parametrize("model", ["gpt-4o-mini", "up/listed"])
async def test_a_plain_answer(sdk: AsyncOpenAI, model: str) -> None:
    answer = await sdk.chat.completions.create(model=model, messages=HELLO)

    assert answer.choices[0].message.content == WORDS
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 9
    assert answer._request_id


async def test_a_stream(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == WORDS
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("model", ["gpt-4o-mini", "companion"])
async def test_the_stream_helper(sdk: AsyncOpenAI, model: str) -> None:
    async with sdk.chat.completions.stream(
        model=model, messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        said = "".join([event.delta async for event in stream if event.type == "content.delta"])
        final = await stream.get_final_completion()

    assert final.choices[0].message.content == said != ""
    assert final.choices[0].message.role == "assistant"
    assert final.choices[0].finish_reason == "stop"
    assert final.usage is not None
    assert final.usage.total_tokens > 0


async def test_the_stream_helper_with_several_choices(sdk: AsyncOpenAI) -> None:
    async with sdk.chat.completions.stream(model="companion", messages=HELLO, n=3) as stream:
        final = await stream.get_final_completion()

    assert [choice.index for choice in final.choices] == [0, 1, 2]
    assert all(choice.message.content for choice in final.choices)


async def test_the_stream_helper_is_told_of_a_limit(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        async with sdk.chat.completions.stream(model="companion", messages=HELLO, max_tokens=2) as stream:
            await stream.get_final_completion()


async def test_the_companion_declines_a_schema(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="JSON schema") as caught:
        await sdk.chat.completions.parse(model="companion", messages=HELLO, response_format=Reply)

    assert caught.value.param == "response_format"


async def test_everything_the_sdk_can_say_reaches_the_upstream(sdk: AsyncOpenAI, upstream: Upstream) -> None:
    said: dict[str, Any] = {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_object"},
        "stop": ["\n", "。"],
        "seed": 5,
        "logit_bias": {"1": -100},
        "metadata": {"toy": "bear"},
        "temperature": 0.3,
        "max_completion_tokens": 50,
        "extra_body": {"enable_thinking": False},
    }
    await sdk.chat.completions.create(model="any", messages=HELLO, **said)

    seen = upstream.seen[0].json
    extra = said.pop("extra_body")
    assert seen == {"model": "any", "messages": HELLO} | said | extra


async def test_defaults_are_added_for_a_caller_who_says_nothing(sdk: AsyncOpenAI, upstream: Upstream) -> None:
    await sdk.chat.completions.create(model="any", messages=HELLO)

    assert upstream.seen[0].json == {"model": "any", "messages": HELLO, "max_tokens": 200, "temperature": 0.7}


@pytest.mark.parametrize("name", ["cut", "ends-early", "error-in-stream"])
async def test_a_stream_that_breaks_off_is_an_exception_after_the_words_that_came(sdk: AsyncOpenAI, name: str) -> None:
    said = ""
    stream = await sdk.chat.completions.create(model=name, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError):  # noqa: PT012  (the loop is what raises)
        async for chunk in stream:
            said += chunk.choices[0].delta.content or ""

    assert said
    assert WORDS.startswith(said)


async def test_reasoning_comes_through(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="reasoning", messages=HELLO, stream=True)
    deltas = [chunk.choices[0].delta async for chunk in stream]

    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Let me think."


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("up/400", openai.BadRequestError, "bad_value"),
        ("up/blocked", openai.BadRequestError, "content_filter"),
        ("up/404", openai.NotFoundError, "model_not_found"),
        ("companion/large", openai.NotFoundError, "model_not_found"),
        ("up/429", openai.RateLimitError, "upstream_rate_limited"),
        ("up/401", openai.InternalServerError, "upstream_auth"),
        ("up/402", openai.InternalServerError, "upstream_quota"),
        ("up/html", openai.InternalServerError, "upstream_error"),
    ],
)
async def test_what_goes_wrong_is_the_sdks_own_exception(
    upstream: Upstream, model: str, error: type[openai.APIStatusError], code: str
) -> None:
    async with asking(upstream) as client:
        with pytest.raises(error) as caught:
            await client.chat.completions.create(model=model, messages=HELLO)

    assert caught.value.code == code
    assert caught.value.request_id
    assert "sk-" not in str(caught.value)


async def test_a_model_that_is_not_listed_is_not_found(sdk: AsyncOpenAI, upstream: Upstream) -> None:
    with pytest.raises(openai.NotFoundError):
        await sdk.chat.completions.create(model="up/unlisted", messages=HELLO)
    assert upstream.seen == []


async def test_a_wrong_key_is_refused(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        await sdk.with_options(api_key="wrong").chat.completions.create(model="any", messages=HELLO)
    assert caught.value.code == "invalid_api_key"


async def test_a_bad_field_is_named(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.chat.completions.create(model="any", messages=HELLO, temperature=3)
    assert caught.value.param == "temperature"


async def test_models_are_listed_and_found(sdk: AsyncOpenAI) -> None:
    listed = [model.id async for model in sdk.models.list()]
    found = await sdk.models.retrieve("up/listed")

    assert listed == ["up", "up/listed", "companion"]
    assert (found.id, found.owned_by) == ("up/listed", "up")
    with pytest.raises(openai.NotFoundError):
        await sdk.models.retrieve("none")


WEATHER: list[ChatCompletionToolUnionParam] = [
    {
        "type": "function",
        "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
]
EAR = RelayOptions(for_the_ear=True)
READ = RelayOptions()


@pytest.mark.parametrize("options", [READ, EAR], ids=["read", "heard"])
@pytest.mark.parametrize("model", ["calls", "talks-and-calls"])
async def test_calls_of_several_tools_at_once_arrive_as_they_were_made(
    upstream: Upstream, options: RelayOptions, model: str
) -> None:
    async with asking(upstream, options) as client:
        whole = await client.chat.completions.create(model=model, messages=HELLO, tools=WEATHER)
        async with client.chat.completions.stream(
            model=model, messages=HELLO, tools=WEATHER, parallel_tool_calls=True
        ) as stream:
            final = await stream.get_final_completion()

    for choice in (whole.choices[0], final.choices[0]):
        calls = [call for call in choice.message.tool_calls or () if call.type == "function"]
        assert [(call.function.name, call.function.arguments) for call in calls] == list(CALLS)
        assert [call.id for call in calls] == ["call_0", "call_1"]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == ("" if model == "calls" else said_beside(options))


def said_beside(options: RelayOptions) -> str:
    return "One moment." if options.for_the_ear else "**One** moment."


async def test_what_tools_answered_goes_back_with_the_calls_it_answers(upstream: Upstream) -> None:
    calls: Any = [
        {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(CALLS)
    ]
    messages: list[ChatCompletionMessageParam] = [
        *HELLO,
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_0", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "晴"}]},
    ]
    async with asking(upstream, EAR) as client:
        await client.chat.completions.create(model="any", messages=messages, tools=WEATHER)

    assert upstream.seen[0].json["messages"][1:] == messages
    assert upstream.seen[0].json["tools"] == WEATHER


@pytest.mark.parametrize("options", [READ, EAR], ids=["read", "heard"])
async def test_how_likely_each_token_was_is_told(upstream: Upstream, options: RelayOptions) -> None:
    async with asking(upstream, options) as client:
        whole = await client.chat.completions.create(model="any", messages=HELLO, logprobs=True, top_logprobs=2)
        stream = await client.chat.completions.create(model="any", messages=HELLO, logprobs=True, stream=True)
        streamed = [chunk.choices[0].logprobs async for chunk in stream]

    assert whole.choices[0].logprobs is not None
    assert whole.choices[0].logprobs.content is not None
    assert len(whole.choices[0].logprobs.content[0].top_logprobs) == 2
    assert "".join(token.token for odds in streamed if odds for token in odds.content or ()) == WORDS


@pytest.mark.parametrize("options", [READ, EAR], ids=["read", "heard"])
async def test_several_choices_come_from_one_seed(upstream: Upstream, options: RelayOptions) -> None:
    async with asking(upstream, options) as client:
        whole = await client.chat.completions.create(model="any", messages=HELLO, n=3, seed=7)
        async with client.chat.completions.stream(model="any", messages=HELLO, n=3, seed=7) as stream:
            final = await stream.get_final_completion()

    for answer in (whole, final):
        assert [(choice.index, choice.message.content) for choice in answer.choices] == [(at, WORDS) for at in range(3)]
    assert [(seen.json["n"], seen.json["seed"]) for seen in upstream.seen] == [(3, 7), (3, 7)]


@pytest.mark.parametrize("options", [READ, EAR], ids=["read", "heard"])
async def test_pictures_and_sound_reach_the_upstream_and_the_companion_declines_them(
    upstream: Upstream, options: RelayOptions
) -> None:
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": parts}]
    async with asking(upstream, options) as client:
        await client.chat.completions.create(model="any", messages=messages)
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="companion", messages=messages)

    assert upstream.seen[0].json["messages"][-1] == messages[0]
    assert caught.value.param == "messages[0].content[1]"


@pytest.mark.parametrize("options", [READ, EAR], ids=["read", "heard"])
async def test_an_answer_in_the_form_of_a_schema_is_left_as_it_is(upstream: Upstream, options: RelayOptions) -> None:
    async with asking(upstream, options) as client:
        whole = await client.chat.completions.parse(model="json", messages=HELLO, response_format=Reply)
        async with client.chat.completions.stream(model="json", messages=HELLO, response_format=Reply) as stream:
            final = await stream.get_final_completion()

    for answer in (whole, final):
        assert answer.choices[0].message.parsed == Reply(reply="**hi** <b>\n# no heading", mood="_glad_")
    for seen in upstream.seen:
        assert seen.json["response_format"]["type"] == "json_schema"
        assert seen.json["response_format"]["json_schema"]["schema"]["required"] == ["reply", "mood"]
        assert seen.json["messages"] == HELLO  # no word of how to speak


@pytest.mark.parametrize(
    ("name", "model", "said", "limit", "role"),
    [
        ("openai", "gpt-4o-mini", "max_tokens", "max_tokens", "developer"),
        ("openai", "gpt-4o-mini", "max_completion_tokens", "max_completion_tokens", "developer"),
        ("openai", "gpt-5-mini", "max_tokens", "max_completion_tokens", "developer"),
        ("openai", "o3", "max_completion_tokens", "max_completion_tokens", "developer"),
        ("moonshot", "kimi-k3", "max_completion_tokens", "max_tokens", "system"),
        ("deepseek", "deepseek-flash", "max_completion_tokens", "max_tokens", "system"),
        ("ollama", "qwen3:0.6b", "max_completion_tokens", "max_tokens", "system"),
        ("groq", "openai/gpt-oss-20b", "max_completion_tokens", "max_completion_tokens", "system"),
        ("vllm", "qwen", "max_tokens", "max_tokens", "system"),
        ("my-own", "any", "max_completion_tokens", "max_completion_tokens", "system"),
    ],
)
async def test_a_limit_and_a_developer_are_called_as_each_upstream_calls_them(
    upstream: Upstream, name: str, model: str, said: str, limit: str, role: str
) -> None:
    told: ChatCompletionMessageParam = {"role": "developer", "content": "You are a bear."}
    changes: dict[str, Any] = {said: 50}
    async with asking(upstream, name=name) as client:
        await client.chat.completions.create(model=model, messages=[told, *HELLO], **changes)

    sent = upstream.seen[0].json
    assert {key: sent[key] for key in sent if key.startswith("max_")} == {limit: 50}
    assert sent["messages"] == [told | {"role": role}, *HELLO]


@pytest.mark.parametrize("options", [READ, EAR], ids=["read", "heard"])
async def test_usage_is_told_by_the_upstream_or_estimated_and_marked(upstream: Upstream, options: RelayOptions) -> None:
    async with asking(upstream, options) as client:
        told, estimated = [
            [
                chunk.usage
                async for chunk in await client.chat.completions.create(
                    model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
                )
                if chunk.usage
            ]
            for model in ("good", "no-usage")
        ]

    assert len(told) == len(estimated) == 1
    assert (told[0].prompt_tokens, told[0].completion_tokens, told[0].total_tokens) == (5, 4, 9)
    assert "estimated" not in (told[0].model_extra or {})
    assert estimated[0].model_extra == {"estimated": True}
    assert estimated[0].completion_tokens == 4
    assert estimated[0].total_tokens == estimated[0].prompt_tokens + 4


FRAME: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
CALL: dict[str, Any] = {"id": "call_0", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def sse(delta: Any, finish: Any = None, /, head: str = "", **fields: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"{head}data: {json.dumps(FRAME | {'choices': [choice]} | fields)}\n\n"


BEGIN, END = sse({"role": "assistant", "content": ""}), sse({}, "stop") + "data: [DONE]\n\n"
HEL, LO = sse({"content": "Hel"}), sse({"content": "lo"})
ODD_STREAMS = {
    "numbered": "".join(
        f"id: {at}\nevent: message\n{each}" for at, each in enumerate([BEGIN, HEL, LO, sse({}, "stop")])
    )
    + "id: 9\nevent: done\ndata: [DONE]\n\n",
    "comments among numbers": f"id: 1\n{BEGIN}: ping\n\n{HEL}: ping\n\nretry: 3000\n\n{LO}{END}",
    "pings": f"event: ping\ndata: {{}}\n\n{BEGIN}data:\n\n{HEL}data: : keepalive\n\n{LO}event: ping\n\n{END}",
    "no choices": f"data: {json.dumps(FRAME | {'choices': [], 'prompt_filter_results': []})}\n\n{BEGIN}{HEL}{LO}"
    f"data: {json.dumps(FRAME | {'choices': None})}\n\n{END}",
    "usage that nobody asked for": f"{BEGIN}{HEL}{LO}{sse({}, 'stop')}"
    f"data: {json.dumps(FRAME | {'usage': {'prompt_tokens': 1, 'completion_tokens': 2, 'total_tokens': 3}})}\n\n"
    "data: [DONE]\n\n",
    "no role": HEL + LO + END,
    "role in each": sse({"role": "assistant", "content": "Hel"}) + sse({"role": "assistant", "content": "lo"}) + END,
    "no delta at the end": f"{BEGIN}{HEL}{LO}{sse(None, 'stop')}data: [DONE]\n\n",
    "no reason to end": f"{BEGIN}{HEL}{LO}data: [DONE]\n\n",
    "empty reasons": BEGIN.replace("null", '""') + HEL.replace("null", '""') + LO.replace("null", '""') + END,
    "another object": (BEGIN + HEL + LO + END).replace("chat.completion.chunk", "chat.completion"),
    "no frame": (BEGIN + HEL + LO + END).replace('"id": "c", ', "").replace('"created": 1, ', ""),
    "no done": BEGIN + HEL + LO + sse({}, "stop"),
    "no blank line at the end": (BEGIN + HEL + LO + END).rstrip("\n"),
    "carriage returns": (BEGIN + HEL + LO + END).replace("\n", "\r"),
    "a byte order mark": "\ufeff" + BEGIN + HEL + LO + END,
    "no space": (BEGIN + HEL + LO + END).replace("data: ", "data:"),
    "parts": BEGIN + sse({"content": [{"type": "text", "text": "Hel"}]}) + LO + END,
    "whole": json.dumps({"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}),
}


@pytest.mark.parametrize("label", ["text/event-stream", "application/json", "text/plain"])
@pytest.mark.parametrize("name", ODD_STREAMS)
async def test_whatever_an_upstream_sends_the_sdk_reads_a_stream(name: str, label: str) -> None:
    async with (
        Upstream(Manner(body=ODD_STREAMS[name].encode(), media_type=label)) as upstream,
        asking(upstream) as client,
    ):
        stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]
        async with client.chat.completions.stream(model="m", messages=HELLO) as helped:
            final = await helped.get_final_completion()
        whole = await client.chat.completions.create(model="m", messages=HELLO)

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello"
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", *[None] * (len(chunks) - 1)]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert len({(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks}) == 1
    for choice in (final.choices[0], whole.choices[0]):
        assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "Hello", "stop")


@pytest.mark.parametrize(
    "calls",
    [
        [CALL],
        [CALL | {"index": 0}],
        [CALL, CALL | {"id": "call_1"}],
        [CALL | {"index": 0}, CALL | {"index": 0, "id": "1"}],
    ],
)
async def test_tool_calls_without_their_index_are_joined_by_the_sdks_helper(calls: list[dict[str, Any]]) -> None:
    body = BEGIN + "".join(sse({"tool_calls": [call]}) for call in calls) + sse({}, "tool_calls") + "data: [DONE]\n\n"
    manner = Manner(body=body.encode(), media_type="text/event-stream")
    async with (
        Upstream(manner) as upstream,
        asking(upstream) as client,
        client.chat.completions.stream(model="m", messages=HELLO, tools=WEATHER) as stream,
    ):
        final = await stream.get_final_completion()

    called = [call for call in final.choices[0].message.tool_calls or () if call.type == "function"]
    assert [(call.function.name, call.function.arguments) for call in called] == [("weather", "{}")] * len(calls)


@pytest.mark.parametrize(
    "error",
    [
        '{"error": {"message": "it broke"}}',
        '{"object": "error", "message": "it broke", "code": 500}',
        '{"message": "it broke"}',
    ],
)
async def test_an_error_of_any_shape_after_the_first_word_is_the_sdks_exception(error: str) -> None:
    manner = Manner(body=f"{BEGIN}{HEL}event: error\ndata: {error}\n\n".encode(), media_type="text/event-stream")
    said = ""
    async with Upstream(manner) as upstream, asking(upstream) as client:
        stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
        with pytest.raises(openai.APIError, match="it broke"):  # noqa: PT012  (the loop is what raises)
            async for chunk in stream:
                said += chunk.choices[0].delta.content or ""

    assert said == "Hel"
