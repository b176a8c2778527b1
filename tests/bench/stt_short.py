"""Short speech: the service's windows and batches, against faster-whisper, the same model padded to 30 s."""

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
from bench.stt import FORM, PATH, form
from fixtures.sounds import wav
from fixtures.whisper_model import make
from stt.hearing import RATE, Pcm

SAYS = "hello little bear how are you today my friend"
SPOKEN = "Hello little bear, how are you today my friend? Tell me a story of the moon, and another one of the sun."
CLIP_SECONDS, CLIENTS, ROUNDS, LOAD_SECONDS = 3.0, 8, 9, 8.0
OTHERS = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
"""Seconds of what toys hear, mixed: they do not all fit into one window."""
FASTER, MORE, LATEST_MS = 4.0, 6.0, 1000.0


async def speech() -> Pcm:
    """More than five seconds of eSpeak's voice."""
    first = free_ports()
    with service("tts", first + 13, TTS_ENGINES="espeak"):
        caller = Caller(first + 13)
        wanted = {"model": "tts-1", "voice": "alloy", "input": SPOKEN, "response_format": "wav"}
        sound = (await caller.ask("/v1/audio/speech", json.dumps(wanted).encode())).body
        caller.close()
    with wave.open(io.BytesIO(sound)) as file:
        rate, samples = file.getframerate(), file.readframes(2**30)
    pcm = np.frombuffer(samples[: len(samples) // 2 * 2], "<i2") / np.float32(32768)
    at = np.arange(round(max(OTHERS) * RATE)) * rate / RATE
    return np.asarray(np.interp(at, np.arange(len(pcm)), pcm), np.float32)


def asking(pcm: Pcm, seconds: float) -> bytes:
    """The body of a request for the first seconds of it."""
    return form(wav(pcm[: round(seconds * RATE)]))


def padded(model: WhisperModel, pcm: Pcm) -> tuple[str, float]:
    began = time.perf_counter()
    parts, _ = model.transcribe(pcm, language="en", beam_size=1, temperature=0.0)
    text = "".join(part.text for part in parts)
    return text.strip(), time.perf_counter() - began


async def short(caller: Caller, body: bytes) -> tuple[str, float]:
    exchange = await caller.admitted(PATH, body, FORM)
    assert exchange.status == 200, exchange
    return json.loads(exchange.body)["text"], exchange.last_byte


async def beside(port: int, clip: Pcm, models: list[WhisperModel]) -> tuple[set[str], list[list[float]]]:
    """The texts, and the seconds of the service and of each model, in turns: what else the machine does slows all."""
    caller, body = Caller(port), asking(clip, CLIP_SECONDS)
    await short(caller, body)
    rounds = [[await short(caller, body), *(padded(model, clip) for model in models)] for _ in range(ROUNDS)]
    caller.close()
    texts = {text for answers in rounds for text, _ in answers}
    return texts, [[seconds for _, seconds in answers] for answers in zip(*rounds, strict=True)]


async def load_of(port: int, bodies: list[bytes]) -> tuple[list[float], float, set[str]]:
    """Latencies of `CLIENTS` that ask again as soon as they are answered, how many answers a second, and which."""
    callers = [Caller(port) for _ in range(CLIENTS)]
    latencies, texts = list[float](), set[str]()
    began = time.perf_counter()

    async def keep_asking(number: int, caller: Caller) -> None:
        turn = number
        while time.perf_counter() - began < LOAD_SECONDS:
            text, seconds = await short(caller, bodies[turn % len(bodies)])
            texts.add(text)
            latencies.append(seconds)
            turn += 3

    await asyncio.gather(*(keep_asking(number, caller) for number, caller in enumerate(callers)))
    rate = len(latencies) / (time.perf_counter() - began)
    if refused := sum(caller.refused for caller in callers):
        row("refused with 429, and asked again", str(refused))
    for caller in callers:
        caller.close()
    return latencies, rate, texts


def ms_of(seconds: list[float]) -> float:
    return quantile(seconds, 0.5) * 1000


async def main() -> list[bool]:
    """A model of tiny's size that says one sentence. The service is asked by HTTP, faster-whisper in this process."""
    cores = len(os.sched_getaffinity(0))
    pcm = await speech()
    clip = pcm[: round(CLIP_SECONDS * RATE)]
    with tempfile.TemporaryDirectory() as name:
        folder = make(Path(name), "tiny", say=SAYS)
        port = free_ports() + 11
        models = [WhisperModel(str(folder), "cpu", compute_type="int8", cpu_threads=n) for n in (1, cores)]
        with service("stt", port, STT_ENGINES="whisper", WHISPER_MODEL=str(folder)) as running:
            running.wait_for_all_engines()
            texts, (windows, pads, best) = await beside(port, clip, models)
            latencies, rate, heard = await load_of(port, [asking(clip, CLIP_SECONDS)])
            mixed, mixed_rate, others = await load_of(port, [asking(pcm, seconds) for seconds in OTHERS])
    texts |= heard | others
    row("3 s, padded, one thread", ms(quantile(pads, 0.5)))
    row(f"3 s, padded, {cores} threads", ms(quantile(best, 0.5)))
    row("3 s, by the service", ms(quantile(windows, 0.5)))
    row(f"{CLIENTS} clients, p50 and p95", ms(quantile(latencies, 0.5)), ms(quantile(latencies, 0.95)))
    row("transcriptions a second, together", f"{rate:.1f}", f"one by one {1000 / ms_of(best):.1f}")
    row("the same, 2 to 5 s mixed, p50 and p95", ms(quantile(mixed, 0.5)), ms(quantile(mixed, 0.95)))
    row("transcriptions a second", f"{mixed_rate:.1f}")
    if texts != {SAYS}:
        row("the same words", "NOT KEPT")
    return [
        texts == {SAYS},
        verdict("by the service, of a quarter of the padded", ms_of(windows), round(ms_of(pads) / FASTER, 1), "ms"),
        verdict("each of many, of a sixth of one by one", 1000 / rate, round(ms_of(best) / MORE, 1), "ms"),
        verdict(f"{CLIENTS} clients, p95", quantile(latencies, 0.95) * 1000, LATEST_MS, "ms"),
        verdict(f"{CLIENTS} clients, mixed, p95", quantile(mixed, 0.95) * 1000, LATEST_MS, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()).count(False))
