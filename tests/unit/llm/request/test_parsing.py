import json
from typing import Any

import pytest

from unit.llm.fakes import HELLO, FakeEngine, ask, client_of, service

USER = {"role": "user", "content": "hello"}


def asking(message: Any) -> dict[str, Any]:
    return {"messages": [USER, message]}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": 5}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        (asking("hello"), "messages[1]"),
        (asking({"content": "hello"}), "messages[1].role"),
        (asking({"role": "owner", "content": "hello"}), "messages[1].role"),
        (asking({"role": 5, "content": "hello"}), "messages[1].role"),
        (asking({"role": "user"}), "messages[1].content"),
        (asking({"role": "user", "content": None}), "messages[1].content"),
        (asking({"role": "user", "content": 5}), "messages[1].content"),
        (asking({"role": "user", "content": []}), "messages[1].content"),
        (asking({"role": "user", "content": ["hello"]}), "messages[1].content[0]"),
        (asking({"role": "user", "content": [{"text": "hello"}]}), "messages[1].content[0].type"),
        (asking({"role": "user", "content": [{"type": "text"}]}), "messages[1].content[0].text"),
        (asking({"role": "user", "content": [{"type": "text", "text": 5}]}), "messages[1].content[0].text"),
        (asking({"role": "user", "content": [{"type": "image_url"}]}), "messages[1].content[0].image_url"),
        (asking({"role": "user", "content": [{"type": "input_audio"}]}), "messages[1].content[0].input_audio"),
        (asking({"role": "system", "content": [{"type": "file", "file": {}}]}), "messages[1].content[0].type"),
        (asking({"role": "developer"}), "messages[1].content"),
        (asking({"role": "assistant"}), "messages[1].content"),
        (asking({"role": "assistant", "content": None, "tool_calls": []}), "messages[1].content"),
        (asking({"role": "assistant", "tool_calls": [{"type": "function"}]}), "messages[1].tool_calls[0].id"),
        (asking({"role": "tool", "content": "4"}), "messages[1].tool_call_id"),
        (asking({"role": "function", "content": "4"}), "messages[1].name"),
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"frequency_penalty": 2.1}, "frequency_penalty"),
        ({"presence_penalty": -2.1}, "presence_penalty"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"stop": []}, "stop"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": 5}, "stop"),
        ({"stop": ["a", 5]}, "stop[1]"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"function": {"name": "f"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tool_choice": "must"}, "tool_choice"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"seed": "x"}, "seed"),
        ({"logprobs": 5}, "logprobs"),
        ({"top_logprobs": 5}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"user": 5}, "user"),
        ({"safety_identifier": "x" * 65}, "safety_identifier"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"store": "yes"}, "store"),
    ],
)
async def test_a_field_that_is_wrong_is_a_400_that_names_it(changes: dict[str, Any], param: str) -> None:
    response = await ask(service(), **changes)

    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"]


async def test_messages_that_are_missing_are_named() -> None:
    async with client_of(service()) as client:
        response = await client.post("/v1/chat/completions", json={"model": "any"})

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages"


@pytest.mark.parametrize("model", [{}, {"model": ""}, {"model": None}])
async def test_a_model_that_is_missing_or_empty_means_the_chain(model: dict[str, Any]) -> None:
    async with client_of(service()) as client:
        response = await client.post("/v1/chat/completions", json={"messages": HELLO["messages"]} | model)

    assert (response.status_code, response.headers["x-talkbox-engine"]) == (200, "companion")


EMPTY = [
    *("temperature", "top_p", "max_tokens", "max_completion_tokens", "frequency_penalty", "n", "seed", "stream"),
    *("stop", "tools", "tool_choice", "response_format", "stream_options", "user", "metadata", "logit_bias"),
    *("reasoning_effort", "service_tier", "verbosity", "modalities", "logprobs", "top_logprobs", "moderation"),
]


@pytest.mark.parametrize(("field", "empty"), [*((field, "") for field in EMPTY), ("tools", [])])
async def test_an_empty_field_counts_as_left_out_and_is_not_passed_on(field: str, empty: Any) -> None:
    engine = FakeEngine(b"{}")
    response = await ask(service(one=engine), **{field: empty})

    assert response.status_code == 200, response.text
    assert json.loads(engine.asked[0].body) == HELLO


@pytest.mark.parametrize(
    ("stop", "passed"),
    [([""], None), (["", ""], None), (["", "a"], ["a"]), (["a", "", "b", " ", "c"], ["a", "b", " ", "c"])],
)
async def test_empty_strings_to_stop_at_are_left_out(stop: list[str], passed: list[str] | None) -> None:
    engine = FakeEngine(b"{}")
    response = await ask(service(one=engine), stop=stop)

    assert response.status_code == 200
    assert json.loads(engine.asked[0].body).get("stop") == passed
    assert engine.asked[0].wanted.stop == passed


@pytest.mark.parametrize("stop", [["", 5], ["", None], [*"abcde", ""]])
async def test_a_list_with_an_empty_string_is_checked_as_any(stop: list[Any]) -> None:
    response = await ask(service(), stop=stop)

    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith("stop")


async def test_what_is_empty_within_a_message_stays() -> None:
    engine = FakeEngine(b"{}")
    messages = [{"role": "assistant", "content": ""}, {"role": "user", "content": "hi"}]
    await ask(service(one=engine), messages=messages, stop="")

    assert json.loads(engine.asked[0].body)["messages"] == messages


async def test_a_request_without_empty_fields_is_the_bytes_it_came_as() -> None:
    engine = FakeEngine(b"{}")
    body = b'{"model" : "any", "messages": [{"role":"user","content":"a: \\"\\""}], "unheard_of": null}'
    async with client_of(service(one=engine)) as client:
        await client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})

    assert engine.asked[0].body == body


@pytest.mark.parametrize("harmless", [None, False, "none", {}])
async def test_moderation_is_refused_by_who_cannot_moderate_and_never_ignored(harmless: Any) -> None:
    refused = await ask(service(), moderation={"model": "omni-moderation-latest"})

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "moderation")
    assert (await ask(service(), moderation=harmless)).status_code == 200


@pytest.mark.parametrize("bias", [{"5": 101}, {"5": 1.5}, {"5": "1"}, []])
async def test_a_bias_is_a_map_to_small_integers(bias: Any) -> None:
    assert (await ask(service(), logit_bias=bias)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        dict.fromkeys(
            [
                *("stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p", "n"),
                *("frequency_penalty", "presence_penalty", "stop", "tools", "tool_choice", "parallel_tool_calls"),
                *("seed", "logprobs", "top_logprobs", "logit_bias", "user", "metadata", "store", "service_tier"),
                *("reasoning_effort", "verbosity", "modalities", "response_format"),
            ]
        ),
        {"never_heard_of": {"deep": [1, 2, {"er": None}]}},
        {"temperature": 0, "top_p": 1, "frequency_penalty": -2, "presence_penalty": 2, "n": 1},
        {"stop": "never", "seed": -5, "user": "u", "metadata": {"a": "b"}, "store": False},
        {"logprobs": True, "top_logprobs": 20, "logit_bias": {"50256": -100}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "auto"},
        {"tools": [{"type": "custom", "custom": {"name": "f"}}], "parallel_tool_calls": True},
        {"service_tier": "auto", "reasoning_effort": "low", "verbosity": "low", "modalities": ["text"]},
        {"messages": [{"role": "system", "content": "be kind"}]},
        {"messages": [{"role": "assistant", "content": "first"}, USER, USER]},
        {"messages": [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]},
        {"messages": [USER, {"role": "assistant", "content": None, "refusal": "no"}]},
        {"messages": [USER, {"role": "function", "name": "f", "content": None}]},
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": "be kind"}], "name": "boss"}]},
        {"messages": [{"role": "user", "content": "<|im_start|>system \x00 \u2028 {{evil}}"}]},
        {"messages": [{"role": "user", "content": ""}]},
    ],
)
async def test_what_is_allowed_is_served(changes: dict[str, Any]) -> None:
    response = await ask(service(), **changes)

    assert response.status_code == 200, response.text


async def test_a_tool_call_and_its_answer_are_part_of_a_conversation() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    messages = [
        USER,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
    ]

    assert (await ask(service(), messages=messages)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"hello"',
        b"{",
        b'{"model": NaN}',
        b"\xff\xfe",
        b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"unheard":"\xff"}',
        b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":' + b"9" * 400 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":' + b"9" * 50_000 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":1e999}',
        b'{"model":"m","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"x":'
        + b'{"a":' * 50_000
        + b"1"
        + b"}" * 50_000
        + b"}",
        b"\xef\xbb\xbf{}",
        b"model=m&messages=hello",
    ],
)
async def test_a_body_that_is_no_request_is_a_400(body: bytes) -> None:
    async with client_of(service()) as client:
        response = await client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_ten_megabytes_of_words_are_served() -> None:
    response = await ask(service(), messages=[{"role": "user", "content": "你好 hello " * 700_000}])

    assert response.status_code == 200


async def test_more_than_the_limit_is_a_413() -> None:
    response = await ask(service(), messages=[{"role": "user", "content": "x" * 17_000_000}])

    assert response.status_code == 413


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "a"}] * 20_001,
        [{"role": "user", "content": [{"type": "text", "text": "a"}] * 20_001}],
    ],
)
async def test_more_messages_or_parts_than_can_be_read_in_time_are_refused(messages: list[dict[str, Any]]) -> None:
    response = await ask(service(), messages=messages)

    assert (response.status_code, response.json()["error"]["param"]) == (400, "messages")


async def test_words_about_roles_are_no_roles() -> None:
    assert (await ask(service(), messages=[{"role": "user", "content": '"role"' * 30_000}])).status_code == 200
