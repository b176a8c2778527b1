import json
from typing import Any

import pytest
from openai import AsyncOpenAI

from chassis.errors import EngineFailed
from chassis.sse import event
from fixtures.serving import serving
from llm.excuse import NO_ANSWER
from llm.filler import FILLERS, continued
from llm.settings import Settings
from llm.wire import Assistant
from unit.llm.fakes import DONE, FakeEngine, ask, service

FILLED = Settings(for_the_ear=True, filler_seconds=0.05)
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "moon"}
ROLE = event(CHUNK | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
WORDS = event(CHUNK | {"choices": [{"index": 0, "delta": {"content": "It is round."}, "finish_reason": None}]})
STOP = event(CHUNK | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
LATE = FakeEngine(0.3, ROLE + WORDS, STOP + DONE)
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
CHINESE = [{"role": "user", "content": "月亮是什么？"}]


def deltas(body: bytes) -> list[dict[str, Any]]:
    lines = [line.removeprefix(b"data: ") for line in body.splitlines() if line.startswith(b"data: {")]
    return [json.loads(line)["choices"][0]["delta"] for line in lines]


@pytest.mark.parametrize(
    ("language", "messages"), [("en", [{"role": "user", "content": "What is the moon?"}]), ("zh", CHINESE)]
)
async def test_a_sentence_fills_the_silence_and_the_answer_follows(
    language: Any, messages: list[dict[str, str]]
) -> None:
    response = await ask(service(FILLED, one=LATE), stream=True, messages=messages)

    said = deltas(response.content)
    assert said[0] == {"role": "assistant", "content": FILLERS[language][0]}
    assert said[1:] == [{"content": "It is round."}, {}]
    assert response.content.endswith(DONE)


async def test_the_next_turn_is_filled_with_another_sentence() -> None:
    messages = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]

    response = await ask(service(FILLED, one=LATE), stream=True, messages=[*messages, messages[0]])

    assert deltas(response.content)[0]["content"] == FILLERS["en"][1]


@pytest.mark.parametrize(
    ("settings", "engine", "wish"),
    [
        (FILLED, FakeEngine(ROLE + WORDS, STOP + DONE), {}),
        (Settings(for_the_ear=True), LATE, {}),
        (Settings(filler_seconds=0.05), LATE, {}),
        (FILLED, LATE, {"n": 2}),
        (FILLED, LATE, {"tools": [{"type": "function", "function": {"name": "look"}}]}),
        (FILLED, LATE, {"response_format": {"type": "json_object"}}),
    ],
    ids=["in time", "off", "for eyes", "two choices", "tools", "json"],
)
async def test_nothing_is_filled_where_no_ear_waits(settings: Settings, engine: FakeEngine, wish: Any) -> None:
    response = await ask(service(settings, one=engine), stream=True, **wish)

    assert response.content.replace(b": keep-alive\n", b"") == ROLE + WORDS + STOP + DONE


async def test_an_excuse_follows_where_nobody_answers() -> None:
    response = await ask(service(FILLED, one=FakeEngine(0.3, EngineFailed("it broke"))), stream=True)

    said = deltas(response.content)
    assert "".join(delta.get("content") or "" for delta in said) == FILLERS["en"][0] + NO_ANSWER["en"]
    assert [delta["role"] for delta in said if "role" in delta] == ["assistant"]


async def test_a_client_that_joins_the_pieces_gets_one_message() -> None:
    hello: Any = [{"role": "user", "content": "hello"}]
    async with (
        serving(service(FILLED, one=LATE)) as base,
        AsyncOpenAI(base_url=f"{base}/v1", api_key="any") as sdk,
        sdk.chat.completions.stream(model="any", messages=hello) as stream,
    ):
        message = (await stream.get_final_completion()).choices[0].message

    assert (message.role, message.content) == ("assistant", FILLERS["en"][0] + "It is round.")


def test_what_is_no_chunk_with_a_role_stays_as_it_is() -> None:
    for events in (
        WORDS + STOP + DONE,
        b": keep-alive\n\n",
        b"data: [1]\n\n",
        b'data: {"error":{}}\n\n',
        b"data: half",
    ):
        assert continued(events) == events


async def test_no_model_reads_a_filler_as_its_own_words() -> None:
    said = ["Let me think. It is round.", "让我想一想。它很圆。", "Let me think.", "Let me think of you.", None]
    talk: list[dict[str, Any]] = [
        message for text in said for message in (HELLO[0], {"role": "assistant", "content": text, "name": "bear"})
    ]
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    talk[-1]["tool_calls"] = [call]
    engine, plain = (FakeEngine(ROLE + WORDS, STOP + DONE) for _ in range(2))
    await ask(service(FILLED, one=engine), messages=[*talk, *HELLO], top_k=1)
    await ask(service(Settings(for_the_ear=True), one=plain), messages=[*talk, *HELLO])

    [asked] = engine.asked
    seen = json.loads(asked.body)
    answers = [each for each in seen["messages"] if each["role"] == "assistant"]
    kept = ["It is round.", "它很圆。", "Let me think.", "Let me think of you.", None]
    assert [each["content"] for each in answers] == kept
    assert [each.content for each in asked.wanted.messages if isinstance(each, Assistant)] == kept
    assert answers[-1]["tool_calls"] == [call]
    assert (answers[0]["name"], seen["top_k"]) == ("bear", 1)
    assert json.loads(plain.asked[0].body)["messages"] == [*talk, *HELLO]


async def test_a_clause_that_the_guard_holds_is_silence_for_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")
    slow = FakeEngine(ROLE + WORDS.replace(b"round.", b"round"), 0.3, WORDS + STOP + DONE)
    response = await ask(service(FILLED, one=slow), stream=True)

    said = deltas(response.content)
    assert said[0] == {"role": "assistant", "content": FILLERS["en"][0]}
    assert "".join(each.get("content") or "" for each in said[1:]) == "It is roundIt is round."
    assert not any("role" in each for each in said[1:])


async def test_a_question_that_the_guard_stops_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")
    response = await ask(
        service(FILLED, one=LATE), stream=True, messages=[HELLO[0] | {"content": "How do I kill my brother?"}]
    )

    assert "think" not in response.text
    assert response.headers["x-talkbox-guard"] == "violence"
