"""An engine that does what it is told, a service around it, and ears."""

import asyncio
import io
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from itertools import pairwise
from typing import Self

import av
import httpx
from av.audio.frame import AudioFrame
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from chassis.errors import Declined
from tts.app import assemble
from tts.audio.encode import Encoding
from tts.audio.pcm import RATE, Sound, pcm
from tts.cache.cache import Cache
from tts.engines import Engine
from tts.settings import Settings
from tts.text.clauses import USUAL, Lengths
from tts.voices.choose import Voice

ENGLISH = Voice("anna", "en-US", "female")
CHINESE = Voice("xiaoxiao", "zh-CN", "female")
SENTENCES = Lengths(first=9, most=9, least=1)
"""So short that each of a few words is a clause."""
HELLO = {"model": "tts-1", "voice": "alloy", "input": "Hello little bear."}


def hum(seconds: float, rate: int = RATE, hertz: float = 300.0) -> bytes:
    """A triangle wave as PCM; every sample is below a third of the loudest."""
    period = rate / hertz
    samples = (int(20_000 * abs((i / period) % 1 - 0.5) - 5_000) for i in range(int(seconds * rate)))
    return array("h", samples).tobytes()


def encoded(sound: bytes) -> bytes:
    """The same as mp3."""
    encoding = Encoding(pcm(RATE), "mp3")
    return b"".join([*encoding.encode(sound), *encoding.finish()])


class FakeEngine(Engine):
    """Says `pieces` for each clause; raises `error` after `after` of them; waits for `go` before each but the first.

    A clause takes it `seconds`."""

    first_byte_seconds = 0.1
    speeds = (0.5, 2.0)
    ahead = 1
    reads_figures = False

    def __init__(
        self,
        *pieces: bytes,
        sound: Sound | None = None,
        voices: Sequence[Voice] = (ENGLISH, CHINESE),
        error: Exception | None = None,
        after: int = 0,
        go: asyncio.Event | None = None,
        declines: bool = False,
        lengths: Lengths = USUAL,
        seconds: float = 0.0,
    ) -> None:
        self.pieces = pieces if pieces or error else (hum(0.5),)
        self.sound = sound or pcm(RATE)
        self.voices = voices
        self.error, self.after, self.go, self.declines = error, after, go, declines
        self.lengths, self.seconds = lengths, seconds
        self.under_way = self.most_under_way = 0
        self.said: list[tuple[str, str, float]] = []
        self.asked = self.closed = 0

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    def voice(self, name: str) -> Voice | None:
        return next((voice for voice in self.voices if voice.name == name), None)

    async def refresh_voices(self) -> None:
        self.asked += 1

    def accept(self, text: str, voice: Voice) -> None:
        if self.declines:
            raise Declined("not this text", param="input")

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        self.said.append((text, voice.name, speed))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
            for number, piece in enumerate(self.pieces):
                if self.error is not None and number == self.after:
                    raise self.error
                if number and self.go is not None:
                    await self.go.wait()
                yield piece
            if self.error is not None and self.after >= len(self.pieces):
                raise self.error
        finally:
            self.closed += 1
            self.under_way -= 1

    async def aclose(self) -> None:
        """Nothing is open."""


def service(settings: Settings | None = None, cache: Cache | None = None, **engines: Engine) -> Starlette:
    """The real app around a chain of these."""
    chain: Chain[Engine] = Chain([Seat.of(name, engine) for name, engine in engines.items()], first_byte_seconds=1.0)
    return assemble(settings or Settings(), chain, cache)


async def ask(app: Starlette, **changes: object) -> httpx.Response:
    """Post `HELLO` with `changes`; a field changed to None is left out."""
    body = {key: value for key, value in (HELLO | changes).items() if value is not None}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as client:
        return await client.post("/v1/audio/speech", json=body)


class Heard:
    """What an independent decoder makes of some bytes."""

    def __init__(self, data: bytes, container: str | None = None) -> None:
        self.samples = array("h")
        with av.open(io.BytesIO(data), "r", format=container) as file:
            stream = file.streams.audio[0]
            self.codec, self.container = stream.codec_context.name, file.format.name
            self.rate, self.channels = stream.rate, stream.codec_context.channels
            to_pcm = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in [*file.decode(stream), None]:
                for part in to_pcm.resample(frame):
                    self._keep(part)

    def _keep(self, frame: AudioFrame) -> None:
        self.samples.frombytes(bytes(frame.planes[0])[: 2 * frame.samples])

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def loudest(self) -> int:
        return max(map(abs, self.samples))

    @property
    def silences(self) -> list[float]:
        """How long each silence between two sounds is, in seconds."""
        step = RATE // 100
        loud = [i for i in range(0, len(self.samples), step) if max(map(abs, self.samples[i : i + step])) > 1_000]
        return [(b - a) / RATE for a, b in pairwise(loud) if b - a > 2 * step]

    @property
    def hertz(self) -> float:
        """The pitch of a simple wave, by how often it crosses zero in its middle half."""
        quarter = len(self.samples) // 4
        middle = self.samples[quarter : 3 * quarter]
        crossings = sum(1 for a, b in pairwise(middle) if a < 0 <= b)
        return crossings / (len(middle) / RATE)


async def gathered(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])
