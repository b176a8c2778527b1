"""A toy's whole turn, end of speech to the first byte of mp3: real ears, a mind, a voice, and the proxy before them."""

import asyncio
import importlib.util
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
from deploy.talk import SYSTEM, pieces

from bench.stack import free_ports, ms, proxy, quantile, row, service, verdict
from bench.stt import FORM, form
from fixtures import sounds
from fixtures.real_whisper import whisper_base
from fixtures.small_model import smollm2

QUESTION = "Hello little bear, how are you today my friend?"
"""Three seconds in flite's voice."""
SECONDS, TOYS = 3, 4
ROUNDS, WARM = 12, 3
OWN_MS = 20.0


@dataclass(frozen=True)
class House:
    """A mind and a voice beside Whisper base, and what is promised of them, in milliseconds."""

    name: str
    mind: dict[str, str]
    voice: str
    alone: float
    """For one toy, half of its turns."""
    together: float
    """For four toys at once, 95 of 100 turns."""


@dataclass(frozen=True)
class Turn:
    """Seconds from the end of speech to each stage."""

    heard: float
    cut: float
    """The first piece of the answer is whole."""
    sounds: float
    """The first byte of mp3."""
    own: float
    """Part of it that was neither an engine's nor the making of the first piece: proxy, services, wire and client."""


REFUSED = Turn(math.inf, math.inf, math.inf, math.inf)
"""A turn that the ears refused with 429, since it could not be heard in time."""


def houses() -> Iterator[House]:
    """Yield the houses whose parts are there."""
    yield House("companion, flite", {"LLM_ENGINES": "companion"}, "flite", 250, 500)
    missing = [name for name in ("xllamacpp", "hibari") if importlib.util.find_spec(name) is None]
    if missing:
        row("gguf and hibari", f"left out: without {' and '.join(missing)}")
        return
    mind = {"LLM_ENGINES": "gguf", "GGUF_MODEL": str(smollm2())}
    yield House("SmolLM2-135M, hibari", mind, "hibari", 500, 900)


async def main() -> list[bool]:
    """Each house with one toy and with four."""
    question = form(sounds.wav(sounds.spoken(QUESTION)[: SECONDS * sounds.RATE]))
    kept: list[bool] = []
    for house in houses():
        with running(house) as port:
            alone, together = await measured(port, question)
        for name, turns in (("one toy", alone), (f"{TOYS} toys at once", together)):
            row(f"{house.name}, {name}: turns, refused", str(len(turns)), str(turns.count(REFUSED)))
            for stage in ("heard", "cut", "sounds"):
                values = [getattr(turn, stage) for turn in turns]
                title = f"{house.name}, {name}: {stage}"
                row(title, f"p50 {ms(quantile(values, 0.5))}", f"p95 {ms(quantile(values, 0.95))}")
        kept += [
            verdict(f"{house.name}, one toy, p50", 1000 * quantile([t.sounds for t in alone], 0.5), house.alone, "ms"),
            verdict(
                f"{house.name}, {TOYS} toys, p95",
                1000 * quantile([t.sounds for t in together], 0.95),
                house.together,
                "ms",
            ),
            verdict(f"{house.name}, our own share, p50", 1000 * quantile([t.own for t in alone], 0.5), OWN_MS, "ms"),
        ]
    row("load of this machine at the end", f"{os.getloadavg()[0]:.1f}", f"{os.cpu_count()} cores")
    return kept


@contextmanager
def running(house: House) -> Iterator[int]:
    """The three services and the proxy; the port of the proxy."""
    first = free_ports()
    with ExitStack() as stack:
        stt = service("stt", first + 11, STT_ENGINES="whisper", WHISPER_MODEL=str(whisper_base()))
        llm = service("llm", first + 12, **house.mind)
        tts = service("tts", first + 13, TTS_ENGINES=house.voice, TTS_CACHE="off")
        for each in (stt, llm, tts):
            stack.enter_context(each).wait_for_all_engines()
        stack.enter_context(proxy(first))
        yield first


async def measured(port: int, question: bytes) -> tuple[list[Turn], list[Turn]]:
    """Turns of one toy, and of all at once, after one of each that warms."""
    alone, together = list[Turn](), list[Turn]()
    toys = [Toy(port) for _ in range(TOYS)]
    for _ in range(WARM):
        await toys[0].turn(question)
    await asyncio.gather(*(toy.turn(question) for toy in toys))
    for _ in range(ROUNDS):
        alone.append(await toys[0].turn(question))
        together += await asyncio.gather(*(toy.turn(question) for toy in toys))
    for toy in toys:
        await toy.http.aclose()
    return alone, together


class Toy:
    """What folotoy-server does for one toy: its connections are kept."""

    def __init__(self, port: int) -> None:
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/v1", headers={"authorization": "Bearer bench"}, timeout=30
        )

    async def turn(self, question: bytes) -> Turn:
        """Ask, cut the answer at its first sign, and listen for the first byte."""
        began = time.perf_counter()
        answer = await self.http.post("/audio/transcriptions", content=question, headers={"content-type": FORM})
        if answer.status_code == 429:
            return REFUSED
        heard, text = time.perf_counter() - began, answer.json()["text"]
        own = heard - engine_seconds(answer)
        asked = {
            "model": "gpt-3.5-turbo",
            "stream": True,
            "max_tokens": 60,
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
        }
        async with self.http.stream("POST", "/chat/completions", json=asked) as stream:
            own += time.perf_counter() - began - heard - engine_seconds(stream)
            stream.raise_for_status()
            lines = stream.aiter_lines()
            piece = await first_piece(lines)
            cut = time.perf_counter() - began
            wanted = {"model": "tts-1", "voice": "alloy", "input": piece}
            async with self.http.stream("POST", "/audio/speech", json=wanted) as speech:
                own += time.perf_counter() - began - cut - engine_seconds(speech)
                speech.raise_for_status()
                sound = speech.aiter_raw()
                first = await anext(sound)
                sounds_at = time.perf_counter() - began
                assert first
                assert not speech.headers.get("x-talkbox-cache")
                async for _ in sound:
                    pass
            async for _ in lines:
                pass
        return Turn(heard, cut, sounds_at, own)


async def first_piece(lines: AsyncIterator[str]) -> str:
    """Return the first piece of a streamed answer, cut as soon as it can be seen that it has ended."""
    said = ""
    async for line in lines:
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                said += choice["delta"].get("content") or ""
            found = list(pieces(iter([said])))
            if len(found) > 1:
                return found[0]
        elif line == "data: [DONE]":
            break
    return said


def engine_seconds(answer: httpx.Response) -> float:
    """Return the seconds that an engine took of an answer, as its header tells.

    None are known where a comment began the stream before the engine: then what is our own cannot be told either.
    """
    stages = dict(each.strip().partition(";dur=")[::2] for each in answer.headers["server-timing"].split(","))
    return float(stages.get("engine", "-inf")) / 1000


if __name__ == "__main__":
    sys.exit(asyncio.run(main()).count(False))
