"""Whole answers for the ear: in the time of a stream, and held by blanks, so that nobody's read timeout fires."""

import json
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from chassis.chain.chain import ENGINE_HEADER
from chassis.errors import ApiError, BadRequest, EngineFailed
from chassis.upstream.settings import Row
from fixtures.serving import serving
from imitations.upstream import Manner, Upstream
from llm.app import assemble
from llm.engines.companion.engine import Companion
from llm.engines.openai.engine import OpenAIChat
from llm.excuse import BROKEN_OFF, NO_ANSWER
from llm.settings import RelayOptions, Settings
from unit.llm.fakes import HELLO, FakeEngine, ask, broken_off, chain_of, client_of, service
from unit.llm.test_chat_completions import freed
from unit.llm.test_guarding import CHUNKS, DANGER

PATH = "/v1/chat/completions"
BEGUN, SAID = CHUNKS.begun() + CHUNKS.said("Once"), CHUNKS.said(" upon a time.")
END = CHUNKS.ended("stop") + b"data: [DONE]\n\n"
EAR = Settings(for_the_ear=True, first_byte_seconds=0.2, keep_alive_seconds=0.05)
SLOW = FakeEngine(BEGUN, 0.5, SAID, END)
WEATHER = [{"type": "function", "function": {"name": "weather"}}]


def choice_of(response: httpx.Response) -> dict[str, Any]:
    [choice] = response.json()["choices"]
    assert isinstance(choice, dict)
    return choice


async def test_an_engine_that_hangs_costs_the_first_byte_budget_and_not_the_time_of_a_whole_answer() -> None:
    response = await ask(service(EAR, one=FakeEngine(60.0), two=Companion()))

    assert response.headers[ENGINE_HEADER] == "two"
    assert choice_of(response)["message"]["content"]


async def test_an_engine_that_works_may_take_longer_and_blanks_hold_its_caller() -> None:
    async with serving(service(EAR, one=SLOW, two=Companion())) as base:
        async with httpx.AsyncClient(base_url=base) as client, client.stream("POST", PATH, json=HELLO) as response:
            pieces = [piece async for piece in response.aiter_raw()]
        async with AsyncOpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0, timeout=30) as sdk:
            answer = await sdk.chat.completions.create(model="any", messages=[{"role": "user", "content": "hi"}])

    assert pieces[0] == b"\n"
    assert len(pieces) > 2
    assert json.loads(b"".join(pieces))["choices"][0]["message"]["content"] == "Once upon a time."
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Once upon a time.", "stop")
    assert answer.object == "chat.completion"


async def test_an_answer_in_time_has_its_length_and_nothing_ahead_of_it() -> None:
    response = await ask(service(Settings(for_the_ear=True), one=FakeEngine(BEGUN, SAID, END)))

    assert response.content.startswith(b"{")
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.json()["usage"]["estimated"] is True


async def test_an_answer_that_breaks_off_ends_in_words_and_is_no_whole_one() -> None:
    choice = choice_of(await ask(service(EAR, one=FakeEngine(BEGUN, EngineFailed("broke off")))))

    assert choice["message"]["content"] == "Once" + BROKEN_OFF["en"]
    assert choice["finish_reason"] == "length"


async def test_an_answer_that_never_ends_is_ended_by_the_time_of_a_whole_one() -> None:
    settings = Settings(for_the_ear=True, answer_seconds=0.2)

    choice = choice_of(await ask(service(settings, one=FakeEngine(BEGUN, 60.0))))

    assert choice["message"]["content"] == "Once" + BROKEN_OFF["en"]


async def test_a_program_that_calls_tools_gets_no_half_answer() -> None:
    response = await ask(service(EAR, one=FakeEngine(BEGUN, EngineFailed("broke off"))), tools=WEATHER)

    assert choice_of(response)["message"]["content"] == NO_ANSWER["en"]


@pytest.mark.parametrize("failure", [EngineFailed("it broke"), BadRequest("no")])
async def test_a_failure_after_the_blanks_is_words_or_a_broken_body(failure: ApiError) -> None:
    app = service(
        Settings(for_the_ear=True, first_byte_seconds=0.05, keep_alive_seconds=0.05), one=FakeEngine(0.3, failure)
    )
    async with (
        serving(app) as base,
        httpx.AsyncClient(base_url=base) as client,
        client.stream("POST", PATH, json=HELLO) as response,
    ):
        if isinstance(failure, BadRequest):
            assert json.loads(await broken_off(response))["error"]["message"] == "no"
        else:
            body = b"".join([piece async for piece in response.aiter_raw()])
            assert json.loads(body)["choices"][0]["message"]["content"] == NO_ANSWER["en"]

    assert response.status_code == 200


async def test_what_the_guard_stops_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")
    response = await ask(service(EAR, one=FakeEngine(CHUNKS.begun(), CHUNKS.said(DANGER), END)))

    assert "strike" not in choice_of(response)["message"]["content"]
    assert response.json()["guard"] == {"kind": response.headers["x-talkbox-guard"]}
    assert response.json()["usage"]


async def test_a_caller_who_leaves_ends_the_work() -> None:
    engine = FakeEngine(BEGUN, 60.0)
    chain = chain_of(one=engine)
    async with serving(assemble(EAR, chain)) as base, httpx.AsyncClient(base_url=base) as client:
        async with client.stream("POST", PATH, json=HELLO) as response:
            assert await anext(response.aiter_raw()) == b"\n"
        await freed(chain, engine)


async def test_an_upstream_is_asked_for_a_stream_where_words_are_wanted() -> None:
    calls = Manner((), calls=(("weather", '{"city": "Paris"}'),), finish_reason="tool_calls")
    async with Upstream(judge=lambda sent: calls if sent.get("tools") else None) as upstream:
        row = OpenAIChat(Row("up", upstream.base_url, "k", model="m"), RelayOptions(for_the_ear=True))
        async with client_of(assemble(Settings(for_the_ear=True), chain_of(up=row))) as client:
            words = await client.post(PATH, json=HELLO)
            called = await client.post(PATH, json=HELLO | {"tools": WEATHER})
            others: list[dict[str, Any]] = [{"response_format": {"type": "json_object"}}, {"logprobs": True}]
            whole = [await client.post(PATH, json=HELLO | more) for more in others]
        await row.aclose()

    assert [bool(seen.json.get("stream")) for seen in upstream.seen] == [True, True, False, False]
    assert choice_of(words)["message"] == {"role": "assistant", "content": "Hello there, friend."}
    assert words.json()["usage"]["total_tokens"]
    assert "estimated" not in words.json()["usage"]
    [call] = choice_of(called)["message"]["tool_calls"]
    assert (call["function"]["name"], "index" in call) == ("weather", False)
    assert [each.status_code for each in whole] == [200, 200]
