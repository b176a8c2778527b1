"""How soon speech begins, for one sentence and for twelve, and for one that was said before."""

import json
import tempfile

from bench.stack import Caller, free_ports, ms, proxy, quantile, row, service, verdict

ROUNDS = 60
MOST_MS = 15.0
MOST_KEPT_MS = 10.0
SENTENCE = "Hello little bear, how are you today?"
TEXTS = {"one sentence": SENTENCE, "twelve sentences": " ".join([SENTENCE] * 12)}
PATH = "/v1/audio/speech"


async def main() -> list[bool]:
    """espeak, asked through the service, and through proxy and service, in turn."""
    first = free_ports()
    seconds: dict[tuple[str, str], list[float]] = {}
    with service("tts", first + 13, TTS_ENGINES="espeak", TTS_CACHE="off") as tts, proxy(first):
        ways = {"through the service": Caller(first + 13), "through proxy and service": Caller(first)}
        before, bytes_made = tts.cpu_seconds(), 0
        for _ in range(ROUNDS):
            for way, caller in ways.items():
                for name, text in TEXTS.items():
                    body = json.dumps({"model": "tts-1", "voice": "alloy", "input": text}).encode()
                    exchange = await caller.ask(PATH, body)
                    assert exchange.status == 200, exchange
                    bytes_made += len(exchange.body)
                    seconds.setdefault((way, name), []).append(exchange.first_byte)
        cpu = tts.cpu_seconds() - before
        for caller in ways.values():
            caller.close()
    kept = []
    for (way, name), times in seconds.items():
        row(f"first mp3 byte, {name}, {way}, p99", ms(quantile(times, 0.99)))
        kept.append(verdict(f"first mp3 byte, {name}, {way}, p50", quantile(times, 0.5) * 1000, MOST_MS, "ms"))
    row("CPU of the service per second of mp3", ms(cpu / (bytes_made * 8 / 64_000)))
    return [*kept, *await _said_before()]


async def _said_before() -> list[bool]:
    """The same again, from memory and from a folder."""
    body = json.dumps({"model": "tts-1", "voice": "alloy", "input": SENTENCE}).encode()
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        places = {"memory": {}, "a folder": {"TTS_CACHE_DIR": folder, "TTS_CACHE_MB": "0"}}
        for place, settings in places.items():
            first = free_ports()
            with service("tts", first + 13, TTS_ENGINES="espeak", **settings), proxy(first):
                caller = Caller(first)
                times = [(await caller.ask(PATH, body)).first_byte for _ in range(5 * ROUNDS)][1:]
                caller.close()
            name = f"first mp3 byte, said before, from {place}, through proxy and service, p95"
            kept.append(verdict(name, quantile(times, 0.95) * 1000, MOST_KEPT_MS, "ms"))
    return kept
