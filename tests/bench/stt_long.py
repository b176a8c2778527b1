"""Two hours of speech: when its first words come, what it costs, and whether /healthz answers at once meanwhile."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import numpy as np

from bench.stack import Caller, Process, free_ports, ms, quantile, row, service, verdict
from bench.stt import FORM, PATH, form
from fixtures import sounds
from fixtures.whisper_model import make

HOURS = 2
SAYS = " ".join(f"{letter}{number}" for letter in "abcd" for number in range(10))
UPLOAD_BYTES = 25_000_000
MOST_FIRST_SECONDS, MOST_MB, MOST_HEALTH_MS = 4.0, 80.0, 20.0


def answer(stt: Process, body: bytes, connection: HTTPConnection) -> HTTPResponse:
    headers = {"content-type": FORM, "authorization": "Bearer bench"}
    connection.request("POST", PATH, body, headers)
    return connection.getresponse()


def lines(stt: Process, sound: bytes) -> Iterator[bytes]:
    """Of the events, as they come."""
    with closing(HTTPConnection("127.0.0.1", stt.port, timeout=300)) as connection:
        yield from answer(stt, form(sound, stream="true"), connection)


async def main() -> list[bool]:
    """With a model that takes no time of its own, so that everything else shows."""
    port = free_ports() + 11
    sentence = np.concatenate([sounds.spoken("tell me a story about a bear"), sounds.silence(1)])
    minute = sounds.encoded("mp3", np.resize(sentence, 60 * sounds.RATE))
    with tempfile.TemporaryDirectory() as folder:
        model = str(make(Path(folder), say=SAYS))
        with service("stt", port, STT_ENGINES="whisper", WHISPER_MODEL=model) as stt:
            stt.wait_for_all_engines()
            for _ in range(5):  # until each thread has the memory that it keeps
                last = list(lines(stt, minute))
            assert b"transcript.text.done" in last[-2], last
            long = HOURS * 60 * minute
            return [*cost(stt, long), await health(stt, long, sounds.wav(sentence))]


def cost(stt: Process, long: bytes) -> list[bool]:
    """Of a long recording, beside several of a minute that came before it."""
    before = stt.forget_peak_mb()
    began, cpu, first = time.perf_counter(), stt.cpu_seconds(), 0.0
    for line in lines(stt, long):
        if not first and b"transcript.text.delta" in line:
            first = time.perf_counter() - began
    row(f"{HOURS} h, {len(long) / 1e6:.0f} MB of mp3: all of it", f"{time.perf_counter() - began:.1f} s")
    row("processor time", f"{stt.cpu_seconds() - cpu:.1f} s")
    return [
        verdict(f"{HOURS} h: first words", first, MOST_FIRST_SECONDS, "s"),
        verdict(f"{HOURS} h: memory beyond that for a minute", stt.peak_mb() - before, MOST_MB, "MB"),
    ]


async def health(stt: Process, long: bytes, short: bytes) -> bool:
    """Whether /healthz keeps its promise while the largest uploads come in, and the largest answers go out."""
    noise = sounds.wav(sounds.noise(UPLOAD_BYTES / 2 / sounds.RATE - 1))
    ended = threading.Event()

    def ask(body: bytes) -> int:
        with closing(HTTPConnection("127.0.0.1", stt.port, timeout=300)) as connection:
            response = answer(stt, body, connection)
            size = len(response.read())
            assert response.status in (200, 429), response.status  # not all can be served on a slow machine
            return size

    def ask_until_ended(body: bytes) -> None:
        while not ended.is_set():
            ask(body)

    words = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    callers = [threading.Thread(target=ask_until_ended, args=[form(sound)]) for sound in [noise] * 2 + [short] * 4]
    for caller in callers:
        caller.start()
    whole = asyncio.create_task(asyncio.to_thread(ask, form(long, **words)))
    prober, took = Caller(stt.port), list[float]()
    while not whole.done():
        took.append((await prober.ask("/healthz")).last_byte)
        await asyncio.sleep(0.01)
    prober.close()
    ended.set()
    for caller in callers:
        await asyncio.to_thread(caller.join)
    row("words with their times", f"{await whole / 1e6:.1f} MB of JSON")
    row("/healthz meanwhile, p50 and p95", ms(quantile(took, 0.5)), ms(quantile(took, 0.95)))
    return verdict("/healthz meanwhile, p99", quantile(took, 0.99) * 1000, MOST_HEALTH_MS, "ms")
