import json
import re
from datetime import datetime
from typing import Any

import pytest

from llm.accounts import tokens
from llm.engines.companion.engine import TOKEN, Companion
from unit.llm.fakes import ask, service

STORY = [{"role": "user", "content": "tell me a story"}]


async def whole(**changes: Any) -> Any:
    response = await ask(service(), **{"seed": 1, "messages": STORY} | changes)
    assert response.status_code == 200, response.text
    return response.json()


async def words(**changes: Any) -> str:
    return str((await whole(**changes))["choices"][0]["message"]["content"])


async def chunks(**changes: Any) -> list[Any]:
    response = await ask(service(), **{"seed": 1, "messages": STORY, "stream": True} | changes)
    *events, done = response.text.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


async def test_the_pieces_of_a_stream_are_small_and_make_the_whole() -> None:
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in await chunks()]

    assert "".join(pieces) == await words()
    assert len(pieces) > 10
    assert all(len(TOKEN.findall(piece)) <= 3 for piece in pieces)


async def test_a_seed_says_the_same_again_and_others_say_other_things() -> None:
    assert len({await words(seed=7) for _ in range(5)}) == 1
    assert len({await words(seed=seed) for seed in range(20)}) > 1


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_a_token_limit_is_kept_and_told(field: str) -> None:
    answer = await whole(**{field: 5})

    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5
    assert (await words()).startswith(answer["choices"][0]["message"]["content"])
    assert [chunk["choices"][0]["finish_reason"] for chunk in await chunks(**{field: 5})][-1] == "length"


async def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    assert (await whole(max_tokens=4096))["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stop", [",", [",", "never"], ["never", "."], [""]])
async def test_a_stop_string_ends_the_answer_and_is_not_returned(stop: Any) -> None:
    full, answer = await words(), await whole(stop=stop)

    expected = min((full.find(each) for each in stop if each and each in full), default=len(full))
    assert answer["choices"][0]["message"]["content"] == full[:expected]
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_several_choices_are_numbered_and_differ() -> None:
    answer = await whole(n=6)

    assert [choice["index"] for choice in answer["choices"]] == list(range(6))
    assert len({choice["message"]["content"] for choice in answer["choices"]}) > 1
    assert {chunk["choices"][0]["index"] for chunk in await chunks(n=3)} == {0, 1, 2}


async def test_usage_adds_up_and_is_streamed_where_asked_for() -> None:
    usage = (await whole())["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0

    streamed = await chunks(stream_options={"include_usage": True})
    assert streamed[-1]["usage"] == usage
    assert not any("usage" in chunk for chunk in await chunks(stream_options={"include_usage": False}))


async def test_a_long_history_is_counted_roughly() -> None:
    usage = (await whole(messages=[{"role": "user", "content": "one " * 25_000}]))["usage"]

    assert 24_000 < usage["prompt_tokens"] < 26_000


async def test_json_is_json_where_it_is_asked_for() -> None:
    assert list(json.loads(await words(response_format={"type": "json_object"}))) == ["reply"]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"verbosity": "loud"}, "verbosity"),
        ({"service_tier": "golden"}, "service_tier"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]},
            "messages[0].content[0]",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "object", "properties": {}}},
                }
            },
            "response_format",
        ),
    ],
)
async def test_what_needs_a_model_is_a_400_that_says_so(changes: dict[str, Any], param: str) -> None:
    response = await ask(service(), **changes)

    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, param)
    assert "LLM_ENGINES" in error["message"] or "expected one of" in error["message"]


@pytest.mark.parametrize("choice", ["none", "auto"])
async def test_tools_are_never_called(choice: str) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]

    answer = await whole(tools=tools, tool_choice=choice)

    assert "tool_calls" not in answer["choices"][0]["message"]
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_the_companion_has_no_models_to_pick() -> None:
    response = await ask(service(), model="companion/large")

    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")


async def test_the_clock_is_the_one_given() -> None:
    companion = Companion(now=lambda: datetime(2026, 1, 1, 15, 30))

    answer = await ask(service(companion=companion), messages=[{"role": "user", "content": "现在几点"}])

    assert answer.json()["choices"][0]["message"]["content"] == "现在是下午三点30分。"


def test_tokens_joined_are_the_text() -> None:
    text = "  Hello, 你好 \n\n it's 12:30!  "

    assert "".join(TOKEN.findall(text)) == text
    assert re.fullmatch(r"\s*\S*\s*", TOKEN.findall(text)[0])


@pytest.mark.parametrize("stream", [True, False])
async def test_its_tokens_are_counted_for_the_key_as_they_are_told(stream: bool) -> None:
    counted = tokens.labels("", "companion", "completion", "estimate")
    before = counted._value.get()
    await ask(service(), seed=1, messages=STORY, max_tokens=5, stream=stream)

    assert counted._value.get() == before + 5
