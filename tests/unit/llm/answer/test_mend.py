import json
import re
from typing import Any

import pytest

from unit.llm.answer.streams import BEGIN, DONE, END, FRAME, Relay, chunk, chunks_of, event, strainer, words


def plainly() -> Relay:
    return Relay(strainer(thoughts=False))


async def deltas(*pieces: bytes) -> list[Any]:
    return [each["choices"][0]["delta"] for each in await plainly().chunks(*pieces)]


async def test_who_speaks_is_said_once_and_first() -> None:
    always = [chunk(role="assistant", content=text) for text in ("a", "b", "c", "d")]
    never = [chunk(content=text) for text in ("a", "b")]
    otherwise = [chunk(role="bot", content="a"), chunk(role=None, content="b")]

    for pieces in (always, never, otherwise):
        first, *later = await deltas(*pieces, END, DONE)
        assert first == {"role": "assistant", "content": "a"}
        assert all("role" not in delta for delta in later)
        assert "".join(delta.get("content", "") for delta in later) == "bcd"[: len(pieces) - 1]


async def test_what_all_chunks_share_never_changes() -> None:
    pieces = [
        event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} | own)
        for text, own in (
            ("a", {"id": "1", "created": 7, "model": "m", "object": "chat.completion.chunk"}),
            ("b", {"id": "2", "created": 8, "model": "", "object": ""}),
            ("c", {"created": 7.5}),
            ("d", {"object": "chat.completion"}),
        )
    ]
    sent = await plainly().chunks(*pieces, END, DONE)

    assert {(each["id"], each["created"], each["model"], each["object"]) for each in sent} == {
        ("1", 7, "m", "chat.completion.chunk")
    }


async def test_what_the_upstream_leaves_out_is_made_up() -> None:
    first, *_ = await plainly().chunks(event({"choices": [{"delta": {"content": "a"}}]}), END, DONE)

    assert first["id"].startswith("chatcmpl-")
    assert (first["model"], first["object"]) == ("asked", "chat.completion.chunk")
    assert isinstance(first["created"], int)
    assert first["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": None}]


@pytest.mark.parametrize("reason", ["", "null", "None", None])
async def test_an_empty_reason_to_end_is_none(reason: str | None) -> None:
    pieces = [BEGIN, *(chunk(reason, content=text) for text in ("<thi", "nk>so", "</th", "ink>", "Hello")), END, DONE]

    sent = await Relay().chunks(*pieces)
    assert words(sent) == "Hello"
    assert [each["choices"][0]["finish_reason"] for each in sent if each["choices"][0]["finish_reason"]] == ["stop"]


@pytest.mark.parametrize(
    ("reason", "known"),
    [
        ("STOP", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("something new", "stop"),
        ("MAX_TOKENS", "length"),
        ("sensitive", "content_filter"),
        ("SAFETY", "content_filter"),
        ("tool_use", "tool_calls"),
        ("length", "length"),
    ],
)
async def test_a_reason_to_end_is_one_that_clients_know(reason: str, known: str) -> None:
    assert (await plainly().chunks(BEGIN, chunk(content="a"), chunk(reason), DONE))[-1]["choices"][0][
        "finish_reason"
    ] == (known)


async def test_no_choice_begins_before_the_one_ahead_of_it() -> None:
    sent = await plainly().chunks(chunk(None, 2, content="c"), chunk(None, 0, content="a"), chunk(None, 1, content="b"),
                                *(chunk("stop", index) for index in range(3)), DONE)  # fmt: skip

    begun = [each["choices"][0]["index"] for each in sent if "role" in each["choices"][0]["delta"]]
    assert begun == [0, 1, 2]
    assert [words(sent, index) for index in range(3)] == ["a", "b", "c"]


async def test_a_choice_without_its_index_is_the_first() -> None:
    pieces = [event(FRAME | {"choices": [{"delta": {"content": text}, "finish_reason": None}]}) for text in "abc"]

    assert words(await plainly().chunks(*pieces, END, DONE)) == "abc"


async def test_a_message_in_place_of_a_delta_is_one() -> None:
    whole = event(FRAME | {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}}]})
    text = event(FRAME | {"choices": [{"index": 0, "text": "Hello"}]})

    for piece in (whole, text):
        assert words(await plainly().chunks(piece, END, DONE)) == "Hello"


@pytest.mark.parametrize("how", ["no delta", "null"])
async def test_a_last_chunk_without_a_delta_has_an_empty_one(how: str) -> None:
    choice = {"index": 0, "finish_reason": "stop"} | ({"delta": None} if how == "null" else {})

    sent = await plainly().chunks(BEGIN, chunk(content="a"), event(FRAME | {"choices": [choice]}), DONE)
    assert sent[-1]["choices"][0]["delta"] == {}


def call(index: Any = 0, id: Any = None, **function: Any) -> dict[str, Any]:
    own = {"index": index, "id": id, "type": "function" if id else None, "function": function}
    return {key: value for key, value in own.items() if value is not None}


@pytest.mark.parametrize(
    "fragments",
    [
        [call(0, "a", name="f", arguments=""), call(0, arguments='{"x"'), call(0, arguments=":1}"),
         call(1, "b", name="g", arguments="{}")],
        [call(None, "a", name="f", arguments='{"x":1}'), call(None, "b", name="g", arguments="{}")],
        [call(0, "a", name="f", arguments='{"x":1}'), call(0, "b", name="g", arguments="{}")],
        [call(None, "a", name="f", arguments=""), call(None, arguments='{"x":1}'),
         call(None, "b", name="g", arguments="{}")],
        [call(0, "a", name="f", arguments='{"x"'), call(0, "a", name="f", arguments=":1}"),
         call(1, "b", name="g", arguments="{}")],
        [call(3, "a", name="f", arguments='{"x":1}'), call(5, "b", name="g", arguments="{}")],
        [call(0, "a", name="f", arguments={"x": 1}), call(1, "b", name="g", arguments=None), call(1, arguments="{}")],
        [call(0, "a", name="f", arguments='{"x"'), call(0, "", name="", arguments=":1}"),
         call(1, "b", name="g", arguments="{}")],
    ],
    ids=range(8),
)  # fmt: skip
async def test_fragments_of_tool_calls_can_be_joined_by_every_client(fragments: list[dict[str, Any]]) -> None:
    sent = await deltas(BEGIN, *(chunk(tool_calls=[each]) for each in fragments), chunk("tool_calls"), DONE)
    calls: dict[int, dict[str, str]] = {}
    for fragment in (each for delta in sent for each in delta.get("tool_calls", ())):
        known = calls.setdefault(fragment["index"], {"arguments": ""})
        for key, value in ({"id": fragment.get("id"), "name": fragment["function"].get("name")}).items():
            assert value is None or key not in known, "said once"
            known |= {key: value} if value is not None else {}
        known["arguments"] += fragment["function"].get("arguments", "")

    assert list(calls) == [0, 1]
    assert [calls[at] for at in (0, 1)] == [
        {"id": "a", "name": "f", "arguments": '{"x":1}'},
        {"id": "b", "name": "g", "arguments": "{}"},
    ]


async def test_a_tool_call_without_an_id_gets_one_and_an_empty_list_of_calls_is_none() -> None:
    called = chunk(tool_calls=[call(None, name="f", arguments="{}")])
    sent = await deltas(BEGIN, chunk(content="a", tool_calls=[]), called, chunk("tool_calls"), DONE)

    assert sent[1] == {"content": "a"}
    assert sent[2]["tool_calls"][0]["id"].startswith("call_")


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}], "Hello", None),
        (
            [{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}, {"type": "text", "text": "Hi"}],
            "Hi",
            "so",
        ),
        ([{"type": "thinking", "thinking": "so", "signature": "x"}], "", "so"),
        (["Hel", {"text": "lo"}], "Hello", None),
        ({"type": "text", "text": "Hello"}, "Hello", None),
    ],
)
async def test_content_in_parts_is_joined_and_thoughts_in_it_are_apart(
    content: Any, text: str, thought: str | None
) -> None:
    sent = await deltas(BEGIN, chunk(content=content), chunk(content="!"), END, DONE)

    assert sent[1].get("content", "") == text
    assert sent[1].get("reasoning_content") == thought


async def test_googles_thoughts_are_thoughts() -> None:
    thought = chunk(content="so", extra_content={"google": {"thought": True}})
    relay = Relay(strainer(reasoning=True))

    assert words(await relay.chunks(BEGIN, thought, chunk(content="Hi"), END, DONE)) == "Hi"


HALVES = [
    (rb"\ud83d", rb"\udc3b", "🐻"),
    (b"\xf0\x9f", b"\x90\xbb", "🐻"),
    (b"\xe7", b"\x86\x8a", "熊"),
    (b"\xe7\x86", b"\x8a", "熊"),
    (rb"\ud83d", b"x", "\ufffdx"),
    (b"\xff", b"x", "\ufffdx"),
    (rb"\udc3b", b"x", "\ufffdx"),
    (b"a", rb"b\ud83d", "ab\ufffd"),
]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("one", "other", "text"), HALVES, ids=range(len(HALVES)))
async def test_parts_of_a_letter_are_joined_or_replaced(one: bytes, other: bytes, text: str, first: bool) -> None:
    pieces = [chunk(content="CUT").replace(b"CUT", half) for half in (one, other)]
    pieces = pieces if first else [BEGIN, chunk(content="a"), chunk(content="b"), *pieces]

    stream = await plainly().run(*pieces, END, DONE)
    sent = [json.loads(line) for line in re.findall(r"data: (\{.*\})", stream.decode())]
    assert words(sent) == ("" if first else "ab") + text


async def test_half_a_letter_is_not_overtaken_by_what_follows() -> None:
    pieces = [
        chunk(content="CUT").replace(b"CUT", half)
        for half in (b"a", b"b", rb"c\ud83d", b"d", b"e", rb"\ud83d", rb"\udc3b")
    ]

    stream = await plainly().run(BEGIN, *pieces, END, DONE)
    assert words(chunks_of(stream)) == "abc\ufffdde🐻"


async def test_letters_that_are_none_elsewhere_in_a_chunk_are_replaced() -> None:
    odd = chunk(content="Hi", own="CUT").replace(b"CUT", b"\xff").replace(b'"bear"', b'"b\xfear"')

    assert (await plainly().run(BEGIN, odd, END, DONE)).decode().count("Hi") == 1


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85"])
@pytest.mark.parametrize("place", [1, 3])
async def test_a_character_at_which_clients_cut_lines_is_escaped(char: str, place: int) -> None:
    pieces = [BEGIN, chunk(content="a"), chunk(content="b"), END, DONE]
    pieces.insert(place, chunk(content=f"c{char}d"))

    stream = (await Relay(strainer(thoughts=False)).run(*pieces)).decode()
    assert char not in stream
    assert all(line.startswith("data: ") for line in stream.splitlines() if line)
    assert json.loads(re.findall(r"data: (\{.*c.u\d+d.*\})", stream)[0])["choices"][0]["delta"]["content"] == (
        f"c{char}d"
    )


async def test_calls_that_come_together_leave_one_by_one() -> None:
    calls = [{"id": f"c{at}", "type": "function", "function": {"name": "f", "arguments": f"[{at}]"}} for at in range(3)]
    together = event(FRAME | {"choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]})
    sent = [each["choices"][0] for each in await plainly().chunks(together, DONE)]

    each_call = [fragment for choice in sent for fragment in choice["delta"].get("tool_calls", ())]
    assert max(len(choice["delta"].get("tool_calls", ())) for choice in sent) == 1
    assert [(call["index"], call["function"]["arguments"]) for call in each_call] == [
        (0, "[0]"),
        (1, "[1]"),
        (2, "[2]"),
    ]
    assert [choice["delta"].get("role") for choice in sent] == ["assistant", *[None] * (len(sent) - 1)]
    assert [choice["finish_reason"] for choice in sent][-1] == "tool_calls"
    assert sum(choice["finish_reason"] is not None for choice in sent) == 1
