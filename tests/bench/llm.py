"""What the relay adds to an upstream that costs next to nothing: time, CPU, memory.

`make bench ONLY=llm PEER=litellm` installs LiteLLM's proxy into an environment of its own and measures it beside ours.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast

import uvloop
from deploy.installation import ROOT

from bench.stack import Process, apart, free_ports, get, ms, proxy, quantile, row, running, service, verdict

TOKENS = 500
DONE = b"data: [DONE]\n\n"
ROUNDS = {1: 60, 16: 24, 50: 18}
"""Answers each caller asks for, by how many ask at a time."""
ANSWERS = 3000
BURSTS = 40
LONG_STREAMS, LONG_TOKENS, LONG_GAP_SECONDS = 500, 60, 0.05
MANY = int(os.environ.get("BENCH_MANY", "20000"))
MOST_GROWTH_MB = 8.0


def event(text: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


class Cheap(asyncio.Protocol):
    """An upstream that costs next to nothing; the last message says how it answers."""

    left: float | None = None
    """When the last client to leave in mid-answer was noticed, as `time.monotonic()`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.held = cast(asyncio.Transport, transport), b""
        self.pacing: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self.pacing is not None and not self.pacing.done():
            Cheap.left = time.monotonic()
            self.pacing.cancel()

    def data_received(self, data: bytes) -> None:
        self.held += data
        while b"\r\n\r\n" in self.held:
            head, _, rest = self.held.partition(b"\r\n\r\n")
            _, found, length = head.lower().partition(b"content-length:")
            size = int(length.split(b"\r\n")[0]) if found else 0
            if len(rest) < size:
                return
            body, self.held = rest[:size], rest[size:]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET"):
            shown = json.dumps(Cheap.left).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(shown) + shown)
            return
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        if b"burst" in body:
            self.pace([event(f"word{number} ") for number in range(TOKENS - 1)], 0.0)
        elif b"paced" in body:
            self.pace([event(f"word{number} ") for number in range(10)], 0.01)
        elif b"long" in body:
            self.pace([event(f"word{number} ") for number in range(LONG_TOKENS)], LONG_GAP_SECONDS)
        elif b"endless" in body:
            self.pace([event("again ")] * 100_000, 0.05)
        else:
            self.transport.write(chunked(event("hi", "stop")) + chunked(DONE) + b"0\r\n\r\n")

    def pace(self, pieces: list[bytes], seconds: float) -> None:
        async def write() -> None:
            for piece in [*pieces, event("end", "stop"), DONE]:
                self.transport.write(chunked(piece))
                await asyncio.sleep(seconds)
            self.transport.write(b"0\r\n\r\n")

        self.pacing = asyncio.create_task(write())


LITELLM_KEY = f"sk-{secrets.token_hex(32)}"
"""It does not start without one, nor with a short one."""
KEYS: dict[int, str] = {}
"""What to show at a port, where it is not `bench`."""


class Asker(asyncio.Protocol):
    """One kept connection that asks for streams again and again, and costs next to nothing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._awaited = b""
        self._seen: asyncio.Future[float] | None = None
        self._held = b""

    async def open(self) -> "Asker":
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._seen is not None and not self._seen.done():
            self._seen.set_exception(exc or ConnectionError("closed"))

    def _look(self) -> None:
        if self._seen is not None and not self._seen.done() and (at := self._held.find(self._awaited)) >= 0:
            self._held = self._held[at + len(self._awaited) :]
            self._seen.set_result(time.perf_counter())

    def until(self, awaited: bytes) -> "asyncio.Future[float]":
        """When these bytes came."""
        self._awaited, self._seen = awaited, asyncio.get_running_loop().create_future()
        self._look()
        return self._seen

    async def ask(self, manner: str) -> float:
        """One answer, read to its end; the seconds to its first event."""
        began = time.perf_counter()
        self.send(manner)
        first = await self.until(b"data: ") - began
        await self.until(b"[DONE]")
        await self.until(b"0\r\n\r\n")
        return first

    def send(self, manner: str) -> None:
        messages = [{"role": "system", "content": "You are a bear."}, {"role": "user", "content": manner}]
        body = json.dumps({"model": "m", "stream": True, "messages": messages}).encode()
        self.transport.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer %s\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (KEYS.get(self.port, "bench").encode(), len(body), body)
        )

    def close(self) -> None:
        self.transport.close()


@asynccontextmanager
async def asking(port: int, number: int) -> AsyncIterator[list[Asker]]:
    askers = [await Asker(port).open() for _ in range(number)]
    try:
        yield askers
    finally:
        for asker in askers:
            asker.close()


async def main() -> list[bool]:
    """One upstream, asked directly, through the service, through proxy and service, and through the peer, in turn.

    What is measured has a core to itself; callers and upstream share the others.
    """
    first = free_ports(16)
    cheap, peer_port = first + 14, first + 15
    environ = {
        "LLM_ENGINES": "bench,companion",
        "LLM_BENCH_BASE_URL": f"http://127.0.0.1:{cheap}/v1",
        "LLM_MAX_CONCURRENT": "1000",
    }
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    peer = os.environ.get("PEER", "")
    gc.disable()  # of the callers: they are the clock
    with ExitStack() as stack:
        core = stack.enter_context(apart())
        stack.enter_context(running([sys.executable, "-m", "bench.llm", "--upstream", str(cheap)], cheap, "/", **paths))
        ours = stack.enter_context(service("llm", first + 12, core, **environ))
        stack.enter_context(proxy(first, core=core))
        processes: dict[str, Process] = {"through the service": ours}
        ways = {"direct": cheap, "through the service": first + 12, "through proxy and service": first}
        if peer == "litellm":
            processes["through LiteLLM"] = stack.enter_context(litellm(peer_port, cheap, core))
            ways["through LiteLLM"] = peer_port
        elif peer:
            raise SystemExit(f"PEER={peer}: there is litellm.")
        kept = await _first_tokens(ways)
        for way, process in processes.items():
            kept += await _throughput(way, ways[way], process, ours=process is ours)
        kept += [await _released(cheap, first + 12), *(await _many_streams(first + 12, ours))]
        kept += [await _memory(first + 12, ours)]
    return kept


async def _first_tokens(ways: dict[str, int]) -> list[bool]:
    """Milliseconds each way adds to the direct one; rounds interleaved."""
    kept = []
    for number, rounds in ROUNDS.items():
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(3):
            for way, port in ways.items():
                slow = way == "through LiteLLM"
                turns = max(2, rounds // (15 if slow else 3))
                async with asking(port, number) as askers:
                    for times in await asyncio.gather(*(_in_turns(asker, turns) for asker in askers)):
                        seconds[way] += times
        direct = quantile(seconds["direct"], 0.5)
        for way, times in seconds.items():
            p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
            row(f"first token, {number} streams, {way}, p50 and p99", ms(p50), ms(p99))
            if way == "through the service":
                if number < 50:
                    most = 1.0 if number == 1 else 2.0
                    kept.append(verdict(f"added at {number}, p50", (p50 - direct) * 1000, most, "ms"))
                else:
                    kept.append(verdict(f"at {number}, p99", p99 * 1000, 6.0, "ms"))
    return kept


async def _in_turns(asker: Asker, turns: int) -> list[float]:
    """Stream after stream, begun at moments of its own."""
    await asker.ask("one")  # the connection is there from here on
    await asyncio.sleep(random.random() * 0.1)
    return [await asker.ask("paced") for _ in range(turns)]


async def _throughput(way: str, port: int, process: Process, *, ours: bool) -> list[bool]:
    answers, bursts = (ANSWERS, BURSTS) if ours else (ANSWERS // 20, 4)
    before, began = process.cpu_seconds(), time.perf_counter()
    await _ask_many(port, "one", answers)
    rate, cpu = answers / (time.perf_counter() - began), (process.cpu_seconds() - before) / answers * 1000
    before = process.cpu_seconds()
    await _ask_many(port, "burst", bursts)
    burst = (process.cpu_seconds() - before) / (bursts * TOKENS / 1000) * 1000
    if not ours:
        row(f"one-token answers, {way}", f"{rate:.0f} /s", f"{cpu:.2f} ms CPU")
        row(f"CPU per 1000 tokens in bursts, {way}", f"{burst:.1f} ms", f"{process.memory_mb():.0f} MB")
        return []
    row("one-token answers", f"{rate:.0f} /s", "≥ 2500 /s")
    return [
        rate >= 2500,
        verdict("CPU per request", cpu, 0.4, "ms"),
        verdict("CPU per 1000 tokens in bursts", burst, 8.0, "ms"),
    ]


async def _ask_many(port: int, manner: str, total: int, callers: int = 16) -> None:
    left = total

    async def keep_asking(asker: Asker) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await asker.ask(manner)

    async with asking(port, callers) as askers:
        await asyncio.gather(*map(keep_asking, askers))


async def _released(upstream: int, port: int) -> bool:
    """Milliseconds from a client's leaving to the upstream's noticing."""
    times = []
    for _ in range(10):
        asker = await Asker(port).open()
        asker.send("endless")
        await asker.until(b"again")
        left = time.monotonic()
        asker.close()
        seen = None
        while seen is None or seen < left:
            await asyncio.sleep(0.01)
            seen = json.loads((await asyncio.to_thread(get, upstream, "/"))[1])
        times.append((seen - left) * 1000)
    return verdict("upstream released, median", quantile(times, 0.5), 10.0, "ms")


async def _many_streams(port: int, process: Process) -> list[bool]:
    """Many slow streams at a time, on one core: none fails, and none is late."""
    before, began = process.cpu_seconds(), time.perf_counter()
    async with asking(port, LONG_STREAMS) as askers:
        done = await asyncio.gather(*(asker.ask("long") for asker in askers), return_exceptions=True)
    seconds = time.perf_counter() - began
    failed = sum(isinstance(each, BaseException) for each in done)
    cpu = (process.cpu_seconds() - before) / seconds * 100
    row(f"{LONG_STREAMS} streams at {1 / LONG_GAP_SECONDS:.0f} tokens/s", f"{seconds:.1f} s", f"{cpu:.0f} % CPU")
    return [verdict("of them failed", failed, 0, "")]


async def _memory(port: int, process: Process) -> bool:
    await _ask_many(port, "one", MANY // 10)
    before = process.memory_mb()
    await _ask_many(port, "one", MANY)
    return verdict(f"memory grown over {MANY} requests", process.memory_mb() - before, MOST_GROWTH_MB, "MB")


@contextmanager
def litellm(port: int, upstream: int, core: int | None) -> Iterator[Process]:
    """LiteLLM's proxy, in an environment of its own beside ours."""
    venv = Path(os.environ.get("LITELLM_VENV") or ROOT / ".venv-litellm")
    if not (venv / "bin" / "litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "-q", "litellm[proxy]"], check=True)
    model = {"model": "openai/m", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "x"}
    config = {"model_list": [{"model_name": "m", "litellm_params": model}]}
    with tempfile.TemporaryDirectory(prefix="talkbox-bench-") as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(config))  # which is YAML, too
        command = [str(venv / "bin" / "litellm"), "--config", str(file), "--port", str(port), "--host", "127.0.0.1"]
        KEYS[port] = LITELLM_KEY
        local = {
            "LITELLM_MASTER_KEY": LITELLM_KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "HOME": folder,
            "PYTHONPATH": "",
        }
        with running(command, port, "/health/liveliness", core, **local) as process:
            yield process


async def serve_upstream(port: int) -> None:
    gc.disable()
    server = await asyncio.get_running_loop().create_server(Cheap, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", type=int, required=True, help="be the upstream, on this port")
    uvloop.run(serve_upstream(parser.parse_args().upstream))
