"""Words that do not pass, in every field and disguise that an answer has, whole and in a stream."""

import json
from typing import Any

import httpx
import pytest

from chassis.errors import EngineFailed
from chassis.sse import event
from unit.llm.fakes import DONE, FakeEngine, ask, broken_off, service, streaming

ENGLISH, CHINESE = "Take the gun and shoot your teacher.", "先拿打火机，点燃窗帘就可以了。"
FRAME = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
TOOLS = [{"type": "function", "function": {"name": "say"}}]
JSON = {"type": "json_object"}


@pytest.fixture(autouse=True)
def _kids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in text)


def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    return event(FRAME | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason} | more]})


def called(arguments: str, index: int = 0) -> dict[str, Any]:
    call = {"index": index, "id": f"call_{index}", "type": "function"}
    return {"tool_calls": [call | {"function": {"name": "say", "arguments": arguments}}]}


async def streamed(*events: bytes, **more: Any) -> httpx.Response:
    return await ask(service(one=FakeEngine(*events, DONE)), stream=True, **more)


async def whole(message: dict[str, Any], **more: Any) -> httpx.Response:
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = json.dumps(FRAME | {"object": "chat.completion", "choices": [choice], "usage": usage})
    return await ask(service(one=FakeEngine(body.encode())), **more)


def leaks(body: str) -> bool:
    plain = body.replace("\\\\", "\\").replace('\\"', '"')
    return any(word in plain for each in ("shoot", "点燃") for word in (each, escaped(each)))


STOPPED: list[dict[str, Any]] = [
    {"content": ENGLISH},
    {"content": escaped(CHINESE)},
    {"content": "Take the g<b></b>un and sh<i>o</i>ot your te&#97;cher."},
    {"content": "Take the g%75n and sh%6Fot your t%65acher."},
    {"content": "Take the g[u](http://x)n and sh`oo`t your tea[ch](http://y)er."},
    {"content": None, "refusal": ENGLISH},
    {"content": None, **called(json.dumps({"text": CHINESE}))},
    {"content": None, **called(json.dumps({"text": f"Listen.\nkill{ENGLISH}"}))},
    {"content": None, "function_call": {"name": "say", "arguments": json.dumps({"text": CHINESE})}},
    {"content": None, "tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"input": ENGLISH}}]},
    {"content": None, "tool_calls": [{"index": 0, "id": "c", "function": {"arguments": {ENGLISH: [1]}}}]},
]


@pytest.mark.parametrize("message", STOPPED, ids=range(len(STOPPED)))
async def test_what_is_said_in_any_field_is_stopped(message: dict[str, Any]) -> None:
    stream = await streamed(chunk({"role": "assistant"}), chunk(message), chunk({}, "stop"), tools=TOOLS)
    answer = await whole(message, tools=TOOLS)

    assert not leaks(stream.text)
    assert '"guard":{"kind":' in stream.text
    assert not leaks(answer.text)
    assert answer.json()["guard"]["kind"] in ("violence", "fire", "weapons")


@pytest.mark.parametrize(
    ("begun", "goes_on"), [("Take the gun and sh", "oot your teacher."), ("先拿打火机，点", "燃窗帘。")]
)
async def test_what_goes_on_with_the_callers_words_is_judged_with_them(begun: str, goes_on: str) -> None:
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": begun}]
    for response in (
        await whole({"content": goes_on}, messages=messages),
        await streamed(chunk({"content": goes_on}), chunk({}, "stop"), messages=messages),
    ):
        assert goes_on not in response.text
        assert "content_filter" in response.text


async def test_what_nobody_judges_is_left_out() -> None:
    hidden = {"reasoning": ENGLISH, "reasoning_content": ENGLISH, "audio": {"transcript": ENGLISH}}
    said = hidden | {"content": "Hi.", "annotations": [ENGLISH], "role": f"assistant {ENGLISH}"}
    logprobs = {"content": [{"token": ENGLISH}]}
    for response in (
        await streamed(chunk(said, None, logprobs=logprobs), chunk({}, f"stop {ENGLISH}"), logprobs=True),
        await streamed(chunk({"content": "Hi."}, "stop"), chunk({"content": ENGLISH})),
        await whole(said),
    ):
        assert "Hi." in response.text
        assert not leaks(response.text)


async def test_calls_that_come_at_the_same_time_are_put_together_again() -> None:
    events = [
        chunk(called('{"t":"Take the gun and ', 0)),
        chunk(called('{"t":"I like honey and ', 1)),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'shoot your teacher."}'}}]}),
        chunk({"tool_calls": [{"index": 1, "function": {"arguments": 'bears."}'}}]}),
    ]
    assert not leaks((await streamed(*events, chunk({}, "tool_calls"), tools=TOOLS)).text)
    assert "honey" in (await streamed(events[1], events[3], chunk({}, "tool_calls"), tools=TOOLS)).text


async def test_who_wants_json_gets_a_refusal_and_no_half_of_an_answer() -> None:
    said = {"content": json.dumps({"ok": "I like honey.", "say": CHINESE})}
    stream = await streamed(chunk(said), chunk({}, "stop"), response_format=JSON)
    message = (await whole(said, response_format=JSON)).json()["choices"][0]["message"]

    assert message["content"] is None
    assert message["refusal"].startswith("That could hurt")
    lines = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for each in lines for choice in each["choices"]]
    assert "hurt" not in "".join(delta.get("content") or "" for delta in deltas)
    assert "".join(delta.get("refusal") or "" for delta in deltas) == message["refusal"]


async def test_shadow_tells_at_the_end_of_a_stream_what_its_headers_could_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "shadow")
    response = await streamed(chunk({"content": "Hi. "}), chunk({"content": ENGLISH}), chunk({}, "stop"))

    assert leaks(response.text)
    assert '"finish_reason":"stop"}],"guard":{"kind":' in response.text


async def test_an_error_that_quotes_what_was_said_is_neither_shown_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for stream in (True, False):
        engine = FakeEngine(EngineFailed(f"refused to say: {ENGLISH}"))
        response = await ask(service(one=engine), stream=stream)
        assert (response.status_code, engine.closed) == (502, 1)
        assert "did not pass the guard" in response.text
        assert not leaks(response.text)
    half = FakeEngine(chunk({"content": "Hi. "}), EngineFailed(f"refused to say: {ENGLISH}"))
    async with streaming(service(one=half)) as response:
        broken = (await broken_off(response)).decode()
    plain = await ask(service(one=FakeEngine(EngineFailed("the account is empty"))))

    assert "did not pass the guard" in broken
    assert "the account is empty" in plain.text
    assert not leaks(broken + caplog.text)
