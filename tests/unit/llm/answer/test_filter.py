import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fixtures.thoughts import ANSWER, THOUGHTFUL
from llm.answer.filter import Strainer

DONE = b"data: [DONE]\n\n"


def chunk(finish: str | None = None, index: int = 0, **delta: Any) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'c', 'model': 'm', 'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


def said(*texts: str) -> list[bytes]:
    return [chunk(role="assistant", content=""), *(chunk(content=text) for text in texts), chunk("stop"), DONE]


async def strained(strainer: Strainer, *pieces: bytes) -> list[bytes]:
    async def arriving() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [piece async for piece in strainer.events(arriving())]


def words(pieces: list[bytes]) -> str:
    lines = [line[6:] for line in b"".join(pieces).decode().splitlines() if line.startswith("data: {")]
    return "".join(json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines)


def strainer(*, reasoning: bool = False, markdown: bool = False, begun: bool = False) -> Strainer:
    return Strainer(thoughts=True, reasoning=reasoning, markdown=markdown, begun=begun)


async def test_an_answer_without_thoughts_stays_the_bytes_it_came_as() -> None:
    pieces = [b": waiting\n\n", *said("Hello", " **there**"), b"data: [DONE]\n\n"]

    assert await strained(strainer(), *pieces) == pieces


async def test_tags_cut_over_events_are_taken_out() -> None:
    out = await strained(strainer(), *said("<th", "ink>", "so", "</thi", "nk>\n\n", "Hello", " there"))

    assert words(out) == "Hello there"
    assert out[-1] == DONE


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("text", THOUGHTFUL)
async def test_every_mark_of_a_thought_is_noticed_in_the_bytes_of_a_stream(text: str, size: int, escaped: bool) -> None:
    pieces = said(*(text[at : at + size] for at in range(0, len(text), size)))
    if escaped:
        pieces = [re.sub(r"[<＜◁]", lambda m: f"\\u{ord(m[0]):04x}", piece.decode()).encode() for piece in pieces]

    assert words(await strained(strainer(), *pieces)) == ANSWER


async def test_a_tag_whose_letters_are_escaped_is_one_too() -> None:
    out = await strained(strainer(), *said("<think>so</think>Hello")[:1], chunk(content="<").replace(b"<", b"\\u003c"),
                         *said("think>so</think>Hello")[1:])  # fmt: skip

    assert words(out) == "Hello"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_thoughts_in_a_field_of_their_own_are_taken_out_only_where_wanted(field: str) -> None:
    pieces = [
        chunk(role="assistant", content=None, reasoning_content="").replace(b"reasoning_content", field.encode()),
        chunk(reasoning_content="so").replace(b"reasoning_content", field.encode()),
        *said("Hello")[1:],
    ]

    assert await strained(strainer(), *pieces) == pieces
    out = b"".join(await strained(strainer(reasoning=True), *pieces))
    assert field.encode() not in out
    assert out.count(b"data:") == 4  # who speaks, the word, its end


async def test_somebody_is_seen_to_be_there_while_only_thoughts_come() -> None:
    out = await strained(strainer(reasoning=True), chunk(reasoning_content="so"), chunk(reasoning_content="so"))

    assert len(out) == 1


async def test_a_guess_that_the_answer_begins_in_a_thought_is_right_or_nothing_is_lost() -> None:
    right, wrong, apart = strainer(begun=True), strainer(begun=True), strainer(begun=True)

    assert words(await strained(right, *said("so the child", "</think>", "Hello"))) == "Hello"
    assert (right.unopened, right.guessed_wrong) == (True, False)
    assert words(await strained(wrong, *said("Hel", "lo"))) == "Hello"
    assert wrong.guessed_wrong
    out = await strained(apart, chunk(role="assistant"), chunk(reasoning_content="so"), chunk(content="Hel"), DONE)
    assert words(out[-2:]) == "Hel"
    assert apart.guessed_wrong


async def test_a_thought_never_seen_to_begin_is_noted() -> None:
    seen = strainer()

    assert words(await strained(seen, *said("so ", "</think>", "Hello"))) == "so Hello"
    assert seen.unopened


async def test_markdown_is_smoothed_in_each_choice_alone() -> None:
    pieces = [chunk(content="*", index=0), chunk(content="*", index=1), chunk(content="*a**", index=0)]
    out = b"".join(
        await strained(strainer(markdown=True), *pieces, chunk("stop", 1, content="b*"), chunk("stop"), DONE)
    )

    chunks = [json.loads(line[6:])["choices"][0] for line in out.decode().splitlines() if line.startswith("data: {")]
    for index, text in ((0, "a"), (1, "b")):
        assert "".join(each["delta"].get("content", "") for each in chunks if each["index"] == index) == text


async def test_what_was_held_back_is_said_before_the_end() -> None:
    out = await strained(strainer(markdown=True), chunk(content="Hello [bear"), chunk("stop"), DONE)

    assert words(out) == "Hello [bear"
    assert words(await strained(strainer(markdown=True), chunk(content="Hello [bear"), DONE)) == "Hello [bear"


async def test_calls_of_tools_and_usage_pass() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{**}"}}
    usage = b'data: {"choices":[],"usage":{"total_tokens":5}}\n\n'
    out = await strained(strainer(markdown=True), chunk(tool_calls=[call]), chunk("tool_calls"), usage, DONE)

    assert b"{**}" in out[0]
    assert out[-2:] == [usage, DONE]


async def test_a_line_separator_in_what_is_said_cuts_no_event() -> None:
    out = await strained(strainer(markdown=True), chunk(content="a\u2028b"), DONE)

    assert "\u2028".encode() not in b"".join(out)
    assert words(out) == "a\u2028b"


def test_a_whole_answer_is_strained() -> None:
    message = {"content": "so\n</think>\n\n**Hello**", "reasoning_content": "so", "tool_calls": None}
    body = json.dumps({"choices": [{"message": message}]}).encode()

    shown = json.loads(strainer(reasoning=True, markdown=True).whole(body))["choices"][0]["message"]
    assert shown == {"content": "Hello", "tool_calls": None}


def test_a_whole_answer_without_thoughts_stays_the_bytes_it_came_as() -> None:
    body = b'{"choices" : [{"message": {"content": "Hello", "reasoning_content": "so"}}]}'

    assert strainer().whole(body) is body
