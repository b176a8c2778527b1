from collections.abc import AsyncIterator

import pytest

from chassis.errors import BadRequest, EngineFailed
from chassis.upstream.refusals import within_success
from llm.answer.relay import MAX_EVENT_BYTES, relayed
from llm.answer.usage import DONE, Counts, Tally

ONE = b'data: {"choices":[{"index":0,"delta":{"content":"one"},"finish_reason":null}]}\n\n'
TWO = 'data: {"choices":[{"index":0,"delta":{"content":"二"},"finish_reason":null}]}\n\n'.encode()
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason": "stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"total_tokens":5}}\n\n'
ERROR = b'data: {"error":{"message":"it broke"}}\n\n'


class Relay:
    """What came of relaying some pieces."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.ended = False

    async def run(self, *pieces: bytes | Exception) -> bytes:
        async def arriving() -> AsyncIterator[bytes]:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece

        def end() -> None:
            self.ended = True

        async for events in relayed(arriving(), within_success, end):
            self.out.append(events)
        return b"".join(self.out)


async def test_events_are_the_bytes_they_came_as() -> None:
    relay = Relay()

    assert await relay.run(ONE, TWO, END, DONE) == ONE + TWO + END + DONE
    assert relay.ended


async def test_events_that_came_together_leave_together() -> None:
    relay = Relay()
    await relay.run(ONE + TWO + END, DONE)

    assert relay.out == [ONE + TWO + END, DONE]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_only_whole_events_leave_however_they_were_cut(size: int) -> None:
    whole = ONE + TWO + END + USAGE + DONE
    relay = Relay()

    assert await relay.run(*(whole[at : at + size] for at in range(0, len(whole), size))) == whole
    assert all(piece.endswith(b"\n\n") for piece in relay.out)


async def test_line_ends_of_every_kind_are_understood() -> None:
    whole = (ONE + END + DONE).replace(b"\n", b"\r\n")

    assert await Relay().run(whole) == (ONE + END).replace(b"\n", b"\r\n").rstrip() + b"\n\n" + DONE


async def test_what_comes_after_done_is_dropped() -> None:
    assert await Relay().run(ONE, END + DONE + b"data: {garbage\n\n", b"more") == ONE + END + DONE


async def test_done_in_what_is_said_is_not_the_end() -> None:
    said = b'data: {"choices":[{"delta":{"content":"data: [DONE]"},"finish_reason":null}]}\n\n'

    assert await Relay().run(said, ONE, END, DONE) == said + ONE + END + DONE


async def test_a_finished_stream_without_done_gets_one() -> None:
    assert await Relay().run(ONE, END, USAGE) == ONE + END + USAGE + DONE


async def test_a_last_event_without_its_blank_line_is_not_lost() -> None:
    assert await Relay().run(ONE, END.rstrip()) == ONE + END + DONE
    assert await Relay().run(ONE, DONE.rstrip()) == ONE + DONE


@pytest.mark.parametrize("pieces", [(ONE,), (ONE, TWO), (ONE, END[:30]), (ONE, b"data: [DON")])
async def test_a_stream_that_ends_unfinished_is_broken(pieces: tuple[bytes, ...]) -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match="broke off"):
        await relay.run(*pieces)
    assert b"".join(relay.out) == b"".join(piece for piece in pieces if piece.endswith(b"\n\n"))


async def test_the_words_finish_reason_in_what_is_said_finish_nothing() -> None:
    said = rb'data: {"choices":[{"delta":{"content":"\"finish_reason\": \"stop\""},"finish_reason":null}]}' + b"\n\n"

    with pytest.raises(EngineFailed):
        await Relay().run(said)


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ((), "sent no event"),
        ((b": keep-alive\n\n",), "sent no event"),
        ((b"<html>\n\n</html>",), "sent no event"),
        ((DONE,), "before it said anything"),
        ((b"data: {nonsense\n\n",), "no JSON"),
        ((b"data: [1]\n\n",), "reported an error"),
        ((b"data: 5\n\n",), "reported an error"),
        ((ERROR,), "it broke"),
        ((ERROR.rstrip(),), "it broke"),
        ((b'{"error":{"message":"it broke"}}',), "it broke"),
        ((b'data: {"code":10012,"message":"it broke"}\n\n',), "it broke"),
    ],
)
async def test_a_stream_that_does_not_begin_with_an_answer_fails_before_its_first_piece(
    pieces: tuple[bytes, ...], why: str
) -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match=why):
        await relay.run(*pieces)
    assert relay.out == []


async def test_moderation_at_the_beginning_is_no_failure_of_the_engine() -> None:
    with pytest.raises(BadRequest):
        await Relay().run(b'data: {"error":{"code":"1301","message":"blocked"}}\n\n')


async def test_comments_before_the_first_event_are_not_an_answer() -> None:
    assert await Relay().run(b": waiting\n\n", b": waiting\n\n", ONE, END, DONE) == ONE + END + DONE


async def test_a_byte_order_mark_is_taken_away() -> None:
    assert await Relay().run(b"\xef\xbb\xbf" + ONE, END, DONE) == ONE + END + DONE


async def test_an_error_in_mid_stream_ends_it_after_what_came_before() -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match="it broke"):
        await relay.run(ONE, TWO + ERROR + DONE)
    assert relay.out == [ONE, TWO]


async def test_an_error_that_is_the_last_and_lacks_its_blank_line_is_told_without_its_secrets() -> None:
    relay = Relay()
    with pytest.raises(EngineFailed, match=r"no entry with \*\*\*"):
        await relay.run(ONE, b'data: {"error":{"message":"no entry with sk-secret-1234567"}}')

    assert relay.out == [ONE]


async def test_usage_in_a_last_event_without_its_blank_line_is_counted() -> None:
    tally = Tally()

    async def arriving() -> AsyncIterator[bytes]:
        yield ONE + END
        yield b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":8}}'

    assert [events async for events in relayed(arriving(), within_success, lambda: None, tally)][-1] == DONE
    assert tally.told == Counts(7, 8)


async def test_an_error_that_is_null_or_spoken_is_none() -> None:
    null = b'data: {"choices":[{"delta":{"content":"x"}}],"error":null}\n\n'
    spoken = rb'data: {"choices":[{"delta":{"content":"{\"error\": 5}"}}]}' + b"\n\n"

    assert await Relay().run(null, spoken, END, DONE) == null + spoken + END + DONE


async def test_what_breaks_the_connection_is_passed_on_after_the_whole_events() -> None:
    relay = Relay()

    with pytest.raises(EngineFailed, match="cut"):
        await relay.run(ONE, TWO[:20], EngineFailed("cut"))
    assert relay.out == [ONE]


async def test_an_event_of_a_megabyte_passes_and_an_endless_one_does_not() -> None:
    large = ONE.replace(b"one", b"x" * 2**20)
    assert await Relay().run(large[:100_000], large[100_000:], END, DONE) == large + END + DONE

    with pytest.raises(EngineFailed, match="more than"):
        await Relay().run(ONE, *[b"x" * 2**16] * (MAX_EVENT_BYTES // 2**16 + 1))
