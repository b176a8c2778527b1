"""Whatever JSON an upstream sends: what leaves is chunks that every client understands, or an error of ours."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ApiError
from chassis.upstream.refusals.meaning import within_success
from llm.answer.mend import ChunkMender
from llm.answer.whole import NoAnswer, answer_of, mended
from unit.llm.answer.streams import BEGIN, DONE, END, Relay, chunk, chunks_of, strainer

KEYS = [
    *("id", "object", "created", "model", "choices", "usage", "error", "message", "delta", "content", "role", "index"),
    *("finish_reason", "tool_calls", "function", "arguments", "name", "type", "text", "thinking", "reasoning", "code"),
    *("reasoning_details", "extra_content", "google", "thought", "base_resp", "status_code", "logprobs", "refusal"),
]
PLAIN = st.sampled_from(
    [
        None,
        "",
        0,
        1,
        -1,
        1.5,
        True,
        "stop",
        "error",
        "Hello",
        "<think>",
        "</think>",
        "assistant",
        "text",
        "\ud83d",
        2**70,
    ]
)
VALUE: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
CHOICE = st.fixed_dictionaries(
    {"delta": VALUE}, optional={"index": st.integers(0, 2) | VALUE, "finish_reason": VALUE, "message": VALUE}
)
CHUNK = st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2) | VALUE}, optional={"id": VALUE, "usage": VALUE, "error": PLAIN}
)
REASONS = {None, "stop", "length", "tool_calls", "content_filter", "function_call"}


@given(st.lists(CHUNK, max_size=5), st.booleans(), st.booleans())
async def test_of_any_stream_only_chunks_leave(sent: list[Any], begun: bool, heard: bool) -> None:
    relay = Relay(strainer(reasoning=heard, markdown=heard, heard=heard), usage=dict)
    pieces = [b"data: %b\n\n" % json.dumps(each).encode() for each in sent]
    head = [BEGIN, chunk(content="Hello"), chunk(content=" you")] if begun else []
    with suppress(ApiError):
        await relay.run(*head, *pieces, END, DONE)

    for each in chunks_of(b"".join(relay.out)):
        assert (each["object"], type(each["id"]), type(each["created"])) == ("chat.completion.chunk", str, int)
        for choice in each["choices"]:
            assert (type(choice["index"]), type(choice["delta"])) == (int, dict)
            assert choice["finish_reason"] in REASONS


@given(CHUNK)
def test_of_any_whole_answer_only_an_answer_leaves(sent: Any) -> None:
    body = json.dumps(sent).encode()
    try:
        answer = answer_of(body, within_success, "asked")
        shown = json.loads(mended(body, answer, strainer(reasoning=True, markdown=True), "asked"))
    except (ApiError, NoAnswer):
        return

    for choice in shown["choices"]:
        assert choice["message"]["role"] == "assistant"
        assert choice["finish_reason"] in REASONS - {None}


def test_a_chunk_of_nothing_begins_nothing() -> None:
    assert ChunkMender("asked").chunk({"choices": [{}]}) == []
