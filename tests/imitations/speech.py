"""An imitation of a speech server that speaks OpenAI's dialect, in all the ways such servers go wrong.

In a test:

    async with SpeechServer(Manner(sends="wav", claims="audio/mpeg")) as server:
        ...                                  # talk to server.base_url
        assert server.seen[0].json["voice"] == "nova"

As a program: `PYTHONPATH=tests python -m imitations.speech --port 9000`, then `TTS_OPENAI_BASE_URL=http://127.0.0.1:9000/v1`.
A request's `model` picks one of `MANNERS` by name (`cut`, `html`, `401` …); any other gets a good answer.
"""

import argparse
import array
import asyncio
import io
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

import av
from aiohttp import web
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

SECONDS_PER_LETTER = 0.06
MOST_SECONDS = 10.0
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
    "aiff": "audio/aiff",
}
CONTAINERS = {
    "mp3": "mp3",
    "opus": "ogg",
    "aac": "adts",
    "flac": "flac",
    "m4a": "mp4",
    "webm": "webm",
    "aiff": "aiff",
}
CODECS = {
    "mp3": "libmp3lame",
    "opus": "libopus",
    "aac": "aac",
    "flac": "flac",
    "m4a": "aac",
    "webm": "libopus",
    "aiff": "pcm_s16be",
}


@dataclass(frozen=True)
class Manner:
    """How a request is answered."""

    sends: str | None = None
    """The format that really comes; None: the one asked for."""
    claims: str | None = None
    """The content type; None: the true one."""
    rate: int = 24_000
    channels: int = 1
    wav_size: int | None = None
    """What a WAV says of its length; None: the truth."""
    prefix: bytes = b""
    """Before the sound."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    """Sent instead of sound."""
    before_headers_seconds: float = 0.0
    before_first_seconds: float = 0.0
    slice_bytes: int = 2048
    slice_seconds: float = 0.0
    cut_after: int | None = None
    """Drops the connection after so many bytes."""
    stall_after: int | None = None
    """Falls silent after so many bytes."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Which of `MANNERS` meets who shows such a key."""


def _error(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


JSON, HTML = "application/json", "text/html; charset=utf-8"
MANNERS: dict[str, Manner] = {
    "slow": Manner(before_headers_seconds=3.0),
    "silent": Manner(stall_after=0),
    "stall": Manner(stall_after=4096),
    "cut": Manner(cut_after=4096),
    "empty": Manner(body=b""),
    "html": Manner(body=b"<!doctype html><html><body>Welcome to nginx</body></html>", claims=HTML),
    "error-in-200": Manner(body=_error("model crashed", type="server_error"), claims=JSON),
    "error-as-mp3": Manner(body=_error("model crashed", type="server_error"), claims="audio/mpeg"),
    "quota-in-200": Manner(body=_error("no balance", code="insufficient_quota"), claims=JSON),
    "header-only": Manner(sends="wav", body=b""),
    "400": Manner(status=400, body=_error("no such voice", param="voice", code="invalid_voice"), claims=JSON),
    "401": Manner(status=401, body=_error("Incorrect API key: sk-secret-1234567", code="invalid_api_key"), claims=JSON),
    "402": Manner(status=402, body=_error("Insufficient Balance"), claims=JSON),
    "404": Manner(status=404, body=_error("no such model", code="model_not_found"), claims=JSON),
    "422": Manner(status=422, body=b'{"detail":[{"loc":["body","voice"],"msg":"unknown"}]}', claims=JSON),
    "429": Manner(status=429, headers=(("retry-after", "7"),), body=_error("slow down"), claims=JSON),
    "blocked": Manner(status=400, body=_error("blocked", code="content_filter"), claims=JSON),
    "500": Manner(status=500, body=b"<html>oops</html>", claims=HTML),
    "503": Manner(status=503, body=_error("overloaded"), claims=JSON),
}


@dataclass
class Seen:
    """A request that came."""

    headers: dict[str, str]
    body: bytes
    left: bool = False
    """Its client left before the end of the answer."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SpeechServer:
    """Serves on loopback, in the loop of the test."""

    def __init__(self, manner: Manner | None = None, *, port: int = 0) -> None:
        self.manner, self.port = manner or Manner(), port
        self.seen: list[Seen] = []
        self.voices: dict[str, Any] = {}
        """What lies under `voices`, or `speech/voices`."""
        self.voices_asked = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/audio/speech", self._speech)
        app.router.add_get("/v1/audio/{path:voices|speech/voices}", self._voices)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    async def _voices(self, request: web.Request) -> web.Response:
        self.voices_asked += 1
        if (listed := self.voices.get(request.match_info["path"])) is None:
            raise web.HTTPNotFound
        return web.json_response(listed)

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        seen = Seen({name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.seen.append(seen)
        try:
            return await self._answer(request, seen, MANNERS.get(seen.json.get("model"), self.manner))
        except (asyncio.CancelledError, ConnectionError):
            seen.left = True
            raise
        finally:
            seen.over.set()

    async def _answer(self, request: web.Request, seen: Seen, manner: Manner) -> web.StreamResponse:
        if (kept := manner.keys.get(seen.headers.get("authorization", "").removeprefix("Bearer "))) is not None:
            manner = MANNERS[kept]
        await asyncio.sleep(manner.before_headers_seconds)
        wanted = seen.json
        kind = manner.sends or wanted.get("response_format", "mp3")
        sound = manner.body
        if sound is None:
            seconds = min(MOST_SECONDS, SECONDS_PER_LETTER * len(wanted["input"])) / wanted.get("speed", 1.0)
            sound = manner.prefix + spoken(kind, seconds, manner.rate, manner.channels, manner.wav_size)
        elif manner.sends == "wav":
            sound = _wav(b"", manner.rate, manner.channels, manner.wav_size)
        response = web.StreamResponse(status=manner.status, headers=dict(manner.headers))
        response.headers["content-type"] = manner.claims or MEDIA_TYPES[kind]
        response.enable_chunked_encoding()
        await response.prepare(request)
        await asyncio.sleep(manner.before_first_seconds)
        stops = [stop for stop in (manner.cut_after, manner.stall_after) if stop is not None]
        sent = sound[: min(stops, default=len(sound))]
        for begin in range(0, len(sent), manner.slice_bytes):
            await response.write(sent[begin : begin + manner.slice_bytes])
            await asyncio.sleep(manner.slice_seconds)
        if manner.stall_after is not None:
            await asyncio.Event().wait()
        if manner.cut_after is not None:
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionAbortedError
        await response.write_eof()
        return response


@lru_cache(32)
def spoken(kind: str, seconds: float, rate: int = 24_000, channels: int = 1, wav_size: int | None = None) -> bytes:
    """A hum of 300 Hz."""
    samples = array.array("h")
    for number in range(int(seconds * rate)):
        samples.extend([int(8_000 * math.sin(2 * math.pi * 300 * number / rate))] * channels)
    pcm = samples.tobytes()
    if kind == "pcm":
        return pcm
    if kind == "wav":
        return _wav(pcm, rate, channels, wav_size)
    file = io.BytesIO()
    with av.open(file, "w", format=CONTAINERS[kind]) as container:
        stream = container.add_stream(CODECS[kind], rate=rate, layout="mono" if channels == 1 else "stereo")
        assert isinstance(stream, AudioStream)
        frame = AudioFrame(format="s16", layout="mono" if channels == 1 else "stereo", samples=len(samples) // channels)
        frame.sample_rate = rate
        frame.planes[0].update(pcm)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()


def _wav(pcm: bytes, rate: int, channels: int, size: int | None) -> bytes:
    size = len(pcm) if size is None else size
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    head = struct.pack("<4sI4s", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE") + form
    return head + struct.pack("<4sI", b"data", size) + pcm


async def _main(port: int) -> None:
    async with SpeechServer(port=port) as server:
        print(server.base_url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=0)
    asyncio.run(_main(arguments.parse_args().port))
