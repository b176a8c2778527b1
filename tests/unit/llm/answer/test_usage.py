import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llm.answer.usage import DONE, Counts, Tally, shown, with_usage

FRAME = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "bear"}


def chunk(**fields: Any) -> bytes:
    return b"data: " + json.dumps(FRAME | {"choices": [{"index": 0, "delta": {}}]} | fields).encode() + b"\n\n"


def events_of(stream: bytes) -> list[Any]:
    return [json.loads(event.removeprefix("data: ")) for event in stream.decode().split("\n\n")[:-2]]


class Upstream:
    """Sends these pieces, and knows whether it was closed."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.closed = pieces, False

    async def stream(self, tally: Tally) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                tally.events(piece)
                yield piece
        finally:
            self.closed = True


async def heard(*pieces: bytes) -> bytes:
    tally = Tally()
    return b"".join([piece async for piece in with_usage(Upstream(*pieces).stream(tally), tally, lambda: 7)])


@pytest.mark.parametrize("together", [False, True])
async def test_an_estimate_is_marked_and_stands_between_the_last_words_and_the_end(together: bool) -> None:
    pieces = [*[chunk()] * 6, DONE]  # six chunks: who speaks, four tokens, the reason to end
    stream = await heard(*([b"".join(pieces)] if together else pieces))

    assert stream.startswith(b"".join(pieces[:-1]))
    assert stream.endswith(DONE)
    assert stream.count(DONE) == 1
    assert events_of(stream)[-1] == FRAME | {
        "choices": [],
        "usage": {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11, "estimated": True},
    }


async def test_a_stream_that_tells_its_usage_is_left_as_it_is() -> None:
    pieces = chunk(), chunk(choices=[], usage={"prompt_tokens": 2, "completion_tokens": 3}), DONE

    assert await heard(*pieces) == b"".join(pieces)


async def test_a_comment_ahead_of_the_first_chunk_does_not_hide_what_the_chunks_share() -> None:
    assert events_of((await heard(b": wait\n\n", chunk(), DONE)).removeprefix(b": wait\n\n"))[-1]["id"] == FRAME["id"]


@pytest.mark.parametrize(("line", "within"), [(b"data:", b"{"), (b"data: ", b"{\ndata: "), (b"id: 1\ndata:", b"{")])
async def test_what_the_chunks_share_is_found_however_they_are_written(line: bytes, within: bytes) -> None:
    first = line + chunk().removeprefix(b"data: ").replace(b"{", within, 1)
    stream = await heard(first, DONE)

    (told,) = events_of(stream.removeprefix(first))
    assert told["id"] == FRAME["id"]
    assert told["usage"]["estimated"]


async def test_who_leaves_early_closes_the_upstream() -> None:
    tally, upstream = Tally(), Upstream(chunk(), chunk(), DONE)
    answer = with_usage(upstream.stream(tally), tally, lambda: 7)
    await anext(answer)
    assert not upstream.closed

    await answer.aclose()  # type: ignore[attr-defined]
    assert upstream.closed


def test_a_whole_answer_is_counted_by_its_length_unless_it_tells_more() -> None:
    untold, told = Tally(), Tally()
    untold.whole(b"x" * 400)
    told.whole(b'{"choices":[], "usage" : {"prompt_tokens":9,"completion_tokens":4}}')

    assert untold.counts(lambda: 7) == Counts(7, 100)
    assert told.counts(lambda: 7) == Counts(9, 4)


def test_usage_of_nothing_at_all_is_no_word_of_the_upstreams() -> None:
    tally = Tally()
    tally.events(chunk(usage={"prompt_tokens": 0, "completion_tokens": 0}))

    assert tally.told is None


@pytest.mark.parametrize("tokens", [-1, 2**63, "5", None])
def test_usage_that_cannot_be_is_no_word_of_the_upstreams(tokens: object) -> None:
    tally = Tally()
    tally.events(chunk(usage={"prompt_tokens": 3, "completion_tokens": tokens}))

    assert tally.told is None


def test_the_latest_of_several_usages_is_the_sum_and_not_added_again() -> None:
    tally = Tally()
    for tokens in (1, 2, 3):
        tally.events(chunk(usage={"prompt_tokens": 9, "completion_tokens": tokens}))

    assert tally.counts(lambda: 0) == Counts(9, 3)


def test_a_stream_that_breaks_off_in_its_first_frames_has_cost_no_less_than_nothing() -> None:
    tally = Tally()
    tally.events(chunk())

    assert tally.counts(lambda: 7) == Counts(7, 0)


def test_what_an_upstream_told_is_not_marked() -> None:
    assert shown(Counts(2, 3), estimated=False) == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
