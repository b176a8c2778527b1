"""An imitation of a transcription server that speaks OpenAI's dialect, in all the ways such servers go wrong.

In a test:

    async with TranscriptionServer(Manner(text="hello", knows=("json",))) as server:
        ...                                  # talk to server.base_url
        assert server.seen[0].fields["model"] == ["whisper-1"]

As a program: `PYTHONPATH=tests python -m imitations.transcription --port 9000`, then
`STT_OPENAI_BASE_URL=http://127.0.0.1:9000/v1`. A request's `model` picks one of `MANNERS` by name (`cut`, `html`, `401`
…); any other gets a good answer.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

JSON, HTML, EVENTS = "application/json", "text/html; charset=utf-8", "text/event-stream"


@dataclass(frozen=True)
class Manner:
    """How a request is answered."""

    text: str = "hello little bear"
    language: str = "english"
    knows: tuple[str, ...] = ("json", "verbose_json", "stream")
    """What it understands; the rest is refused, or taken for `json`."""
    refuses: bool = True
    segments: bool = True
    """Whether its verbose answers have segments and words; else they are a text like any other."""
    untyped: bool = False
    """Streams the texts of segments without a type, and no end."""
    deltas: tuple[str, ...] = ()
    """The pieces of the stream; none: words."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    claims: str | None = None
    body: bytes | None = None
    """Sent instead of an answer."""
    keys: Mapping[str, int] = field(default_factory=dict)
    """Keys that are refused, and the status they get."""
    before_headers_seconds: float = 0.0
    slice_seconds: float = 0.0
    """Between two events."""
    cut_after: int | None = None
    """Drops the connection after so many bytes."""
    stall_after: int | None = None
    """Falls silent after so many bytes."""


def _error(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


MANNERS: dict[str, Manner] = {
    "sensevoice": Manner(text="<|zh|><|NEUTRAL|><|Speech|><|woitn|>🎼你好小熊😊", knows=("json",), refuses=False),
    "slow": Manner(before_headers_seconds=3.0),
    "silent": Manner(stall_after=0),
    "stall": Manner(stall_after=10),
    "cut": Manner(cut_after=10),
    "empty": Manner(body=b""),
    "html": Manner(body=b"<!doctype html><html><body>Welcome to nginx</body></html>", claims=HTML),
    "not-a-text": Manner(body=b'{"text": 7}'),
    "error-in-200": Manner(body=_error("model crashed", type="server_error")),
    "quota-in-200": Manner(body=_error("no balance", code="insufficient_quota")),
    "error-in-stream": Manner(body=b'data: {"error": {"message": "model crashed"}}\n\n', claims=EVENTS),
    "400": Manner(status=400, body=_error("cannot decode", param="file")),
    "401": Manner(status=401, body=_error("Incorrect API key: sk-secret-1234567", code="invalid_api_key")),
    "402": Manner(status=402, body=_error("Insufficient Balance")),
    "404": Manner(status=404, body=_error("no such model", code="model_not_found")),
    "413": Manner(status=413, body=b"<html>too large</html>", claims=HTML),
    "422": Manner(status=422, body=b'{"detail":[{"loc":["body","language"],"msg":"unknown"}]}'),
    "429": Manner(status=429, headers=(("retry-after", "7"),), body=_error("slow down")),
    "blocked": Manner(status=400, body=_error("blocked", code="content_filter")),
    "500": Manner(status=500, body=b"<html>oops</html>", claims=HTML),
    "503": Manner(status=503, body=_error("overloaded")),
}


@dataclass
class Seen:
    """A request that came."""

    headers: dict[str, str]
    fields: dict[str, list[str]]
    name: str = ""
    file: bytes = b""
    left: bool = False
    """Its client left before the end of the answer."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class TranscriptionServer:
    """Serves on loopback, in the loop of the test."""

    def __init__(self, manner: Manner | None = None, *, port: int = 0) -> None:
        self.manner, self.port = manner or Manner(), port
        self.seen: list[Seen] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_post("/v1/audio/transcriptions", self._transcriptions)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        seen = Seen({name.lower(): value for name, value in request.headers.items()}, {})
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file:
                    seen.name, seen.file = value.filename, value.file.read()
            else:
                assert isinstance(value, str)
                seen.fields.setdefault(name, []).append(value)
        self.seen.append(seen)
        try:
            return await self._answer(request, seen, MANNERS.get(seen.fields["model"][-1], self.manner))
        except (asyncio.CancelledError, ConnectionError):
            seen.left = True
            raise
        finally:
            seen.over.set()

    async def _answer(self, request: web.Request, seen: Seen, manner: Manner) -> web.StreamResponse:
        await asyncio.sleep(manner.before_headers_seconds)
        key = seen.headers.get("authorization", "").removeprefix("Bearer ")
        wanted = seen.fields["response_format"][-1]
        streams = seen.fields.get("stream") == ["true"]
        status, claims, pieces = manner.status, manner.claims or JSON, []
        if key in manner.keys:
            status, pieces = manner.keys[key], [_error("this key is refused")]
        elif manner.body is not None:
            pieces = [manner.body]
        elif manner.refuses and (wanted not in manner.knows or (streams and "stream" not in manner.knows)):
            status, pieces = 400, [_error("not supported by this model", param="response_format")]
        elif streams and "stream" in manner.knows:
            claims, pieces = EVENTS, list(_events(manner))
        else:
            verbose = wanted == "verbose_json" and wanted in manner.knows
            pieces = [json.dumps(_verbose(manner) if verbose else {"text": manner.text}).encode()]
        response = web.StreamResponse(status=status, headers={"content-type": claims} | dict(manner.headers))
        response.enable_chunked_encoding()
        await response.prepare(request)
        left = min((stop for stop in (manner.cut_after, manner.stall_after) if stop is not None), default=2**30)
        for piece in pieces:
            await response.write(piece[:left])
            left -= len(piece)
            if left <= 0:
                break
            await asyncio.sleep(manner.slice_seconds)
        if manner.stall_after is not None:
            await asyncio.Event().wait()
        if manner.cut_after is not None:
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionAbortedError
        await response.write_eof()
        return response


def _events(manner: Manner) -> list[bytes]:
    words = manner.text.split(" ")
    deltas = manner.deltas or tuple(word if not number else f" {word}" for number, word in enumerate(words))
    if manner.untyped:
        return [_event({"text": delta}) for delta in deltas]
    said = [_event({"type": "transcript.text.delta", "delta": delta}) for delta in deltas]
    return [*said, _event({"type": "transcript.text.done", "text": "".join(deltas)})]


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _verbose(manner: Manner) -> dict[str, Any]:
    """Half a second for each word."""
    words = manner.text.split()
    times = [{"word": word, "start": 0.5 * number, "end": 0.5 * (number + 1)} for number, word in enumerate(words)]
    body: dict[str, Any] = {"task": "transcribe", "language": manner.language, "text": manner.text}
    if manner.segments:
        segment = {"id": 0, "start": 0.0, "end": 0.5 * len(words), "text": f" {manner.text}", "avg_logprob": -0.25}
        body |= {"duration": 0.5 * len(words), "segments": [segment], "words": times}
    return body


async def _main(port: int) -> None:
    async with TranscriptionServer(port=port) as server:
        print(server.base_url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=0)
    asyncio.run(_main(arguments.parse_args().port))
