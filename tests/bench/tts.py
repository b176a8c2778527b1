"""How soon speech begins, for one sentence and for twelve, and for one that was said before."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain

import edge_tts
import edge_tts.communicate
from deploy.installation import ROOT
from edge_tts.constants import WSS_URL

from bench.stack import Caller, Exchange, free_ports, ms, proxy, quantile, row, running, service, verdict
from tts.audio.encode import Encoding
from tts.audio.pcm import silence
from tts.engines.espeak import Espeak
from tts.text.clauses import clauses
from tts.voices.choose import choose

ROUNDS = 60
MOST_MS = 15.0
MOST_KEPT_MS = 10.0
MOST_TIMES_ALONE = 1.5
"""Of what espeak and LAME need without a service: 2.6 ms a second on an idle core of 2026, 3.8 on a busy one."""
MOST_TIMES = 1.2
MOST_TIMES_EDGE = 2.0
CLIENTS = (1, 8, 32)
CLAUSE_SECONDS = 0.3
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
    return [*kept, *await _clients(), *await _slow_engine(), *await _edge(), *await _said_before()]


async def _engine_alone() -> float:
    """Return the CPU seconds that espeak and LAME need in this process for a second of speech."""
    engine, firsts, made = Espeak(), [], bytearray()
    voice = choose(engine.voices, None, "alloy", SENTENCE, "en")
    cpu = time.process_time()
    for clause in [*clauses(TEXTS["twelve sentences"])] * (ROUNDS // 4):
        began, first = time.perf_counter(), 0.0
        async for piece in engine.speak(clause, voice, 1.0):
            first = first or time.perf_counter() - began
            made += piece
        firsts.append(first)
    speaking = time.process_time() - cpu
    await engine.aclose()
    seconds = len(made) / engine.sound.bytes_per_second
    row("espeak alone, PCM: first sound p50, CPU a second", ms(quantile(firsts, 0.5)), ms(speaking / seconds))
    encoding, began = Encoding(engine.sound, "mp3"), time.process_time()
    for _ in chain(encoding.encode(bytes(made)), encoding.finish()):
        pass
    coding = time.process_time() - began
    row("LAME alone: CPU a second", ms(coding / seconds))
    return (speaking + coding) / seconds


async def _clients() -> list[bool]:
    """Several callers at once, each with one sentence after another and then a long text; nobody is refused."""
    alone = await _engine_alone()
    kept = []
    first = free_ports()
    bodies = [json.dumps({"model": "tts-1", "voice": "alloy", "input": text}).encode() for text in TEXTS.values()]
    with service("tts", first + 13, TTS_ENGINES="espeak", TTS_CACHE="off") as tts:
        for clients in CLIENTS:
            callers, before = [Caller(first + 13) for _ in range(clients)], tts.cpu_seconds()
            rounds = max(1, ROUNDS // 4 // clients)
            answers = await asyncio.gather(*(_asked(caller, bodies * rounds) for caller in callers))
            exchanges = [exchange for answered in answers for exchange in answered]
            cpu = tts.cpu_seconds() - before
            firsts = [exchange.first_byte for exchange in exchanges]
            failed = sum(exchange.status != 200 for exchange in exchanges)
            mp3_seconds = sum(len(exchange.body) for exchange in exchanges) * 8 / 64_000
            name = f"espeak, mp3, clients: {clients}"
            row(f"{name}: first byte p50, p99", ms(quantile(firsts, 0.5)), ms(quantile(firsts, 0.99)))
            row(f"{name}: CPU a second", ms(cpu / mp3_seconds))
            kept.append(
                verdict(f"{name}: CPU, in that of both alone", cpu / mp3_seconds / alone, MOST_TIMES_ALONE, "times")
            )
            kept.append(verdict(f"{name}: failed", failed, 0, ""))
    return kept


async def _asked(caller: Caller, bodies: list[bytes]) -> list[Exchange]:
    """One after the other."""
    exchanges = [await caller.ask(PATH, body) for body in bodies]
    caller.close()
    return exchanges


@asynccontextmanager
async def _slow_server() -> AsyncIterator[int]:
    """A speech server that takes its time over each clause, and then sends a second of sound; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
                await asyncio.sleep(CLAUSE_SECONDS)
                sound = b"\xff\x1f\x01\xe0" * 12_000 + silence(0.1)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ncontent-length: %d\r\n\r\n" % len(sound))
                writer.write(sound)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return  # the service, or the measurement, is done
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _slow_engine() -> list[bool]:
    """First byte of one sentence and of twelve, from an engine that takes as long for each."""
    first, seconds = free_ports(), []
    async with _slow_server() as port:
        environ = {"TTS_SLOW_BASE_URL": f"http://127.0.0.1:{port}/v1", "TTS_SLOW_FORMAT": "pcm", "TTS_CACHE": "off"}
        with service("tts", first + 13, TTS_ENGINES="slow", **environ) as tts:
            await asyncio.to_thread(tts.wait_for_all_engines)
            caller = Caller(first + 13)
            for text in TEXTS.values():
                body = json.dumps({"model": "tts-1", "voice": "alloy", "input": text}).encode()
                times = []
                for _ in range(5):
                    exchange = await caller.ask(PATH, body)
                    assert exchange.status == 200, exchange
                    times.append(exchange.first_byte)
                seconds.append(quantile(times, 0.5))
            caller.close()
    one, twelve = seconds
    row(f"{CLAUSE_SECONDS:g} s a clause: first mp3 byte of 1, of 12 sentences", ms(one), ms(twelve))
    return [verdict("twelve sentences' first byte, in one sentence's", twelve / one, MOST_TIMES, "times")]


async def _edge() -> list[bool]:
    """Twelve sentences from an imitation of Edge's service: by edge-tts in this process, and by tts."""
    first, text = free_ports(), TEXTS["twelve sentences"]
    command = [sys.executable, "-m", "imitations.edge", "--port", str(first), "--most-seconds", "60"]
    with running(command, first, "/heard", PYTHONPATH=str(ROOT / "tests")):
        url = f"http://127.0.0.1:{first}"
        edge_tts.communicate.WSS_URL = WSS_URL.replace("wss://speech.platform.bing.com", url)  # type: ignore[attr-defined]
        library: list[int] = []
        library_firsts: list[float] = []
        cpu = time.process_time()
        for _ in range(ROUNDS // 2):
            began, pieces = time.perf_counter(), list[bytes]()
            async for message in edge_tts.Communicate(text, "en-US-EmmaMultilingualNeural").stream():
                if message["type"] == "audio":
                    if not pieces:
                        library_firsts.append(time.perf_counter() - began)
                    pieces.append(message["data"])
            library.append(sum(map(len, pieces)))
        cpu = (time.process_time() - cpu) / len(library)
        with service("tts", first + 13, TTS_ENGINES="edge", TTS_CACHE="off", EDGE_URL=url) as tts:
            body = json.dumps({"model": "tts-1", "voice": "alloy", "input": text}).encode()
            caller = Caller(first + 13)
            await caller.ask(PATH, body)
            before = tts.cpu_seconds()
            exchanges = [await caller.ask(PATH, body) for _ in range(ROUNDS // 2)]
            ours = (tts.cpu_seconds() - before) / len(exchanges)
            caller.close()
    firsts = [exchange.first_byte for exchange in exchanges]
    row(
        "edge, twelve sentences: first byte of edge-tts, of tts",
        ms(quantile(library_firsts, 0.5)),
        ms(quantile(firsts, 0.5)),
    )
    row(
        "edge, twelve sentences: kB of edge-tts, of tts",
        f"{library[0] / 1000:.0f}",
        f"{len(exchanges[0].body) / 1000:.0f}",
    )
    row("edge, twelve sentences: CPU of edge-tts in process, of tts", ms(cpu), ms(ours))
    return [verdict("edge, twelve sentences: CPU, in edge-tts' own", ours / cpu, MOST_TIMES_EDGE, "times")]


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
