import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from chassis.server.streams import HANGUPS, EventStream, Hangup, Stream
from chassis.sse import event

POST: Scope = {"type": "http", "method": "POST"}


class Caller:
    """The other end of a connection: sends a body, then leaves when told to."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self._hangups: set[Callable[[], None]] = set()
        self.scope: Scope = {**POST, "extensions": {HANGUPS: self._hangups}}

    def leaves(self) -> None:
        for leave in tuple(self._hangups):
            leave()

    async def receive(self) -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def waits(self) -> Message:
        """Receive as it is once the body has been read: nothing comes until the caller leaves."""
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.got.append(message)


async def test_who_leaves_while_waiting_ends_the_work() -> None:
    caller, ended = Caller(), asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        caller.leaves()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with asyncio.timeout(30):
        await Hangup(work)(caller.scope, caller.receive, caller.send)

    assert ended.is_set()


async def test_who_leaves_in_mid_stream_closes_the_iterator() -> None:
    caller, closed = Caller(), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        asyncio.get_running_loop().call_later(0.01, caller.leaves)
        await Stream(pieces(), media_type="text/plain")(scope, receive, send)

    async with asyncio.timeout(30):
        await Hangup(work)(caller.scope, caller.receive, caller.send)

    assert closed.is_set()
    assert caller.got[-1]["more_body"], "the body was not ended as if complete"


async def test_a_server_that_stops_the_work_is_not_taken_for_a_caller_who_left() -> None:
    caller = Caller()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.Event().wait()

    task = asyncio.create_task(Hangup(work)(caller.scope, caller.receive, caller.send))
    await asyncio.sleep(0.01)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_done_after_the_last_byte_is_not_cut_short() -> None:
    caller, done = Caller(), asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": False})
        caller.leaves()
        await asyncio.sleep(0.01)
        done.set()

    await Hangup(work)(caller.scope, caller.receive, caller.send)

    assert done.is_set()


async def test_a_stream_that_breaks_off_is_not_ended_as_if_complete() -> None:
    caller = Caller()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        await Stream(pieces(), media_type="text/plain")(POST, caller.receive, caller.send)

    assert [message.get("more_body") for message in caller.got] == [None, True]


@pytest.mark.parametrize("text", ["plain", "小熊", "🐻", "line\nbreak", "a\u2028b\u2029c\u0085d", 'quote "'])
def test_an_event_is_one_line_of_ascii_json(text: str) -> None:
    written = event({"text": text})

    lines = written.decode("ascii").splitlines()
    assert written.endswith(b"\n\n")
    assert b"\r" not in written
    assert lines[1:] == [""]
    assert json.loads(lines[0].removeprefix("data: ")) == {"text": text}


def test_an_event_can_have_a_name() -> None:
    assert event({}, "error") == b"event: error\ndata: {}\n\n"


async def test_an_event_stream_sends_comments_while_it_waits_and_they_are_no_events() -> None:
    caller, go_on = Caller(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield event(1)
        await go_on.wait()
        yield event(2)

    stream = EventStream(slowly())
    stream.ping_interval = 0.01
    answer = asyncio.create_task(stream(caller.scope, caller.waits, caller.send))
    async with asyncio.timeout(30):
        while len(caller.got) < 5:
            await asyncio.sleep(0.01)
        go_on.set()
        await answer

    start, *bodies = caller.got
    assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
    sent = b"".join(body["body"] for body in bodies)
    assert sent.startswith(b"data: 1\n\n: keep-alive\n: keep-alive\n")
    assert b": keep-alive\ndata: 2\n\n" in sent
    assert bodies[-1]["more_body"] is False


async def test_who_leaves_an_event_stream_closes_its_iterator() -> None:
    caller, closed = Caller(), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield event(1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await EventStream(pieces())(scope, receive, send)

    answer = asyncio.create_task(Hangup(app)(caller.scope, caller.waits, caller.send))
    async with asyncio.timeout(30):
        while len(caller.got) < 2:
            await asyncio.sleep(0.01)
        caller.leaves()
        await answer
        await closed.wait()

    assert caller.got[-1]["more_body"] is True


async def test_an_event_stream_whose_iterator_breaks_is_broken() -> None:
    caller = Caller()

    async def pieces() -> AsyncIterator[bytes]:
        yield event(1)
        raise KeyError("broke")

    with pytest.raises(KeyError, match="broke"):
        await EventStream(pieces())(caller.scope, caller.waits, caller.send)

    assert caller.got[-1] == {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}


def test_words_in_events_never_reach_the_log_of_sse_starlette() -> None:
    assert not logging.getLogger("sse_starlette.sse").isEnabledFor(logging.DEBUG)
