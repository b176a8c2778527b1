"""An imitation of an upstream that speaks OpenAI's dialect, in all the ways such upstreams go wrong.

In a test:

    async with Upstream(Manner(cut_after=2)) as upstream:
        ...                                  # talk to upstream.base_url
        assert upstream.seen[0].json["model"] == "m"

As a program, `python tests/imitations/upstream.py --port 9000`: it prints its base URL as its first line. A request's
`model` picks one of `MANNERS` by name (`silent`, `html`, `cut` ...), or says how it is answered: `words-10-every-150`,
ten words, one each 150 ms; `-cut-3` at its end drops the connection after three, `-after-500` waits so long before the
first. Any other model gets `--manner`. `GET /seen` tells what was asked so far, and when a client left before the
end of its answer; `DELETE /seen` forgets it.
"""

import argparse
import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Manner:
    """How a request is answered."""

    pieces: tuple[str, ...] = ("Hello", " there", ", friend", ".")
    reasoning: tuple[str, ...] = ()
    """Sent as `reasoning_content` before the pieces."""
    calls: tuple[tuple[str, str], ...] = ()
    """Name and arguments of each tool that is called, all at once."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    """Sent instead of an answer."""
    media_type: str | None = None
    before_headers_seconds: float = 0.0
    before_first_seconds: float = 0.0
    """Between the headers and the first event."""
    between_seconds: float = 0.0
    silent: bool = False
    """Never answers."""
    stall_after: int | None = None
    """Falls silent after so many events."""
    cut_after: int | None = None
    """Drops the connection after so many events."""
    end_after: int | None = None
    """Ends the body properly after so many events, as if that were all."""
    error_after: int | None = None
    """Sends an error object after so many events."""
    comments: int = 0
    """Keep-alive comments before the first event, `between_seconds` apart."""
    finish_reason: str | None = "stop"
    done: bool = True
    usage: bool = True
    """False: usage is not told, even to those who ask for it."""
    after_done: bytes = b""
    linger_seconds: float = 0.0
    """Keeps the body open after its end."""
    slice_bytes: int | None = None
    """Writes so many bytes at a time, `slice_seconds` apart, whatever they belong to."""
    slice_seconds: float = 0.0
    separator: str = "\n\n"
    drop_before_answer: bool = False


def _error(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}, ensure_ascii=False).encode()


CALLS = (("weather", '{"city": "Paris", "note": "**bold** <think>"}'), ("weather", '{"city": "东京"}'))

MANNERS: dict[str, Manner] = {
    "good": Manner(),
    "slow": Manner(before_first_seconds=3.0, between_seconds=0.1),
    "paced": Manner(pieces=tuple(f"word{number} " for number in range(40)), between_seconds=0.1),
    "silent": Manner(silent=True),
    "headers-then-nothing": Manner(stall_after=0),
    "stall": Manner(stall_after=2),
    "cut": Manner(cut_after=3),
    "cut-in-an-event": Manner(body=b'data: {"id":"c","choices":[{"index":0,"del', media_type="text/event-stream"),
    "ends-early": Manner(end_after=3),
    "drops": Manner(drop_before_answer=True),
    "html": Manner(body=b"<html><body>Welcome to nginx</body></html>", media_type="text/html"),
    "not-json": Manner(body=b"data: {what\n\n", media_type="text/event-stream"),
    "empty": Manner(body=b"", media_type="text/event-stream"),
    "only-done": Manner(body=b"data: [DONE]\n\n", media_type="text/event-stream"),
    "error-in-200": Manner(body=_error("model crashed", type="server_error"), media_type="application/json"),
    "error-first": Manner(error_after=0),
    "error-in-stream": Manner(error_after=3),
    "reasoning": Manner(reasoning=("Let me", " think.")),
    "comments": Manner(comments=5, between_seconds=0.2),
    "no-done": Manner(done=False),
    "no-finish": Manner(done=False, finish_reason=None),
    "garbage-after-done": Manner(after_done=b"data: {nonsense\n\nmore"),
    "calls": Manner((), calls=CALLS, finish_reason="tool_calls"),
    "talks-and-calls": Manner(("**One** ", "moment."), calls=CALLS, finish_reason="tool_calls"),
    "json": Manner(('{"reply": "**hi** <b>', '\\n# no heading", ', '"mood": "_glad_"}')),
    "no-usage": Manner(usage=False),
    "lingers": Manner(linger_seconds=30.0),
    "one-byte": Manner(slice_bytes=1),
    "one-byte-a-second": Manner(slice_bytes=1, slice_seconds=1.0),
    "crlf": Manner(separator="\r\n\r\n"),
    "large": Manner(pieces=("x" * 2**20,)),
    "filtered": Manner(finish_reason="content_filter"),
    "redirect": Manner(status=307, headers=(("location", "http://192.0.2.1/v1/chat/completions"),), body=b""),
    "400": Manner(status=400, body=_error("bad stop", type="invalid_request_error", param="stop", code="bad_value")),
    "401": Manner(status=401, body=_error("Incorrect API key provided: sk-secret-1234567", code="invalid_api_key")),
    "402": Manner(status=402, body=_error("Insufficient Balance", code="invalid_request_error")),
    "403": Manner(status=403, body=b""),
    "404": Manner(status=404, body=_error("no such model", code="model_not_found")),
    "413": Manner(status=413, body=b""),
    "422": Manner(status=422, body=b'{"detail":[{"loc":["body","n"],"msg":"must be 1","type":"value_error"}]}'),
    "429": Manner(status=429, headers=(("retry-after", "7"),), body=_error("slow down", code="rate_limit_exceeded")),
    "quota": Manner(status=429, body=_error("You exceeded your quota", code="insufficient_quota")),
    "blocked": Manner(status=400, body=_error("blocked", code="content_filter")),
    "500": Manner(status=500, body=b"<html>oops</html>", media_type="text/html"),
    "503": Manner(status=503, body=_error("overloaded")),
}


def planned(model: str) -> Manner | None:
    """The manner that a model's name spells out; None: it spells none."""
    plan = re.fullmatch(r"words-(\d+)(?:-every-(\d+))?(?:-cut-(\d+))?(?:-after-(\d+))?", model)
    if plan is None:
        return None
    words, every, cut, after = (None if number is None else int(number) for number in plan.groups())
    return Manner(
        tuple(f"word{number} " for number in range(words or 0)),
        before_headers_seconds=(after or 0) / 1000,
        between_seconds=(every or 0) / 1000,
        cut_after=None if cut is None else cut + 1,  # who speaks is told before
    )


@dataclass
class Seen:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which of the connections it came on."""
    left_after: float | None = None
    """Seconds from the request to its client's leaving before the end of the answer."""
    left_at: float | None = None
    """The same as `time.monotonic()`."""
    events: int = 0
    """Number of events sent."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the answer is complete, or the client left."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def shown(self) -> dict[str, Any]:
        told = {key: value for key, value in vars(self).items() if key not in ("body", "over")}
        return told | {"body": self.body.decode("utf-8", "replace"), "over": self.over.is_set()}


class Left(Exception):
    """The client closed its connection."""


@contextmanager
def in_a_thread(upstream: "Upstream") -> Iterator["Upstream"]:
    """It serves, in a thread and a loop of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(upstream.__aenter__(), loop).result(10)
    try:
        yield upstream
    finally:
        asyncio.run_coroutine_threadsafe(upstream.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Upstream:
    """A server on a real socket."""

    def __init__(
        self,
        manner: Manner | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        keys: Mapping[str, "str | Manner"] | None = None,
        refuses: bytes | None = None,
        judge: Callable[[dict[str, Any]], Manner | None] | None = None,
        models: tuple[str, ...] | None = None,
        serves: tuple[str, ...] | None = None,
        ends: dict[str, str] | None = None,
    ) -> None:
        """
        Args:
            keys: How a request with that `authorization` is answered, as a manner or by its name in `MANNERS`.
            refuses: Bytes of a request that is answered 400.
            judge: Looks at each request; returns how it is answered, or None for the usual manner.
            models: What `GET /v1/models` tells; None: there is no such path.
            serves: Models that are answered, any other being refused with 404; None: any.
            ends: `shutdown_date` of each model that has one in that list.
        """
        self.manner, self.host, self.port = manner or Manner(), host, port
        self.keys, self.refuses, self.judge, self.models = keys or {}, refuses, judge, models
        self.serves, self.ends = serves, ends or {}
        self.listed = 0
        """Number of times that the models were asked for."""
        self.seen: list[Seen] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def left(self) -> int:
        """Number of callers who hung up before the end."""
        return sum(seen.left_at is not None for seen in self.seen)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for _ in range(10):  # connections that were accepted just now become tasks
            await asyncio.sleep(0)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            await self._converse(reader, writer, self.connections)
        except asyncio.CancelledError:
            writer.transport.abort()
        except (Left, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while True:
            method, path, headers, body = await _request(reader)
            if path == "/seen":
                if method == "DELETE":
                    self.seen.clear()
                shown = json.dumps([seen.shown() for seen in self.seen]).encode()
                writer.write(_head(200, "application/json", (("content-length", str(len(shown))),)) + shown)
                continue
            if method == "GET":
                self.listed += 1
                data = [{"id": name, "shutdown_date": self.ends.get(name)} for name in self.models or ()]
                listed = json.dumps({"object": "list", "data": data}).encode()
                writer.write(_whole(200, listed) if self.models is not None else _whole(404, b"{}"))
                continue
            seen = Seen(path, headers, body, connection)
            self.seen.append(seen)
            began = time.monotonic()
            answer = asyncio.create_task(self._answer(writer, seen))
            leaving = asyncio.create_task(reader.read(1))
            try:
                await asyncio.wait({answer, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done():
                    seen.left_at = time.monotonic()
                    seen.left_after = seen.left_at - began
                    raise Left
                answer.result()
            finally:
                answer.cancel()
                leaving.cancel()
                await asyncio.gather(answer, leaving, return_exceptions=True)
                seen.over.set()
            if writer.transport.is_closing():
                return

    async def _answer(self, writer: asyncio.StreamWriter, seen: Seen) -> None:
        with suppress(ValueError):
            wanted = json.loads(seen.body)
            model = str(wanted.get("model"))
            manner = MANNERS.get(model) or planned(model) or self.manner
            if (kept := self.keys.get(seen.headers.get("authorization", ""))) is not None:
                manner = kept if isinstance(kept, Manner) else MANNERS[kept]
            if self.refuses is not None and self.refuses in seen.body:
                manner = MANNERS["400"]
            if self.serves is not None and model not in self.serves:
                manner = MANNERS["404"]
            if self.judge is not None:
                manner = self.judge(wanted) or manner
            return await self._by(manner, wanted, writer, seen)
        writer.write(_whole(400, _error("no JSON")))

    async def _by(self, manner: Manner, wanted: dict[str, Any], writer: asyncio.StreamWriter, seen: Seen) -> None:
        if manner.silent:
            await asyncio.Event().wait()
        await asyncio.sleep(manner.before_headers_seconds)
        if manner.drop_before_answer:
            writer.transport.abort()
            return
        if manner.body is not None:
            kind = manner.media_type or "application/json"
            writer.write(_whole(manner.status, manner.body, kind, manner.headers))
            return
        if not wanted.get("stream"):
            await asyncio.sleep(manner.before_first_seconds + manner.between_seconds * len(manner.pieces))
            if manner.error_after is not None:
                writer.write(_whole(200, _error("it broke", type="server_error")))
            elif manner.cut_after is not None:
                writer.write(_whole(200, _completion(manner, wanted))[:-20])
                await writer.drain()
                writer.transport.abort()
            else:
                async for part in _slices(_whole(200, _completion(manner, wanted)), manner):
                    writer.write(part)
                    await writer.drain()
            return
        writer.write(_head(200, manner.media_type or "text/event-stream", (("transfer-encoding", "chunked"),)))
        async for event in self._events(manner, wanted, seen):
            await _send(writer, event, manner)
        if manner.cut_after is not None:
            await writer.drain()
            writer.transport.abort()
            return
        await asyncio.sleep(manner.linger_seconds)
        writer.write(b"0\r\n\r\n")

    async def _events(self, manner: Manner, wanted: dict[str, Any], seen: Seen) -> AsyncIterator[bytes]:
        stops = (manner.cut_after, manner.end_after, manner.stall_after, manner.error_after)
        stop = min((number for number in stops if number is not None), default=None)
        await asyncio.sleep(manner.before_first_seconds)
        for _ in range(manner.comments):
            yield b": keep-alive\n\n"
            await asyncio.sleep(manner.between_seconds)
        for chunk in _chunks(manner, wanted):
            if seen.events == stop:
                break
            yield f"data: {json.dumps(chunk, ensure_ascii=False)}{manner.separator}".encode()
            seen.events += 1
            await asyncio.sleep(manner.between_seconds)
        else:
            if manner.done:
                yield f"data: [DONE]{manner.separator}".encode()
            if manner.after_done:
                yield manner.after_done
            return
        if manner.stall_after is not None:
            yield b""
            await asyncio.Event().wait()
        if manner.error_after is not None:
            yield b"data: " + _error("it broke", type="server_error", code=None) + b"\n\n"


def _chunks(manner: Manner, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    frame = {"id": "chatcmpl-imitated", "object": "chat.completion.chunk", "created": 1, "model": wanted.get("model")}
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"reasoning_content": piece}, None) for piece in manner.reasoning]
    deltas += [({"content": piece}, None) for piece in manner.pieces]
    deltas += [({"tool_calls": [call]}, None) for call in _called(manner)]
    if manner.finish_reason:
        deltas.append(({}, manner.finish_reason))
    chunks = [
        frame | {"choices": [{"index": index, "delta": delta, "finish_reason": end} | _odds(wanted, delta)]}
        for delta, end in deltas
        for index in range(wanted.get("n") or 1)
    ]
    if manner.usage and (wanted.get("stream_options") or {}).get("include_usage"):
        chunks = [chunk | {"usage": None} for chunk in chunks]
        chunks.append(frame | {"choices": [], "usage": _usage(manner)})
    return chunks


def _called(manner: Manner) -> Iterator[dict[str, Any]]:
    """The calls as a stream has them: first who is called, then what with, cut anywhere, one call after the other."""
    for at, (name, arguments) in enumerate(manner.calls):
        yield {"index": at, "id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": ""}}
        for begin in range(0, len(arguments), 7):
            yield {"index": at, "function": {"arguments": arguments[begin : begin + 7]}}


def _odds(wanted: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return how likely each token was, where that is asked for."""
    text = said.get("content")
    if not wanted.get("logprobs") or not text:
        return {}
    top = [{"token": text, "logprob": -0.5, "bytes": list(text.encode())}] * (wanted.get("top_logprobs") or 0)
    return {"logprobs": {"content": [{"token": text, "logprob": -0.5, "bytes": None, "top_logprobs": top}]}}


def _completion(manner: Manner, wanted: dict[str, Any]) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(manner.pieces), "refusal": None}
    if manner.reasoning:
        message["reasoning_content"] = "".join(manner.reasoning)
    if manner.calls:
        message["tool_calls"] = [
            {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for at, (name, arguments) in enumerate(manner.calls)
        ]
    choice = {"message": message, "logprobs": None, "finish_reason": manner.finish_reason} | _odds(wanted, message)
    whole = {
        "id": "chatcmpl-imitated",
        "object": "chat.completion",
        "created": 1,
        "model": wanted.get("model"),
        "choices": [{"index": index} | choice for index in range(wanted.get("n") or 1)],
        "of_their_own": {"kept": [1.10, "é"]},
    } | ({"usage": _usage(manner)} if manner.usage else {})
    return json.dumps(whole, ensure_ascii=False, indent=1).encode()


def _usage(manner: Manner) -> dict[str, int]:
    return {"prompt_tokens": 5, "completion_tokens": len(manner.pieces), "total_tokens": 5 + len(manner.pieces)}


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    if "chunked" in headers.get("transfer-encoding", ""):
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, path, headers, body


def _head(status: int, media_type: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Imitated",
        f"content-type: {media_type}",
        *(f"{key}: {value}" for key, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _whole(
    status: int, body: bytes, media_type: str = "application/json", headers: tuple[tuple[str, str], ...] = ()
) -> bytes:
    return _head(status, media_type, (*headers, ("content-length", str(len(body))))) + body


async def _send(writer: asyncio.StreamWriter, piece: bytes, manner: Manner) -> None:
    async for part in _slices(piece, manner):
        writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        await writer.drain()


async def _slices(piece: bytes, manner: Manner) -> AsyncIterator[bytes]:
    step = manner.slice_bytes or max(1, len(piece))
    for at in range(0, len(piece), step):
        yield piece[at : at + step]
        if manner.slice_bytes:
            await asyncio.sleep(manner.slice_seconds)


async def _main(port: int, manner: str) -> None:
    async with Upstream(MANNERS[manner], port=port) as upstream:
        sys.stdout.write(f"{upstream.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An imitation of an upstream that speaks OpenAI's dialect.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--manner", choices=sorted(MANNERS), default="good")
    chosen = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(chosen.port, chosen.manner))
