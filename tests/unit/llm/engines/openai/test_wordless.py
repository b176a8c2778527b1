"""For an ear, an answer without a word is none: through the whole service, on a real socket."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Seat
from chassis.upstream.settings import Row
from fixtures.serving import serving
from imitations.upstream import Manner, Upstream
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.engines.openai.engine import THOUGHT_TOKENS, OpenAIChat
from llm.excuse import NO_ANSWER
from llm.settings import RelayOptions, Settings
from unit.llm.fakes import HELLO

PATH = "/v1/chat/completions"
ONLY_THOUGHT = Manner((), reasoning=("Let me", " think"), finish_reason="length")
ONLY_THOUGHT_ALOUD = Manner(("<think>", "Let me", " think"), finish_reason="length")
EMPTY = Manner(())
FILTERED = Manner((), finish_reason="content_filter")
WORDLESS = {"thought": ONLY_THOUGHT, "aloud": ONLY_THOUGHT_ALOUD, "empty": EMPTY, "filtered": FILTERED}


@asynccontextmanager
async def behind(
    manner: Manner, *, name: str = "up", model: str = "", companion: bool = True, ear: bool = True
) -> AsyncIterator[tuple[httpx.AsyncClient, Upstream]]:
    async with Upstream(manner) as upstream:
        row = Row(name, upstream.base_url, "k", model=model, prefix=f"LLM_{name.upper()}_")
        seats = [Seat[Engine].of(name, OpenAIChat(row, RelayOptions(silence_seconds=5.0, for_the_ear=ear)))]
        seats += [Seat[Engine].of("companion", Companion())] if companion else []
        app = assemble(Settings(for_the_ear=ear), Chain(seats, first_byte_seconds=1.0))
        async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
            yield client, upstream


def words(response: httpx.Response) -> str:
    if not response.text.startswith("data:"):
        return str(response.json()["choices"][0]["message"]["content"])
    lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    return "".join(json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", WORDLESS)
async def test_an_answer_without_a_word_is_the_next_engines(name: str, stream: bool) -> None:
    async with behind(WORDLESS[name]) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": stream})

    assert response.headers[ENGINE_HEADER] == "companion"
    assert words(response)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", WORDLESS)
async def test_where_there_is_no_next_engine_the_ear_hears_words(name: str, stream: bool) -> None:
    async with behind(WORDLESS[name], companion=False) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": stream})

    assert (response.status_code, words(response)) == (200, NO_ANSWER["en"])


async def test_for_an_eye_an_empty_answer_is_an_empty_answer() -> None:
    async with behind(EMPTY, ear=False) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert (response.headers[ENGINE_HEADER], words(response)) == ("up", "")


@pytest.mark.parametrize("manner", [Manner(stall_after=1), Manner(error_after=1), Manner(cut_after=1)])
async def test_who_only_says_who_speaks_has_said_nothing(manner: Manner) -> None:
    async with behind(manner, ear=False) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert response.headers[ENGINE_HEADER] == "companion"
    assert response.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(("limit", "named"), [({}, "LLM_UP_MAX_TOKENS"), ({"max_tokens": 150}, "150")])
async def test_the_log_names_the_limit_that_thoughts_used_up(
    limit: dict[str, int], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with behind(ONLY_THOUGHT) as (client, _):
        await client.post(PATH, json=HELLO | {"stream": True} | limit)

    assert "before it said a word" in caplog.text
    assert named in caplog.text


async def test_a_model_that_used_its_tokens_up_gets_room_for_its_thoughts() -> None:
    async with behind(ONLY_THOUGHT) as (client, upstream):
        for _ in range(2):
            await client.post(PATH, json=HELLO | {"stream": True, "max_tokens": 200})

    assert [seen.json["max_tokens"] for seen in upstream.seen] == [200, 200 + THOUGHT_TOKENS]


@pytest.mark.parametrize(
    ("name", "model", "field"),
    [
        ("moonshot", "kimi-k3", "max_tokens"),
        ("gemini", "gemini-3.5-pro", "max_tokens"),
        ("openai", "o3-mini", "max_completion_tokens"),
        ("my-own", "deepseek-r1:7b", "max_tokens"),
    ],
)
@pytest.mark.parametrize(("said", "limit"), [({"max_tokens": 150}, 150), ({}, 200)])
async def test_models_that_cannot_but_think_get_room_for_it(
    name: str, model: str, field: str, said: dict[str, Any], limit: int
) -> None:
    async with behind(Manner(), name=name, model=model) as (client, upstream):
        await client.post(PATH, json=HELLO | {"stream": True} | said)

    sent = {key: value for key, value in upstream.seen[0].json.items() if key.startswith("max_")}
    assert sent == ({field: limit + THOUGHT_TOKENS} if said or name != "openai" else {})


async def test_models_whose_thinking_is_switched_off_keep_to_the_limit() -> None:
    async with behind(Manner(), name="qwen", model="qwen-plus") as (client, upstream):
        await client.post(PATH, json=HELLO | {"stream": True, "max_tokens": 150})

    assert (upstream.seen[0].json["max_tokens"], upstream.seen[0].json["enable_thinking"]) == (150, False)
