"""Short speech: windows that fit and shared batches, against the same model padded to 30 s, one call at a time."""

import asyncio
import io
import json
import os
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from bench.stack import Caller, free_ports, ms, quantile, row, service, verdict
from fixtures.whisper_model import make
from stt.batching import Batching
from stt.engines import RATE, Pcm
from stt.windows import Utterance, Windows

SAYS = "hello little bear how are you today my friend"
SPOKEN = "Hello little bear, how are you today my friend? Tell me."
CLIP_SECONDS, CLIENTS, ROUNDS, LOAD_SECONDS = 3.0, 8, 7, 8.0
FASTER, MORE, LATEST_MS = 4.0, 6.0, 1000.0


async def clip() -> Pcm:
    """Three seconds of eSpeak's voice."""
    first = free_ports()
    with service("tts", first + 13, TTS_ENGINES="espeak"):
        caller = Caller(first + 13)
        wanted = {"model": "tts-1", "voice": "alloy", "input": SPOKEN, "response_format": "wav"}
        sound = (await caller.ask("/v1/audio/speech", json.dumps(wanted).encode())).body
        caller.close()
    with wave.open(io.BytesIO(sound)) as file:
        rate, samples = file.getframerate(), file.readframes(2**30)
    pcm = np.frombuffer(samples[: len(samples) // 2 * 2], "<i2") / np.float32(32768)
    at = np.arange(round(CLIP_SECONDS * RATE)) * rate / RATE
    return np.asarray(np.interp(at, np.arange(len(pcm)), pcm), np.float32)


def load(folder: Path, *, threads: int, workers: int) -> WhisperModel:
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=workers)


def padded(model: WhisperModel, pcm: Pcm) -> tuple[str, float]:
    began = time.perf_counter()
    parts, _ = model.transcribe(pcm, language="en", beam_size=1, temperature=0.0)
    text = "".join(part.text for part in parts)
    return text.strip(), time.perf_counter() - began


async def short(batching: Batching, pcm: Pcm) -> tuple[str, float]:
    began = time.perf_counter()
    heard = await batching.hear(Utterance(pcm=pcm, language="en"))
    assert heard is not None
    return "".join(part.text for part in heard.segments).strip(), time.perf_counter() - began


async def load_of(batching: Batching, pcm: Pcm) -> tuple[list[float], float]:
    """Latencies of `CLIENTS` that ask again as soon as they are answered, and how many were answered a second."""
    latencies: list[float] = []
    began = time.perf_counter()

    async def keep_asking() -> None:
        while time.perf_counter() - began < LOAD_SECONDS:
            latencies.append((await short(batching, pcm))[1])

    await asyncio.gather(*(keep_asking() for _ in range(CLIENTS)))
    return latencies, len(latencies) / (time.perf_counter() - began)


def ms_of(seconds: list[float]) -> float:
    return quantile(seconds, 0.5) * 1000


async def main() -> list[bool]:
    """A model of tiny's size that says one sentence."""
    cores = len(os.sched_getaffinity(0))
    pcm = await clip()
    with tempfile.TemporaryDirectory() as name:
        folder = make(Path(name), "tiny", say=SAYS)
        shared, alone = load(folder, threads=1, workers=cores), load(folder, threads=cores, workers=1)
        batching = Batching(Windows(shared))
        texts = set[str]()
        windows, pads, best = list[float](), list[float](), list[float]()
        for _ in range(ROUNDS):  # interleaved: whatever else the machine does slows all of them
            for text, seconds, figures in (
                (*await short(batching, pcm), windows),
                (*padded(shared, pcm), pads),
                (*padded(alone, pcm), best),
            ):
                texts.add(text)
                figures.append(seconds)
        row("3 s, padded, one thread", ms(quantile(pads, 0.5)))
        row(f"3 s, padded, {cores} threads", ms(quantile(best, 0.5)))
        row("3 s, in a window, one thread", ms(quantile(windows, 0.5)))
        latencies, rate = await load_of(batching, pcm)
        batching.close()
    row(f"{CLIENTS} clients, p50 and p95", ms(quantile(latencies, 0.5)), ms(quantile(latencies, 0.95)))
    row("transcriptions a second, together", f"{rate:.1f}", f"one by one {1 / quantile(best, 0.5):.1f}")
    if texts != {SAYS}:
        row("the same words", "NOT KEPT")
    return [
        texts == {SAYS},
        verdict("in a window, of a quarter of the padded", ms_of(windows), round(ms_of(pads) / FASTER, 1), "ms"),
        verdict("each of many, of a sixth of one by one", 1000 / rate, round(ms_of(best) / MORE, 1), "ms"),
        verdict(f"{CLIENTS} clients, p95", quantile(latencies, 0.95) * 1000, LATEST_MS, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()).count(False))
