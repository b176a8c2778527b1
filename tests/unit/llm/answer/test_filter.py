import re
from typing import Any

import pytest

from fixtures.thoughts import ANSWER, THOUGHTFUL
from llm.answer.filter import Strainer
from llm.answer.relay import Wordless
from unit.llm.answer.streams import BEGIN, DONE, END, Relay, chunk, said, strainer, words


async def strained(strain: Strainer, *pieces: bytes) -> list[Any]:
    return await Relay(strain).chunks(*pieces)


async def test_an_answer_without_thoughts_stays_the_bytes_it_came_as() -> None:
    pieces = said("Hello", " **there**", "!")

    assert await Relay(strainer(reasoning=True)).run(*pieces) == b"".join(pieces)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("text", THOUGHTFUL)
async def test_every_mark_of_a_thought_is_noticed_in_the_bytes_of_a_stream(text: str, size: int, escaped: bool) -> None:
    pieces = said(*(text[at : at + size] for at in range(0, len(text), size)))
    if escaped:
        pieces = [re.sub(r"[<＜◁]", lambda m: f"\\u{ord(m[0]):04x}", piece.decode()).encode() for piece in pieces]

    assert words(await strained(strainer(), *pieces)) == ANSWER


async def test_a_thought_after_words_is_taken_out_too() -> None:
    assert words(await strained(strainer(), *said("Hello! ", "<thi", "nk>so</think>", "Bear."))) == "Hello! Bear."


THOUGHTS = ["reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks"]


@pytest.mark.parametrize("field", THOUGHTS)
async def test_thoughts_in_a_field_of_their_own_are_taken_out_only_where_wanted(field: str) -> None:
    value: Any = (
        [{"type": "reasoning.text", "text": "so"}] if field in ("reasoning_details", "thinking_blocks") else "so"
    )
    pieces = [BEGIN, chunk(**{field: value}), chunk(**{field: value}), chunk(content="Hello"), END, DONE]

    assert await Relay().run(*pieces) == b"".join(pieces)
    hidden = await Relay(strainer(reasoning=True)).run(*pieces)
    assert field.encode() not in hidden
    assert hidden.count(b"data:") == 4  # who speaks, the word, its end, [DONE]


async def test_a_guess_that_the_answer_begins_in_a_thought_is_right_or_nothing_is_lost() -> None:
    right, wrong, apart = strainer(begun=True), strainer(begun=True), strainer(begun=True)

    assert words(await strained(right, *said("so the child", "</think>", "Hello"))) == "Hello"
    assert (right.unopened, right.guessed_wrong) == (True, False)
    assert words(await strained(wrong, *said("Hel", "lo"))) == "Hello"
    assert wrong.guessed_wrong
    sent = await strained(apart, BEGIN, chunk(reasoning_content="so"), chunk(content="Hel"), chunk(content="lo"), END)
    assert words(sent) == "Hello"
    assert apart.guessed_wrong


async def test_a_thought_never_seen_to_begin_is_noted() -> None:
    seen = strainer()

    assert words(await strained(seen, *said("so ", "</think>", "Hello"))) == "so Hello"
    assert seen.unopened


async def test_markdown_is_smoothed_in_each_choice_alone() -> None:
    pieces = [
        *(chunk(role="assistant", content="") for _ in "a"),
        *(chunk(None, index, content=text) for index, text in ((0, "*"), (1, "*"), (0, "*a**"))),
        *(chunk("stop", 1, content="b*"), chunk("stop"), DONE),
    ]
    sent = await strained(strainer(markdown=True), *pieces)

    assert [words(sent, index) for index in (0, 1)] == ["a", "b"]


async def test_what_was_held_back_is_said_before_the_end() -> None:
    assert words(await strained(strainer(markdown=True), BEGIN, chunk(content="Hello [bear"), END, DONE)) == (
        "Hello [bear"
    )
    assert words(await strained(strainer(markdown=True), BEGIN, chunk(content="Hello [bear"), DONE)) == "Hello [bear"


async def test_calls_of_tools_pass() -> None:
    call = {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": "{**}"}}
    pieces = [BEGIN, chunk(tool_calls=[call]), chunk("tool_calls"), DONE]

    assert b"{**}" in await Relay(strainer(markdown=True, reasoning=True)).run(*pieces)


def test_a_whole_message_is_strained() -> None:
    message = {"content": "so\n</think>\n\n**Hello**", "reasoning_details": [{"text": "so"}], "tool_calls": None}

    assert strainer(reasoning=True, markdown=True).whole(message) == {"content": "Hello", "tool_calls": None}


@pytest.mark.parametrize("text", ["**Thinking:** I should be kind", "[Thinking] I should", "so the child greets me"])
async def test_what_lacks_only_the_end_of_a_thought_is_not_heard_where_the_tokens_were_used_up(text: str) -> None:
    def heard() -> Strainer:
        return strainer(heard=True, reasoning=True, begun=not text.startswith(("*", "[")))

    for size in (1, 100):
        pieces = [BEGIN, *(chunk(content=text[at : at + size]) for at in range(0, len(text), size))]
        with pytest.raises(Wordless):
            await Relay(heard()).run(*pieces, chunk("length"), DONE)
        assert words(await strained(heard(), *pieces, chunk("stop"), DONE)) == text
        assert words(await strained(strainer(), *pieces, chunk("length"), DONE)) == text
