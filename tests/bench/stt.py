"""Whether the service still answers at once while it transcribes."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from bench.stack import Caller, free_ports, ms, proxy, quantile, row, service, verdict
from fixtures.whisper_model import make

CLIENTS, SECONDS = {"sphinx": 3, "whisper": 8}, 12.0
SAYS = "hello little bear how are you today my friend"
PATH = "/v1/audio/transcriptions"
FORM = "multipart/form-data; boundary=b"
MOST_MS = 20.0


async def spoken(port: int) -> bytes:
    """A sentence of about three seconds, as a form for `PATH`."""
    caller = Caller(port)
    text = "Hello little bear, how are you today? Tell me a story."
    wanted = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "wav"}
    sound = (await caller.ask("/v1/audio/speech", json.dumps(wanted).encode())).body
    caller.close()
    return form(sound)


def form(sound: bytes, **fields: str) -> bytes:
    """What a toy sends to `PATH`, and more."""
    fields = {"model": "whisper-1", "language": "en", **fields}
    parts = [f'--b\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return "".join([*parts, head]).encode() + sound + b"\r\n--b--\r\n"


async def main() -> list[bool]:
    """Each engine kept busy by several clients, while another asks for /healthz; whisper's model is of tiny's size."""
    first = free_ports()
    with service("tts", first + 13, TTS_ENGINES="espeak"):
        body = await spoken(first + 13)
    with tempfile.TemporaryDirectory() as folder:
        model = str(make(Path(folder), "tiny", say=SAYS))
        return [
            await under_load("sphinx", first, body, STT_ENGINES="sphinx"),
            await under_load("whisper", first, body, STT_ENGINES="whisper", WHISPER_MODEL=model),
        ]


async def under_load(engine: str, first: int, body: bytes, **environ: str) -> bool:
    """Whether /healthz kept its promise."""
    with service("stt", first + 11, **environ) as stt, proxy(first):
        stt.wait_for_all_engines()
        callers = [Caller(first) for _ in range(CLIENTS[engine])]
        until = time.perf_counter() + SECONDS
        answers: list[float] = []

        async def keep_asking(caller: Caller) -> None:
            while time.perf_counter() < until:
                exchange = await caller.ask(PATH, body, FORM)
                assert exchange.status in (200, 429), exchange  # on a slow machine they cannot all be served
                answers.append(exchange.last_byte)

        health: list[float] = []
        busy = asyncio.gather(*map(keep_asking, callers))
        prober = Caller(first + 11)
        while not busy.done():
            health.append((await prober.ask("/healthz")).last_byte)
            await asyncio.sleep(0.01)
        await busy
        for caller in (*callers, prober):
            caller.close()
        what = f"{engine}: 3 s, {len(callers)} clients, p50 and p95"
        row(what, ms(quantile(answers, 0.5)), ms(quantile(answers, 0.95)))
        row("memory of the service", f"{stt.memory_mb():.0f} MB")
    row("/healthz meanwhile, p50 and p95", ms(quantile(health, 0.5)), ms(quantile(health, 0.95)))
    return verdict("/healthz meanwhile, p99", quantile(health, 0.99) * 1000, MOST_MS, "ms")
