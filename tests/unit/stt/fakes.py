"""An engine that hears what it is told to, and a service around it."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import numpy as np
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from chassis.server.auth import KeyOptions
from fixtures import sounds
from stt.app import assemble
from stt.engines import Engine
from stt.engines.sphinx.engine import Sphinx
from stt.hearing import RATE, Heard, Hints, Pcm, Segment, Word
from stt.settings import Settings
from stt.sound.decode import blocks

HELLO = (
    Segment(
        start=0.1,
        end=0.9,
        text=" hello little",
        tokens=(1, 2),
        avg_logprob=-0.5,
        words=(Word("hello", 0.1, 0.4), Word("little", 0.4, 0.9)),
    ),
    Segment(start=0.9, end=1.5, text=" bear", tokens=(3,), words=(Word("bear", 0.9, 1.5),)),
)
SPEECH = sounds.wav(sounds.tone(2.5))


@asynccontextmanager
async def loaded_sphinx() -> AsyncIterator[Sphinx]:
    """PocketSphinx, loaded, and patient: a busy machine is no failure."""
    engine = await asyncio.to_thread(Sphinx.load, "sphinx", lambda doing, part: None)
    engine.patience_seconds = 600
    yield engine
    await engine.aclose()


class FakeEngine(Engine):
    """Hears `segments`, one at a time; raises `error` after `after` of them; is silent while `silent` is set."""

    def __init__(
        self,
        *segments: Segment,
        language: str = "en",
        hears: tuple[str, ...] = (),
        error: Exception | None = None,
        after: int = 0,
        silent: bool = False,
    ) -> None:
        self.segments, self.language, self.languages = segments, language, hears
        self.error, self.after, self.silent = error, after, silent
        self.first_byte_seconds = 0.1
        self.only = hears[0] if len(hears) == 1 else None
        self.models = ("small",)
        self.asked: list[tuple[Pcm, Hints]] = []
        self.closed = 0

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    def hears(self, language: str | None) -> bool:
        return language is None or not self.languages or language in self.languages

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        self.asked.append((pcm, hints))
        try:
            if self.silent:
                await asyncio.Event().wait()
            for number, segment in enumerate(self.segments):
                if self.error is not None and number == self.after:
                    raise self.error
                yield Heard(language=self.language, segments=(segment,))
            if self.error is not None:
                raise self.error
            if not self.segments:
                yield Heard(language=self.language)
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        pass


def decoded(file: bytes, max_seconds: float = 10_800.0) -> Pcm:
    """The sound in a file."""
    return np.concatenate([sounds.silence(0), *blocks(io.BytesIO(file), max_seconds, RATE)])


def chain_of(first_byte_seconds: float = 4.0, /, **engines: Engine) -> Chain[Engine]:
    seats = [Seat.of(name, engine) for name, engine in engines.items()]
    return Chain(seats, first_byte_seconds=first_byte_seconds, last_engine_seconds=first_byte_seconds)


def service(*engines: Engine, chain: Chain[Engine] | None = None, **settings: Any) -> Starlette:
    """The service with engines `a`, `b` … that are ready."""
    chain = chain or chain_of(**dict(zip("abc", engines, strict=False)))
    return assemble(Settings(**settings), chain, keys=KeyOptions())


async def ask(
    app: Starlette, file: bytes | None = SPEECH, *, name: str = "speech.wav", **fields: str | list[str]
) -> httpx.Response:
    """Post `file`, with `model` and whatever else the `fields` say; None leaves it out."""
    files = {} if file is None else {"file": (name, file)}
    data = {"model": "whisper-1", **fields}
    parts = [*files.items()] or [("other", ("other", b"x"))]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stt") as client:
        return await client.post("/v1/audio/transcriptions", data=data, files=parts)
