import json
from typing import Any

import pytest

from chassis.errors import ApiError, EngineFailed
from chassis.upstream.refusals.meaning import within_success
from llm.answer.relay import Wordless
from llm.answer.whole import NoAnswer, answer_of, is_page, mended
from unit.llm.answer.streams import BEGIN, FRAME, Relay, chunk, said, strainer

WHOLE = FRAME | {"object": "chat.completion"}


def body(message: dict[str, Any], reason: Any = "stop", **fields: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return json.dumps(WHOLE | {"choices": [choice]} | fields).encode()


def put_right(came: bytes, **strain: bool) -> Any:
    return json.loads(mended(came, answer_of(came, within_success, "asked"), strainer(**strain), "asked"))


def test_a_whole_answer_that_is_as_it_should_be_stays_the_bytes_it_came_as() -> None:
    came = body({"role": "assistant", "content": "Hello <b>", "refusal": None}, own=[1.10])

    assert mended(came, answer_of(came, within_success, "asked"), strainer(reasoning=True), "asked") is came


@pytest.mark.parametrize("choice", [
    {"message": {"content": "Hi"}},
    {"delta": {"content": "Hi"}, "finish_reason": ""},
    {"text": "Hi", "index": 0, "finish_reason": "eos"},
    {"message": {"role": "bot", "content": [{"type": "text", "text": "Hi"}]}, "finish_reason": "end_turn"},
])  # fmt: skip
def test_a_whole_answer_is_put_right(choice: dict[str, Any]) -> None:
    answer = put_right(json.dumps({"choices": [choice]}).encode())

    assert answer["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ]
    assert (answer["object"], answer["model"]) == ("chat.completion", "asked")


def test_tool_calls_of_a_whole_answer_have_their_arguments_as_text() -> None:
    calls = [{"id": "c", "function": {"name": "f", "arguments": {"x": 1}}}]
    (choice,) = put_right(body({"role": "assistant", "content": None, "tool_calls": calls}, None))["choices"]

    assert choice["message"]["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    ]
    assert choice["finish_reason"] == "tool_calls"


def test_letters_of_a_whole_answer_that_are_none_are_replaced() -> None:
    came = body({"role": "assistant", "content": "CUT"})

    for broken in (b"\xff", rb"\ud83d"):
        assert put_right(came.replace(b"CUT", broken))["choices"][0]["message"]["content"] == "\ufffd"


@pytest.mark.parametrize(
    "message", [{"content": ""}, {"content": "<think>so</think>"}, {"content": None, "reasoning_content": "so"}]
)
def test_for_an_ear_a_whole_answer_without_a_word_is_none(message: dict[str, Any]) -> None:
    with pytest.raises(Wordless):
        put_right(body(message, "length"), reasoning=True, heard=True)
    assert put_right(body(message, "length"), reasoning=True)["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    "came",
    [
        b'{"error":{"message":"it broke"}}',
        b'[{"error":{"message":"it broke"}}]',
        b'{"object":"error","message":"it broke","code":500}',
        b'{"choices":null,"base_resp":{"status_code":1000,"status_msg":"it broke"}}',
        b'{"choices":[],"error":{"message":"it broke"}}',
        b'event: error\ndata: {"message":"it broke"}\n\n',
    ],
)
def test_an_error_in_place_of_an_answer_is_one(came: bytes) -> None:
    with pytest.raises(ApiError, match="it broke"):
        answer_of(came, within_success, "asked")


@pytest.mark.parametrize("came", [b"", b"null", b"{}", b'{"choices":[]}', b'{"choices":[{}]}', b"<html>", b"5"])
def test_what_is_no_answer_is_none(came: bytes) -> None:
    with pytest.raises(NoAnswer):
        answer_of(came, within_success, "asked")


def test_a_stream_in_place_of_a_whole_answer_becomes_one() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
    rest = {"index": 0, "function": {"arguments": "}"}}
    came = b"".join(
        [BEGIN, chunk(content="Hel"), chunk(content="lo"), chunk(tool_calls=[call]), chunk(tool_calls=[rest]),
         chunk("tool_calls"), b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n']
    )  # fmt: skip
    answer = put_right(came)

    assert answer["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            "finish_reason": "tool_calls",
        }
    ]
    assert (answer["usage"]["prompt_tokens"], answer["object"], answer["id"]) == (1, "chat.completion", FRAME["id"])


def test_a_stream_that_breaks_off_is_no_whole_answer() -> None:
    with pytest.raises(EngineFailed, match="broke off"):
        answer_of(BEGIN + chunk(content="Hel"), within_success, "asked")


async def test_a_whole_answer_becomes_chunks() -> None:
    used = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    came = body({"role": "assistant", "content": "Hello", "refusal": None}, "length", usage=used)
    [told] = await Relay(usage=dict).chunks(came)
    [choice] = told["choices"]

    assert (told["object"], told["usage"]) == ("chat.completion.chunk", used)
    assert (choice["delta"]["content"], choice["finish_reason"], "message" in choice) == ("Hello", "length", False)


@pytest.mark.parametrize(("first", "page"), [(b" \n{", False), (b"\xef\xbb\xbf<html>", True), (said()[0], False)])
def test_a_page_shows_in_its_first_bytes(first: bytes, page: bool) -> None:
    assert is_page(first) is page
