"""An imitation of the service behind Edge's read-aloud, for edge-tts to talk to; it can also misbehave.

In a test:

    with EdgeImitation(Knobs(trouble="stall")) as edge:
        Edge(EdgeOptions(url=edge.url))

As a program: `PYTHONPATH=tests python -m imitations.edge --port 9000`, then `EDGE_URL=http://127.0.0.1:9000`.
A running one is changed by `POST /knobs` with a JSON object of knobs, and tells by `GET /heard` what it was asked.
"""

import argparse
import array
import asyncio
import html
import json
import math
import re
import struct
import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal, Self, get_args
from uuid import uuid4

import lameenc
from aiohttp import WSMsgType, web

ROOT = "/consumer/speech/synthesize/readaloud"
RATE = 24_000
FRAME_BYTES = 144
FRAME_SECONDS = 0.024
SECONDS_PER_LETTER = 0.06
SIGNATURE = re.compile("[0-9A-F]{16}-[0-9A-F]{64}")

Trouble = Literal[
    "none",
    "403-once",
    "403",
    "429",
    "500",
    "no-audio",
    "drop",
    "drop-at-once",
    "stall",
    "stall-at-once",
    "unknown-path",
    "dead-when-used",
    "first-only",
]


@dataclass(frozen=True)
class Knobs:
    """How it behaves."""

    trouble: Trouble = "none"
    """`drop` and `stall` happen after `messages_before_trouble` messages of sound; `dead-when-used` happens once, to
    the first connection that is used; after `first-only`, no connection can be opened any more."""
    handshake_seconds: float = 0.0
    first_audio_seconds: float = 0.0
    message_seconds: float = 0.0
    """Between two messages of sound."""
    frames_per_message: int = 5
    messages_before_trouble: int = 3
    most_seconds: float = 10.0
    """Length of the sound for a very long text."""
    clock_ahead_seconds: float = 0.0
    """How far its clock is ahead, as the Date of a refusal tells."""


@dataclass(frozen=True)
class Heard:
    """One thing it was asked to say."""

    text: str
    voice: str
    rate: str
    ssml: str


@dataclass
class EdgeImitation:
    """Serves on loopback, in a thread of its own, from `with` to its end."""

    knobs: Knobs = field(default_factory=Knobs)
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    handshakes: int = 0
    open: int = 0
    """Connections that are."""
    most_open: int = 0
    """The most that were at a time."""
    opened: int = 0
    """That ever were."""
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when a caller leaves in the middle of an answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        started: threading.Event = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._sockets: set[web.WebSocketResponse] = set()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(started),), daemon=True)
        self._thread.start()
        assert started.wait(10), "the imitation did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def turn(self, **knobs: Any) -> None:
        """Turn some knobs, for what is asked from now on."""
        self.knobs = replace(self.knobs, **knobs)

    async def _serve(self, started: threading.Event) -> None:
        app = web.Application()
        app.router.add_get(f"{ROOT}/edge/v1", self._talk)
        app.router.add_get(f"{ROOT}/voices/list", self._voices)
        app.router.add_post("/knobs", self._turned)
        app.router.add_get("/heard", self._asked)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        started.set()
        await self._stop.wait()
        await runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}  # connections that had only just begun
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.02)  # their sockets close in the loop's next turns

    async def _turned(self, request: web.Request) -> web.Response:
        self.turn(**await request.json())
        return web.json_response(asdict(self.knobs))

    async def _asked(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(heard) for heard in self.heard])

    async def _voices(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        names = {
            "zh-CN-XiaoxiaoNeural": "Female",
            "zh-CN-YunxiNeural": "Male",
            "en-US-EmmaMultilingualNeural": "Female",
            "en-US-GuyNeural": "Male",
            "eo-XX-ZamenhofNeural": "Male",
        }
        listed = [
            {"ShortName": name, "Gender": gender, "Locale": name[:5], "Status": "GA"} for name, gender in names.items()
        ]
        return web.json_response(listed)

    def _refusal(self, request: web.Request) -> web.Response | None:
        trouble = self.knobs.trouble
        signed = SIGNATURE.fullmatch(request.query.get("Sec-MS-GEC", ""))
        if not signed or trouble == "403" or (trouble == "403-once" and self.handshakes <= 1):
            return self._refused(403)
        if trouble == "first-only" and self.handshakes > 1:
            return self._refused(500)
        return self._refused(int(trouble)) if trouble in ("429", "500") else None

    def _refused(self, status: int) -> web.Response:
        now = datetime.now(UTC) + timedelta(seconds=self.knobs.clock_ahead_seconds)
        return web.Response(status=status, headers={"Date": format_datetime(now, usegmt=True)})

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        self.handshakes += 1
        await asyncio.sleep(self.knobs.handshake_seconds)
        if refusal := self._refusal(request):
            return refusal
        socket = web.WebSocketResponse(compress=True)
        await socket.prepare(request)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.opened += 1
        self._sockets.add(socket)
        try:
            return await self._listen(request, socket)
        finally:
            self.open -= 1
            self._sockets.discard(socket)

    def hang_up(self) -> None:
        """On all that are open."""
        for socket in list(self._sockets):
            asyncio.run_coroutine_threadsafe(socket.close(), self._loop)

    async def _listen(self, request: web.Request, socket: web.WebSocketResponse) -> web.WebSocketResponse:
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                break
            head, _, body = message.data.partition("\r\n\r\n")
            headers = dict(line.split(":", 1) for line in head.split("\r\n"))
            if headers["Path"] != "ssml":
                continue
            if self.knobs.trouble == "dead-when-used":
                self.turn(trouble="none")
                assert request.transport is not None
                request.transport.abort()
                break
            try:
                await _Turn(socket, headers["X-RequestId"], self.knobs).answer(self._note(body))
            except ConnectionError:
                self.hung_up.set()
                break
            if self.knobs.trouble.startswith("drop"):
                assert request.transport is not None
                request.transport.abort()
                break
        return socket

    def _note(self, ssml: str) -> str:
        text = html.unescape(re.sub("<[^>]+>", "", ssml))
        voice, rate = re.search("<voice name='([^']*)'", ssml), re.search("rate='([^']*)'", ssml)
        assert voice
        assert rate
        self.heard.append(Heard(text, voice[1], rate[1], ssml))
        return text


class _Turn:
    """One answer."""

    def __init__(self, socket: web.WebSocketResponse, request_id: str, knobs: Knobs) -> None:
        self.socket, self.id, self.knobs = socket, request_id, knobs

    async def answer(self, text: str) -> None:
        await self._tell("turn.start", {"context": {"serviceTag": self.id}})
        await self._tell("response", {"audio": {"type": "inline", "streamId": "1"}})
        trouble = self.knobs.trouble
        if trouble == "unknown-path":
            await self._tell("turn.surprise", {})
        if trouble == "drop-at-once":
            return
        if trouble == "stall-at-once":
            await self._until_hung_up()
        if trouble != "no-audio":
            await asyncio.sleep(self.knobs.first_audio_seconds)
            if not await self._speak(mp3(text, self.knobs.most_seconds)):
                return
            await self._sound(b"")
        await self._tell("turn.end", {})

    async def _speak(self, sound: bytes) -> bool:
        """Whether it was said to the end."""
        size = FRAME_BYTES * self.knobs.frames_per_message
        for number, begin in enumerate(range(0, len(sound), size)):
            if number == self.knobs.messages_before_trouble:
                if self.knobs.trouble == "drop":
                    return False
                if self.knobs.trouble == "stall":
                    await self._until_hung_up()
            await self._sound(sound[begin : begin + size])
            await asyncio.sleep(self.knobs.message_seconds)
        ticks = len(sound) * 8 * 10_000_000 // 48_000
        boundary = {
            "Offset": 0,
            "Duration": ticks,
            "text": {"Text": "", "Length": 0, "BoundaryType": "SentenceBoundary"},
        }
        await self._tell("audio.metadata", {"Metadata": [{"Type": "SentenceBoundary", "Data": boundary}]})
        return True

    async def _until_hung_up(self) -> None:
        while (await self.socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            pass
        raise ConnectionResetError

    async def _tell(self, path: str, body: dict[str, Any]) -> None:
        head = f"X-RequestId:{self.id}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n"
        await self.socket.send_str(head + json.dumps(body))

    async def _sound(self, data: bytes) -> None:
        kind = "Content-Type:audio/mpeg\r\n" if data else ""
        head = f"X-RequestId:{self.id}\r\n{kind}X-StreamId:{uuid4().hex.upper()}\r\nPath:audio\r\n".encode()
        await self.socket.send_bytes(struct.pack(">H", len(head)) + head + data)


@lru_cache(64)
def mp3(text: str, most_seconds: float = Knobs.most_seconds) -> bytes:
    """Sound in the service's one format, 24 kHz mono at 48 kbit/s: a tone for each word, as long as the word.

    Of a very long text, `most_seconds`.
    """
    samples = array.array("h")
    seconds_per_letter = min(SECONDS_PER_LETTER, most_seconds / max(1, len(text)))
    for number, word in enumerate(text.split() or ["-"]):
        count = max(1, int(RATE * seconds_per_letter * len(word)))
        pitch = 2 * math.pi * (220 + 40 * (number % 8)) / RATE
        samples.extend(int(9000 * math.sin(pitch * i) * math.sin(math.pi * i / count)) for i in range(count))
        samples.extend([0] * int(RATE * 0.04))
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_in_sample_rate(RATE)
    lame.set_out_sample_rate(RATE)
    lame.set_channels(1)
    lame.set_bit_rate(48)
    lame.set_quality(9)
    return bytes(lame.encode(samples.tobytes())) + bytes(lame.flush())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m imitations.edge")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--trouble", choices=get_args(Trouble), default="none")
    parser.add_argument("--first-audio-seconds", type=float, default=0.0)
    parser.add_argument("--message-seconds", type=float, default=0.0)
    parser.add_argument("--most-seconds", type=float, default=Knobs.most_seconds)
    wanted = parser.parse_args()
    knobs = Knobs(
        wanted.trouble,
        first_audio_seconds=wanted.first_audio_seconds,
        message_seconds=wanted.message_seconds,
        most_seconds=wanted.most_seconds,
    )
    with EdgeImitation(knobs, wanted.port) as edge:
        print(edge.url, flush=True)  # noqa: T201  (how a parent process learns the port)
        threading.Event().wait()


if __name__ == "__main__":
    main()
