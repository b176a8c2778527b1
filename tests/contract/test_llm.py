"""The official SDK is the judge: the real app on a real socket, an imitated upstream behind it."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from chassis.auth import KeyOptions
from chassis.chain import Chain, Seat
from chassis.rows import Row
from imitations.upstream import Upstream
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion import Companion
from llm.engines.openai import OpenAI
from llm.settings import RelayOptions, Settings
from unit.llm.fakes import serving

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
    relay = OpenAI(Row("up", upstream.base_url, "sk-upstream", models=("listed",)), RelayOptions())
    seats = [Seat[Engine].of("up", relay), Seat[Engine].of("companion", Companion())]
    app = assemble(Settings(), Chain(seats), keys=KeyOptions(api_keys=("sk-ours",)))
    async with serving(app) as address, client_of(address) as client:
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


async def test_a_parsed_answer_fits_its_schema(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.parse(model="companion", messages=HELLO, response_format=Reply)

    assert answer.choices[0].message.parsed is not None
    assert answer.choices[0].message.parsed.reply


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
    relay = OpenAI(Row("up", upstream.base_url, "sk-upstream"), RelayOptions())
    chain = Chain([Seat[Engine].of("up", relay), Seat[Engine].of("companion", Companion())])
    async with serving(assemble(Settings(), chain)) as address, client_of(address) as client:
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
