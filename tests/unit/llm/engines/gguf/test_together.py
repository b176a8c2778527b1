"""Several toys at once, one real model: nobody's answer is spoilt by another's."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any, Literal

import pytest

from chassis.chain.chain import ENGINE_HEADER
from chassis.errors import TooBusy
from chassis.sse import close
from llm.engines.companion.engine import Companion
from llm.engines.gguf.engine import Gguf, GgufOptions
from llm.settings import RelayOptions
from unit.llm.engines.gguf.test_engine import (
    SCHEMA,
    STORY,
    answered,
    bear,
    engine,
    processor_seconds,
    said,
    streamed,
    text,
    words,
)
from unit.llm.engines.openai.test_engine import asked
from unit.llm.fakes import client_of, service

AT_ONCE = 4
LONG = [{"role": "user", "content": "the moon and the sun " * 80}]
FORM = {"type": "json_schema", "json_schema": {"name": "bear", "schema": SCHEMA}}


async def first_words(made: Gguf, **changes: Any) -> None:
    """Return once the first event of a stream is there, and leave."""
    answer = made.chat(asked(**({"stream": True, "max_tokens": 5} | changes)))
    await anext(answer)
    await close(answer)


async def test_four_that_differ_are_answered_as_each_wants(file: Path) -> None:
    async with engine(file, context=2048, concurrent=AT_ONCE) as made:
        leaver = made.chat(asked(stream=True, messages=STORY, max_tokens=400))
        await anext(leaver)
        form, stopped, long, _ = await asyncio.gather(
            said(made, max_tokens=100, response_format=FORM),
            streamed(made, messages=STORY, max_tokens=80, stop=["a", "e"]),
            said(made, messages=STORY, max_tokens=90, logprobs=True, top_logprobs=2, logit_bias={"2": -100}),
            close(leaver),
        )

    assert json.loads(text(form))["mood"] in ("glad", "sad")
    assert form["choices"][0]["finish_reason"] == stopped[-1]["choices"][0]["finish_reason"] == "stop"
    assert not set(words(stopped)) & {"a", "e"}
    assert len(long["choices"][0]["logprobs"]["content"]) == long["usage"]["completion_tokens"] > 5


async def test_those_whose_talks_do_not_fit_together_wait_and_none_breaks_off(file: Path) -> None:
    async with engine(file, context=256, concurrent=AT_ONCE, patience_seconds=600) as made:
        answers = await asyncio.gather(
            *(said(made, messages=STORY, max_tokens=60, ignore_eos=True, seed=seed) for seed in range(AT_ONCE))
        )

    assert [answer["usage"]["completion_tokens"] for answer in answers] == [60] * AT_ONCE


async def test_who_finds_no_room_in_time_is_refused_and_the_others_go_on(file: Path) -> None:
    async with engine(file, context=256, concurrent=AT_ONCE, patience_seconds=0.1) as made:
        first = made.chat(asked(stream=True, messages=STORY, max_tokens=150))
        pieces = [await anext(first)]
        with pytest.raises(TooBusy) as caught:
            await said(made, messages=STORY, max_tokens=120)
        pieces += [piece async for piece in first]

    assert caught.value.retry_after
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")
    assert b'"error"' not in b"".join(pieces)


@pytest.mark.parametrize("limit", [200, "off"])
async def test_four_without_a_limit_are_answered_together_on_the_default_context(
    file: Path, limit: int | Literal["off"]
) -> None:
    relay, context = RelayOptions(max_tokens=limit), GgufOptions().context
    async with engine(file, relay, context=context, concurrent=AT_ONCE, patience_seconds=0.1) as made:
        answers = [made.chat(asked(stream=True, messages=STORY, seed=seed)) for seed in range(AT_ONCE)]
        try:
            begun = [await anext(answer) for answer in answers]
        finally:
            await asyncio.gather(*map(close, answers))

    assert len(begun) == AT_ONCE


async def test_an_answer_without_a_limit_ends_with_its_share_whoever_else_talks(file: Path) -> None:
    relay = RelayOptions(max_tokens="off")
    async with engine(file, relay, context=320, concurrent=AT_ONCE, patience_seconds=0.1) as made:
        together = await asyncio.gather(
            *(said(made, messages=STORY, max_tokens=None, ignore_eos=True, seed=seed) for seed in range(AT_ONCE))
        )
        alone = await said(made, messages=STORY, max_tokens=None, ignore_eos=True)

    assert {answer["usage"]["total_tokens"] for answer in (*together, alone)} == {320 // AT_ONCE}


async def test_a_question_beyond_its_share_is_answered_all_the_same(file: Path) -> None:
    relay = RelayOptions(max_tokens="off")
    async with engine(file, relay, context=512, concurrent=AT_ONCE) as made:
        question = [{"role": "user", "content": "the moon " * 100}]
        answer = await said(made, messages=question, max_tokens=None, ignore_eos=True)

    assert answer["usage"]["prompt_tokens"] > 512 // AT_ONCE
    assert answer["usage"]["completion_tokens"] == 512 // AT_ONCE // 4


@pytest.mark.parametrize("own", [{"n_predict": -1}, {"n_predict": 400}, {"n_cmpl": 3}, {"max_completion_tokens": 900}])
async def test_no_field_of_llamacpps_own_takes_more_than_was_counted(file: Path, own: dict[str, Any]) -> None:
    async with engine(file, concurrent=AT_ONCE) as made:
        answer = await said(made, messages=STORY, max_tokens=4, ignore_eos=True, **own)

    assert answer["usage"]["completion_tokens"] == 4
    assert len(answer["choices"]) == 1


async def test_a_limit_beyond_all_numbers_is_the_end_of_the_context(file: Path) -> None:
    async with engine(file, context=256) as made:
        answer = await said(made, messages=STORY, max_tokens=2**40, ignore_eos=True)

    assert 100 < answer["usage"]["total_tokens"] <= 256


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_a_long_question_does_not_silence_those_with_short_ones(file: Path, stream: bool) -> None:
    async with engine(file, context=2048, concurrent=AT_ONCE, patience_seconds=600) as made:
        order: list[str] = []

        async def ask(name: str, **changes: Any) -> None:
            await (first_words(made, **changes) if stream else said(made, max_tokens=3, **changes))
            order.append(name)

        await asyncio.gather(*(said(made, max_tokens=8) for _ in range(AT_ONCE - 1)))  # the slot read first is left
        before = processor_seconds(made.server.pid)
        long = asyncio.create_task(ask("long", messages=LONG))
        async with asyncio.timeout(120):
            while processor_seconds(made.server.pid) < before + 0.2:
                await asyncio.sleep(0.01)
        await asyncio.gather(ask("short"), ask("short", messages=STORY), long)

    assert order == ["short", "short", "long"]


async def test_several_roles_in_turn_are_read_once_each(file: Path) -> None:
    names = [f"Bear{number}" for number in range(AT_ONCE + 2)]

    async def unread(made: Gguf, name: str, question: str) -> int:
        usage = (await said(made, messages=bear(name, question), max_tokens=1))["usage"]
        return int(usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"])

    async with engine(file, context=2048, concurrent=AT_ONCE, prompts_mib=64, patience_seconds=600) as made:
        for question in ("Hello!", "Tell me a joke."):
            left = [await unread(made, name, question) for name in names]
        at_once = await asyncio.gather(*(unread(made, name, "Why?") for name in names[:AT_ONCE]))

    assert max(*left, *at_once) < 20


async def test_when_the_model_dies_each_answer_ends_as_promised_and_it_is_started_again_once(file: Path) -> None:
    async with engine(file, context=2048, concurrent=AT_ONCE, alone=True) as made:
        app = service(gguf=made, companion=Companion())
        begun = [made.chat(asked(stream=True, messages=STORY, max_tokens=400)) for _ in range(AT_ONCE - 1)]
        for answer in begun:
            await anext(answer)
        async with client_of(app) as client:
            question = {"model": "x", "messages": LONG, "max_tokens": 5}
            unbegun = asyncio.create_task(client.post("/v1/chat/completions", json=question))
            await asyncio.sleep(0.3)
            before = made.server.pid
            os.kill(before, signal.SIGKILL)
            ends = await asyncio.gather(*(_rest(answer) for answer in begun), return_exceptions=True)
            other = await unbegun
        async with asyncio.timeout(120):
            while not await answered(made):
                await asyncio.sleep(0.05)
        after = made.server.pid
        answers = await asyncio.gather(*(said(made) for _ in range(AT_ONCE)))

        assert before != made.server.pid == after

    assert all(isinstance(end, Exception) for end in ends)
    assert other.headers[ENGINE_HEADER] == "companion"
    assert all(text(answer) for answer in answers)


async def _rest(answer: Any) -> None:
    async for _ in answer:
        pass
