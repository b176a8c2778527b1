"""An imitation of a speech server that speaks OpenAI's dialect, in all the ways such servers go wrong.

In a test:

    async with SpeechServer(Manner(sends="wav", claims="audio/mpeg")) as server:
        ...                                  # talk to server.base_url
        assert server.seen[0].json["voice"] == "nova"

As a program: `PYTHONPATH=tests python -m imitations.speech --port 9000`, then `TTS_OPENAI_BASE_URL=http://127.0.0.1:9000/v1`.
A request's `model` picks one of `MANNERS` by name (`cut`, `html`, `401` …); any other gets a good answer.
"""

import array
import asyncio
import io
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
from aiohttp import web
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from imitations import audio_server
from imitations.audio_server import AudioServer, ended, error, headers_of, run, troubles

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
class Manner(audio_server.Manner):
    """How a request is answered."""

    sends: str | None = None
    """The format that really comes; None: the one asked for."""
    rate: int = 24_000
    channels: int = 1
    wav_size: int | None = None
    """What a WAV says of its length; None: the truth."""
    prefix: bytes = b""
    """Before the sound."""
    before_first_seconds: float = 0.0
    slice_bytes: int = 2048


MANNERS = troubles(Manner, about="voice", bytes_before=4096) | {
    "error-as-mp3": Manner(body=error("model crashed", type="server_error"), claims="audio/mpeg"),
    "header-only": Manner(sends="wav", body=b""),
}


@dataclass
class Seen(audio_server.Seen):
    """A request that came."""

    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SpeechServer(AudioServer[Manner, Seen]):
    path = "/v1/audio/speech"

    def __init__(self, manner: Manner | None = None, *, port: int = 0) -> None:
        super().__init__(manner or Manner(), MANNERS, port)
        self.voices: dict[str, Any] = {}
        """What lies under `voices`, or `speech/voices`."""
        self.voices_asked = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/audio/{path:voices|speech/voices}", self._voices)]

    async def _voices(self, request: web.Request) -> web.Response:
        self.voices_asked += 1
        if (listed := self.voices.get(request.match_info["path"])) is None:
            raise web.HTTPNotFound
        return web.json_response(listed)

    async def read(self, request: web.Request) -> tuple[Seen, str]:
        seen = Seen(headers_of(request), body=await request.read())
        return seen, str(seen.json.get("model"))

    def fields_of(self, seen: Seen) -> Mapping[str, Any]:
        return dict(seen.json)

    async def answer(self, request: web.Request, seen: Seen, manner: Manner) -> web.StreamResponse:
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
        sent = sound[: manner.most_bytes]
        for begin in range(0, len(sent), manner.slice_bytes):
            await response.write(sent[begin : begin + manner.slice_bytes])
            await asyncio.sleep(manner.slice_seconds)
        return await ended(request, response, manner)


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


if __name__ == "__main__":
    run(lambda port: SpeechServer(port=port), __doc__)
