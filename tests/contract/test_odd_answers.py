"""Answers in every manner there is, through the service, to OpenAI's own client and to an ear."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import openai
import pytest

from fixtures.serving import serving
from imitations.odd_answers import BROKEN, READABLE, SECRET, TEXT
from imitations.upstream import Manner, Upstream
from llm.app import create_app

MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hello!"}]


@asynccontextmanager
async def talking(
    monkeypatch: pytest.MonkeyPatch, manners: dict[str, Manner], **settings: str
) -> AsyncIterator[openai.AsyncOpenAI]:
    """Start the service; the model that is asked for picks the manner in which it is answered."""
    async with Upstream(judge=lambda wanted: manners.get(wanted["model"])) as upstream:
        for name, value in (settings | {"LLM_ENGINES": "odd", "LLM_ODD_BASE_URL": upstream.base_url}).items():
            monkeypatch.setenv(name, value)
        async with (
            serving(create_app()) as address,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client,
        ):
            yield client


def strict(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


async def streamed(client: openai.AsyncOpenAI, name: str) -> str:
    said = ""
    async for chunk in await client.chat.completions.create(model=name, messages=MESSAGES, stream=True):
        [choice] = chunk.choices
        said += choice.delta.content or ""
        assert (type(chunk.created), type(chunk.id)) == (int, str)
        assert choice.finish_reason in (None, "stop")
    return said


async def read(client: openai.AsyncOpenAI, name: str) -> str:
    """Read the events as JavaScript does."""
    answer = await client.chat.completions.with_raw_response.create(model=name, messages=MESSAGES, stream=True)
    lines = [line async for line in answer.http_response.aiter_lines() if line]
    chunks = [json.loads(line.removeprefix("data: "), parse_constant=strict) for line in lines[:-1]]
    assert not any("error" in chunk for chunk in chunks)
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


async def gathered(client: openai.AsyncOpenAI, name: str) -> str:
    async with client.chat.completions.stream(model=name, messages=MESSAGES) as stream:
        return (await stream.get_final_completion()).choices[0].message.content or ""


async def whole(client: openai.AsyncOpenAI, name: str) -> str:
    answer = await client.chat.completions.create(model=name, messages=MESSAGES)
    return answer.choices[0].message.content or ""


@pytest.mark.parametrize("heard", ["on", "off"])
@pytest.mark.parametrize("way", [streamed, read, gathered, whole])
async def test_the_official_client_reads_what_can_be_read(
    monkeypatch: pytest.MonkeyPatch, way: Callable[[openai.AsyncOpenAI, str], Awaitable[str]], heard: str
) -> None:
    async with talking(monkeypatch, READABLE, LLM_FOR_THE_EAR=heard) as client:
        said = {name: await way(client, name) for name in READABLE}

    wrong = {name: text for name, text in said.items() if text.replace("\0", "") != TEXT}
    assert wrong == {}
    assert SECRET not in str(said)


async def test_what_is_not_likely_at_all_is_a_number_too(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "logprobs infinite"
    async with talking(monkeypatch, READABLE) as client:
        answer = await client.chat.completions.with_raw_response.create(model=name, messages=MESSAGES, stream=True)
        body = (await answer.http_response.aread()).decode()

    assert '"logprob":-9999.0' in body
    assert '"logprob":null' not in body


async def test_an_ear_hears_words_where_nothing_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, BROKEN, LLM_FOR_THE_EAR="on") as client:
        said = {name: await streamed(client, name) for name in BROKEN}

    assert {name for name, text in said.items() if not text.startswith("Oh dear")} == set()


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_no_answer_is_an_error_to_a_program(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    async with talking(monkeypatch, BROKEN) as client:
        for way in (streamed, whole):
            with pytest.raises(openai.APIStatusError) as caught:
                await way(client, name)
            assert caught.value.status_code >= 500
