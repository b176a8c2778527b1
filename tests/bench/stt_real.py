"""Whisper base's real weights: how soon a question is heard, alone and four at once, and how many words are wrong."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stack import Caller, free_ports, ms, quantile, row, service, verdict
from bench.stt import form
from bench.stt_short import short
from fixtures import sounds
from fixtures.real_whisper import whisper_base
from fixtures.word_errors import SENTENCES, word_errors
from stt.hearing import RATE

QUESTION = "Hello little bear, how are you today my friend?"
"""Three seconds in flite's voice."""
ROUNDS, CALLERS = 9, 4
ALONE_MS, TOGETHER_MS = 350.0, 800.0

Sound = NDArray[Any]


def _noise(voice: Sound, share: float) -> Sound:
    return np.random.default_rng(0).normal(0, share * np.sqrt((voice**2).mean()), len(voice))


def _far(voice: Sound) -> Sound:
    """Return the voice from the other end of a room that echoes for 0.4 s."""
    fading = np.exp(-np.arange(round(0.4 * RATE)) / (0.08 * RATE))
    echo = np.random.default_rng(1).normal(size=len(fading)) * fading
    heard = np.convolve(voice, echo / np.sqrt((echo**2).sum()))[: len(voice)]
    return 0.1 * (0.3 * voice + heard)


CONDITIONS: dict[str, Callable[[Sound], Sound]] = {
    "clean": lambda voice: 0.5 * voice,
    "noisy, 10 dB": lambda voice: 0.5 * (voice + _noise(voice, 0.32)),
    "noisy, 5 dB": lambda voice: 0.4 * (voice + _noise(voice, 0.56)),
    "far": _far,
    "quiet, peak 0.005": lambda voice: 0.005 * voice,
    "peak 0.05, offset 0.1": lambda voice: 0.05 * voice + 0.1,
    "hum three times as loud": lambda voice: 0.1 * voice + 0.3 * np.sin(2 * np.pi * 50 * np.arange(len(voice)) / RATE),
}


async def word_error_rates(caller: Caller) -> None:
    """Print how many words are heard wrong in each condition."""
    words = sum(len(sentence.split()) for sentence in SENTENCES)
    for name, spoil in CONDITIONS.items():
        wrong = 0
        for sentence in SENTENCES:
            voice = sounds.spoken(sentence)
            pcm = np.asarray(spoil(voice / np.abs(voice).max()).clip(-1, 1), np.float32)
            wrong += word_errors(sentence, (await short(caller, form(sounds.wav(pcm))))[0])
        row(f"words wrong of {words}, {name}", str(wrong), f"{wrong / words:.0%}")


async def main() -> list[bool]:
    """The service on all cores, asked by HTTP."""
    folder, port = str(whisper_base()), free_ports() + 11
    body = form(sounds.wav(sounds.spoken(QUESTION)[: 3 * RATE]))
    alone, together = list[float](), list[float]()
    with service("stt", port, STT_ENGINES="whisper", WHISPER_MODEL=folder) as running:
        running.wait_for_all_engines()
        callers = [Caller(port) for _ in range(CALLERS)]
        for caller in callers:
            await short(caller, body)
        for _ in range(ROUNDS):
            alone.append((await short(callers[0], body))[1])
            began = time.perf_counter()
            await asyncio.gather(*(short(caller, body) for caller in callers))
            together.append(time.perf_counter() - began)
        row("a question of 3 s alone, p50 and p95", ms(quantile(alone, 0.5)), ms(quantile(alone, 0.95)))
        row("four at once, all heard, p50 and p95", ms(quantile(together, 0.5)), ms(quantile(together, 0.95)))
        row("memory of the service", f"{running.memory_mb():.0f} MB")
        await word_error_rates(callers[0])
        for caller in callers:
            caller.close()
    return [
        verdict("a question of 3 s alone, p50", quantile(alone, 0.5) * 1000, ALONE_MS, "ms"),
        verdict("four at once, p50", quantile(together, 0.5) * 1000, TOGETHER_MS, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()).count(False))
