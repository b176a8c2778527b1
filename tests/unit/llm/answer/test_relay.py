import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ApiError, BadRequest, EngineFailed
from llm.answer.relay import Wordless
from llm.answer.usage import Counts
from unit.llm.answer.streams import BEGIN, DONE, END, FRAME, Relay, chunk, chunks_of, event, said, strainer, words

ONE, TWO = chunk(content="one"), chunk(content="二")
USAGE = event(FRAME | {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}})
ERROR = b'data: {"error":{"message":"it broke"}}\n\n'
COUNTED = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


# ---------------------------------------------------------------- what is as it should be


async def test_events_are_the_bytes_they_came_as() -> None:
    relay = Relay()

    assert await relay.run(BEGIN, ONE, TWO, END, DONE) == BEGIN + ONE + TWO + END + DONE
    assert relay.ended


async def test_events_that_came_together_leave_together() -> None:
    relay = Relay()
    await relay.run(BEGIN + ONE + TWO, ONE + END, DONE)

    assert relay.out == [BEGIN + ONE + TWO, ONE + END, DONE]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_only_whole_events_leave_however_they_were_cut(size: int) -> None:
    whole = BEGIN + ONE + TWO + ONE + END + DONE
    relay = Relay()

    assert await relay.run(*(whole[at : at + size] for at in range(0, len(whole), size))) == whole
    assert all(piece.endswith(b"\n\n") for piece in relay.out)


async def test_words_with_escapes_of_every_kind_stay_the_bytes_they_came_as() -> None:
    odd = [
        event(FRAME | {"choices": [{"index": 0, "delta": {"content": "X"}, "finish_reason": None}]}).replace(b"X", each)
        for each in (rb"\n", rb"\"b\" \\ ", rb"\ud83d\udc3b", "熊".encode(), rb"\"content\":\"", b"data: [DONE]", b" ")
    ]

    assert await Relay().run(BEGIN, ONE, *odd, END, DONE) == BEGIN + ONE + b"".join(odd) + END + DONE


async def test_the_likeliness_of_tokens_and_fields_nobody_knows_stay() -> None:
    choice = {"index": 0, "delta": {"content": "Hi", "own": 1}, "finish_reason": None, "logprobs": {"content": [{}]}}
    odd = event(FRAME | {"service_tier": "x", "choices": [choice], "usage": None, "obfuscation": "abc"})

    assert await Relay().run(BEGIN, odd, odd, END, DONE) == BEGIN + odd + odd + END + DONE


# ---------------------------------------------------------------- the first byte


@pytest.mark.parametrize("quiet", [BEGIN, chunk(content=""), chunk(role="assistant"), USAGE, b": wait\n\n"])
async def test_nothing_leaves_before_something_is_said(quiet: bytes) -> None:
    relay = Relay()

    await relay.run(BEGIN, quiet, ONE, END, DONE)
    assert relay.out[0].endswith(ONE)


@pytest.mark.parametrize(
    "delta",
    [
        {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"refusal": "No."},
        {"reasoning_content": "so"},
    ],
)
async def test_a_call_a_refusal_and_a_thought_that_is_shown_are_something_said(delta: dict[str, Any]) -> None:
    relay = Relay()

    await relay.run(BEGIN, chunk(**delta), ONE, END, DONE)
    assert len(relay.out) > 2


async def test_a_thought_shows_that_somebody_is_there_unless_only_words_are_heard() -> None:
    for heard, first in ((False, BEGIN), (True, BEGIN + ONE)):
        relay = Relay(strainer(reasoning=True, heard=heard))
        await relay.run(BEGIN, chunk(reasoning_content="so"), ONE, END, DONE)
        assert (relay.out[0], b'"so"' in b"".join(relay.out)) == (first, False)


@pytest.mark.parametrize("broken", [ERROR, b'event: error\ndata: {"message":"it broke"}\n\n'])
async def test_an_error_after_who_speaks_is_one_before_the_first_byte(broken: bytes) -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match="it broke"):
        await relay.run(BEGIN, broken)
    assert relay.out == []


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((BEGIN, chunk(reasoning_content="so"), chunk("length"), DONE), "length"),
        ((BEGIN, chunk(content="<think>so"), chunk("length"), DONE), "length"),
        ((BEGIN, chunk("content_filter"), DONE), "content_filter"),
        ((BEGIN, chunk(content=" \n"), END, DONE), "stop"),
        ((BEGIN, chunk(content=""), DONE), "stop"),
    ],
)
async def test_for_an_ear_an_answer_without_a_word_is_none(pieces: tuple[bytes, ...], reason: str) -> None:
    relay = Relay(strainer(reasoning=True, heard=True))
    with pytest.raises(Wordless) as caught:
        await relay.run(*pieces)

    assert (caught.value.reason, relay.out) == (reason, [])
    assert (await Relay(strainer(reasoning=True)).run(*pieces)).endswith(DONE)  # an eye sees that it is empty


# ---------------------------------------------------------------- the end


async def test_what_comes_after_done_is_dropped() -> None:
    assert await Relay().run(BEGIN, ONE, END + DONE + b"data: {garbage\n\n", b"more") == BEGIN + ONE + END + DONE


@pytest.mark.parametrize("last", [b"event: done\ndata: [DONE]\n\n", b"id: 9\ndata: [DONE]\n\n", b"data:[DONE]\n\n"])
async def test_the_end_is_one_event_whatever_stands_beside_it(last: bytes) -> None:
    assert await Relay().run(BEGIN, ONE, END, last) == BEGIN + ONE + END + DONE


async def test_an_answer_that_only_says_done_is_given_a_reason() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}

    assert (await Relay().chunks(BEGIN, ONE, DONE))[-1]["choices"][0]["finish_reason"] == "stop"
    assert (await Relay().chunks(BEGIN, chunk(tool_calls=[call]), DONE))[-1]["choices"][0]["finish_reason"] == (
        "tool_calls"
    )


async def test_a_finished_stream_without_done_gets_one() -> None:
    assert await Relay().run(BEGIN, ONE, END) == BEGIN + ONE + END + DONE


async def test_a_last_event_without_its_blank_line_is_not_lost() -> None:
    assert await Relay().run(BEGIN, ONE, END.rstrip()) == BEGIN + ONE + END + DONE
    assert (await Relay().run(BEGIN, ONE, DONE.rstrip())).startswith(BEGIN + ONE)


@pytest.mark.parametrize("last", [b"", TWO, END[:30], b"data: [DON"])
@pytest.mark.parametrize("none", [b"null", b'""'])
async def test_a_stream_that_ends_unfinished_is_broken(last: bytes, none: bytes) -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match="broke off"):
        await relay.run(BEGIN, *(piece.replace(b":null", b":" + none) for piece in (ONE, last)))
    assert words(chunks_of(b"".join(relay.out))) == ("one二" if last == TWO else "one")


async def test_a_connection_that_breaks_after_the_last_reason_has_brought_everything() -> None:
    assert await Relay().run(BEGIN, ONE, END, EngineFailed("cut")) == BEGIN + ONE + END + DONE


async def test_the_words_finish_reason_in_what_is_said_finish_nothing() -> None:
    with pytest.raises(EngineFailed):
        await Relay().run(BEGIN, chunk(content='"finish_reason": "stop"'))


async def test_what_breaks_the_connection_is_passed_on_after_the_whole_events() -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match="cut"):
        await relay.run(BEGIN, ONE, TWO[:20], EngineFailed("cut"))
    assert b"".join(relay.out) == BEGIN + ONE


# ---------------------------------------------------------------- what is no chunk


NO_CHUNKS = [
    b"data:\n\n",
    b"data: \n\n",
    b"data: : keepalive\n\n",
    b"retry: 3000\n\n",
    b"event: ping\n\n",
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b"data: ping\n\n",
    b"data: {}\n\n",
    b"data: 5\n\ndata: null\n\ndata: [1]\n\n",
    b"id: 7\n\n: comment\n\n",
    event(FRAME | {"choices": []}),
    event(FRAME | {"choices": None}),
    event({"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
    event(FRAME | {"choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]}),
    event(FRAME | {"choices": [{"index": 0, "delta": None, "finish_reason": None}]}),
    event(FRAME | {"choices": [], "usage": COUNTED}),
    event(FRAME | {"usage": COUNTED}),
]


@pytest.mark.parametrize("nothing", NO_CHUNKS)
@pytest.mark.parametrize("together", [True, False])
async def test_what_is_no_chunk_is_not_passed_on(nothing: bytes, together: bool) -> None:
    pieces = [nothing, BEGIN, nothing, ONE, nothing, ONE, nothing, END, nothing, DONE]
    pieces = [b"".join(pieces)] if together else pieces

    assert await Relay().run(*pieces) == BEGIN + ONE + ONE + END + DONE


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ((), "sent no event"),
        ((b": keep-alive\n\n",), "sent no event"),
        ((b"data: {nonsense\n\n",), "sent no event"),
        ((DONE,), "before it said anything"),
        ((ERROR,), "it broke"),
        ((ERROR.rstrip(),), "it broke"),
        ((b'{"error":{"message":"it broke"}}',), "it broke"),
    ],
)
async def test_a_stream_that_holds_no_answer_fails_before_its_first_piece(pieces: tuple[bytes, ...], why: str) -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match=why):
        await relay.run(*pieces)
    assert relay.out == []


# ---------------------------------------------------------------- errors


ERRORS = [
    ERROR,
    b'data: {"error":"it broke"}\n\n',
    b'data: {"object":"error","message":"it broke","code":500}\n\n',
    b'event: error\ndata: {"message":"it broke"}\n\n',
    b"event: error\ndata: it broke\n\n",
    b'error: {"code":500,"message":"it broke"}\n\n',
    b'event:error\n:HTTP_STATUS/500\ndata:{"code":"InternalError","message":"it broke"}\n\n',
    b'data: {"code":10012,"message":"it broke","sid":"x"}\n\n',
    b'data: {"error_code":336000,"error_msg":"it broke"}\n\n',
    b'data: {"type":"error","error":{"type":"overloaded_error","message":"it broke"}}\n\n',
    b'data: [{"error":{"code":500,"message":"it broke"}}]\n\n',
    b'data: {"detail":"it broke"}\n\n',
    b'data: {"success":false,"errors":[{"code":7,"message":"it broke"}]}\n\n',
    b'data: {"base_resp":{"status_code":1000,"status_msg":"it broke"},"choices":null}\n\n',
    event(FRAME | {"error": {"message": "it broke"}, "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}),
]


@pytest.mark.parametrize("error", ERRORS)
async def test_an_error_of_any_shape_ends_the_stream_after_what_came_before(error: bytes) -> None:
    relay = Relay()

    with pytest.raises(ApiError, match="it broke"):
        await relay.run(BEGIN + ONE, ONE + error + DONE)
    assert b"".join(relay.out) == BEGIN + ONE + ONE


@pytest.mark.parametrize("error", ERRORS)
async def test_an_error_of_any_shape_at_the_beginning_is_the_engines_failure(error: bytes) -> None:
    relay = Relay()

    with pytest.raises(ApiError, match="it broke"):
        await relay.run(error, DONE)
    assert relay.out == []


@pytest.mark.parametrize("reason", ["error", "network_error"])
async def test_a_reason_that_is_an_error_is_one(reason: str) -> None:
    with pytest.raises(EngineFailed, match=reason):
        await Relay().run(BEGIN, ONE, chunk(reason), DONE)


async def test_moderation_at_the_beginning_is_no_failure_of_the_engine() -> None:
    with pytest.raises(BadRequest):
        await Relay().run(b'data: {"error":{"code":"1301","message":"blocked"}}\n\n')


async def test_an_error_without_its_blank_line_is_told_without_its_secrets() -> None:
    relay = Relay()
    with pytest.raises(EngineFailed, match=r"no entry with \*\*\*"):
        await relay.run(BEGIN, ONE, b'data: {"error":{"message":"no entry with sk-secret-1234567"}}')

    assert b"".join(relay.out) == BEGIN + ONE


async def test_an_error_that_is_null_or_spoken_is_none() -> None:
    null = event(FRAME | {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}], "error": None})
    spoken = chunk(content='{"error": 5}')

    assert await Relay().run(BEGIN, null, spoken, END, DONE) == BEGIN + chunk(content="x") + spoken + END + DONE


# ---------------------------------------------------------------- usage


async def test_usage_is_counted_and_told_at_the_end_to_those_who_ask() -> None:
    relay = Relay(usage=lambda: {"estimated": True})

    *_, last = await relay.chunks(BEGIN, USAGE, ONE, END, DONE)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 15)
    assert relay.tally.told == Counts(7, 8)


async def test_usage_beside_words_is_not_told_twice() -> None:
    ending = event(FRAME | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": COUNTED})

    assert await Relay(usage=dict).run(BEGIN, ONE, ending, DONE) == BEGIN + ONE + ending + DONE


async def test_usage_that_nobody_told_is_estimated_by_the_chunks_that_say_something() -> None:
    relay = Relay(usage=lambda: {"estimated": True})

    *_, last = await relay.chunks(*said("one", "two", "three", "four"))
    assert last == FRAME | {"choices": [], "usage": {"estimated": True}}
    assert relay.tally.counts(lambda: 7) == Counts(7, 4)


async def test_usage_in_a_last_event_without_its_blank_line_is_counted() -> None:
    relay = Relay()
    await relay.run(BEGIN + ONE + END, USAGE.rstrip())

    assert relay.tally.told == Counts(7, 8)


# ---------------------------------------------------------------- size


async def test_an_event_of_a_megabyte_passes() -> None:
    large = ONE.replace(b"one", b"x" * 2**20)
    assert await Relay().run(BEGIN, large[:100_000], large[100_000:], END, DONE) == BEGIN + large + END + DONE


@given(st.lists(st.text(max_size=8), max_size=8), st.sets(st.integers(0, 2000)))
async def test_every_text_arrives_however_it_was_cut(texts: list[str], cuts: set[int]) -> None:
    stream = b"".join(said("Hello", *texts))
    bounds = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})

    chunks = await Relay(strainer(thoughts=False)).chunks(*(stream[a:b] for a, b in pairwise(bounds)))
    assert words(chunks) == "Hello" + "".join(texts)


def spelt(how: str, text: str) -> bytes:
    """Spell a chunk as different upstreams do."""
    delta = {"role": "assistant", "content": text} if how == "role in each" else {"content": text}
    value: dict[str, Any] = FRAME | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    if how == "padded":
        value["obfuscation"] = "x" * (len(text) % 7)
    if how == "without an id":
        del value["id"]
    data = json.dumps(value, ensure_ascii=how == "escaped", separators=(", ", ": ") if how == "spaced" else (",", ":"))
    return f"data: {data}\n\n".encode()


@pytest.mark.parametrize("how", ["plain", "role in each", "padded", "without an id", "escaped", "spaced"])
@given(st.lists(st.text(alphabet='ab \n"\\\\{}[]<熊🐻\u2028:,', min_size=1, max_size=6), max_size=6))
async def test_words_arrive_however_an_upstream_spells_its_chunks(how: str, texts: list[str]) -> None:
    texts = ["Hello", *texts]
    relay = Relay(strainer(thoughts=False))

    assert words(await relay.chunks(*(spelt(how, text) for text in texts), END, DONE)) == "".join(texts)
    assert relay.tally.pieces == len(texts)


async def test_what_differs_in_its_words_alone_stays_the_bytes_it_came_as() -> None:
    for how in ("plain", "padded", "escaped", "spaced"):
        pieces = [BEGIN, *(spelt(how, text) for text in ("a", "b", "c\n", '"d"', "熊", "long " * 9)), END, DONE]
        assert await Relay(strainer(thoughts=False)).run(*pieces) == b"".join(pieces)


# ---------------------------------------------------------------- several events that came together


def worded(*insides: bytes) -> bytes:
    """Events in one mould, each with this inside of a JSON string for words."""
    return b"".join(chunk(content="X").replace(b'"X"', b'"' + inside + b'"') for inside in insides)


async def test_many_plain_events_leave_in_the_bytes_they_came_in_and_each_is_counted() -> None:
    relay, many = Relay(), worded("一".encode(), b" two", "三。".encode(), b" ")

    assert await relay.run(BEGIN, ONE, many, END, DONE) == BEGIN + ONE + many + END + DONE
    assert relay.tally.pieces == 5


@pytest.mark.parametrize(
    ("insides", "text"),
    [
        ((rb"\ud83d", rb"\udc3b!"), "🐻!"),  # halves of a pair
        (("熊".encode()[:1], "熊".encode()[1:], b"?"), "熊?"),  # parts of a letter
        ((rb"a\n", rb"\"b\""), 'a\n"b"'),
        ((b"\xff", b"c"), "\ufffdc"),
        (("d\u2028".encode(), b"e"), "d\u2028e"),
    ],
)
async def test_letters_cut_over_events_that_came_together_are_whole(insides: tuple[bytes, ...], text: str) -> None:
    relay = Relay()
    chunks = await relay.chunks(BEGIN, ONE, worded(b"x", *insides, b"y"), END, DONE)

    assert words(chunks) == f"onex{text}y"
    b"".join(relay.out).decode()


async def test_a_thought_over_events_that_came_together_is_taken_out() -> None:
    together = worded(b"Hi.", b"\\n", b"<thi", b"nk>mum", b"ble</th", b"ink>", b" Bear.")
    chunks = await Relay(strainer()).chunks(BEGIN, ONE, together, END, DONE)

    assert "mumble" not in words(chunks)
    assert words(chunks).startswith("oneHi.")
    assert words(chunks).endswith("Bear.")


@pytest.mark.parametrize("odd", [b": alive\n\n", chunk(None, 1, content="other"), b"data: {\n\n", b"\n"])
async def test_something_else_among_plain_events_is_not_taken_for_words(odd: bytes) -> None:
    chunks = await Relay().chunks(BEGIN, ONE, worded(b"a", b"b") + odd + worded(b"c", b"d"), END, DONE)

    assert words(chunks) == "oneabcd"


async def test_a_plain_first_chunk_without_a_role_is_told_who_speaks_and_only_once() -> None:
    chunks = await Relay().chunks(ONE, chunk(role="assistant", content="!"), TWO, END, DONE)

    assert [each["choices"][0]["delta"].get("role") for each in chunks] == ["assistant", None, None, None]
    assert words(chunks) == "one!二"


async def test_a_chunk_of_another_answer_is_given_the_frame_of_this_one() -> None:
    other = event(FRAME | {"id": "chatcmpl-2", "choices": [{"index": 0, "delta": {"content": "b"}}]})
    chunks = await Relay().chunks(BEGIN, ONE, other, END, DONE)

    assert {each["id"] for each in chunks} == {"chatcmpl-1"}
    assert words(chunks) == "oneb"
