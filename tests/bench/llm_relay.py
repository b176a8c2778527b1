"""What the llm service adds to an upstream: `python tests/bench/llm_relay.py`.

Starts a cheap upstream and the service, each a process of its own, and asks both directly and through the service.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import cast

import uvloop

REPOSITORY = Path(__file__).parents[2]
DONE = b"data: [DONE]\n\n"
TOKENS = 1000


def event(text: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


class Cheap(asyncio.Protocol):
    """An upstream that costs next to nothing; the `model` says how it answers."""

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
            pieces = [event(f"word{number} ") for number in range(TOKENS - 1)] + [event("end", "stop"), DONE]
            self.pacing = asyncio.create_task(self.pace(pieces, 0.0))
        elif b"paced" in body:
            pieces = [event(f"word{number} ") for number in range(10)] + [event("end", "stop"), DONE]
            self.pacing = asyncio.create_task(self.pace(pieces, 0.01))
        elif b"endless" in body:
            self.pacing = asyncio.create_task(self.pace([event("again ")] * 100_000, 0.05))
        else:
            self.transport.write(chunked(event("hi", "stop")) + chunked(DONE) + b"0\r\n\r\n")

    async def pace(self, pieces: list[bytes], seconds: float) -> None:
        for piece in pieces:
            self.transport.write(chunked(piece))
            await asyncio.sleep(seconds)
        self.transport.write(b"0\r\n\r\n")


class Caller:
    """One kept connection that asks again and again."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> "Caller":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        return self

    async def ask(self, model: str) -> float:
        """One answer, read to its end; the seconds to its first event."""
        began = time.perf_counter()
        self.send(model)
        await self.reader.readuntil(b"data: ")
        first = time.perf_counter() - began
        await self.reader.readuntil(b"[DONE]")
        await self.reader.readuntil(b"0\r\n\r\n")
        return first

    def send(self, model: str) -> None:
        body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "hello"}]})
        self.writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body.encode())
        )

    def close(self) -> None:
        self.writer.close()


async def added(direct: int, through: int, callers: int, rounds: int) -> tuple[float, float, float]:
    """p50 of the first token directly and through the service, and the latter's p99, in ms; rounds interleaved."""
    times: dict[int, list[float]] = {direct: [], through: []}
    for port in (direct, through) * rounds:
        several = [await Caller(port).open() for _ in range(callers)]
        await asyncio.gather(*(caller.ask("paced") for caller in several))  # connections are there from here on
        for _ in range(5):
            times[port] += await asyncio.gather(*(caller.ask("paced") for caller in several))
        for caller in several:
            caller.close()
    slow = sorted(times[through])
    return median(times[direct]) * 1000, median(slow) * 1000, slow[int(len(slow) * 0.99)] * 1000


async def rate(port: int, model: str, callers: int, total: int) -> float:
    """Answers per second."""
    left = total

    async def keep_asking() -> None:
        nonlocal left
        caller = await Caller(port).open()
        while left > 0:
            left -= 1
            await caller.ask(model)
        caller.close()

    began = time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(callers)))
    return total / (time.perf_counter() - began)


async def released(upstream: int, port: int) -> float:
    """Milliseconds from a client's leaving to the upstream's noticing."""
    caller = await Caller(port).open()
    caller.send("endless")
    await caller.reader.readuntil(b"again")
    left = time.monotonic()
    caller.close()
    while True:
        await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        seen = json.loads(await reader.read(64))
        writer.close()
        if seen is not None and seen > left:
            return float(seen - left) * 1000


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@asynccontextmanager
async def process(*command: str, port: int, **variables: str) -> AsyncIterator[tuple[int, float]]:
    """A program that listens on `port`; its process id, and the seconds until it was ready."""
    began = time.perf_counter()
    running = await asyncio.create_subprocess_exec(*command, env=os.environ | variables, stdout=subprocess.DEVNULL)
    try:
        while not await ready(port):
            await asyncio.sleep(0.02)
        yield running.pid, time.perf_counter() - began
    finally:
        running.terminate()
        await running.wait()


async def ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nhost: bench\r\n\r\n")
    answer = await reader.read(64)
    writer.close()
    return b" 200 " in answer


async def main() -> None:
    upstream, port = free_port(), free_port()
    settings = {
        "PYTHONPATH": str(REPOSITORY / "services"),
        "LLM_ENGINES": "bench,companion",
        "LLM_BENCH_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
        "LLM_MAX_CONCURRENT": "1000",
        "LOG_LEVEL": "warning",
        "API_KEYS": "",
    }
    async with process(sys.executable, __file__, "--upstream", str(upstream), port=upstream):
        serve = (sys.executable, "-m", "chassis.serve", "llm", "--port", str(port))
        async with process(*serve, port=port, **settings) as (pid, cold):
            print(f"cold start to ready      {cold:6.2f} s      (≤ 1.5)")
            await asyncio.sleep(1.0)
            print(f"memory, idle             {memory_mb(pid):6.1f} MB     (≤ 80)")
            await rate(port, "one", 16, 200)
            for callers, rounds in ((1, 8), (16, 3)):
                direct, through, slow = await added(upstream, port, callers, rounds)
                print(
                    f"first token, {callers:2} streams  {through - direct:6.2f} ms added"
                    f"  (p50 {direct:.2f} directly, {through:.2f} through, p99 {slow:.2f}; ≤ 3)"
                )
            before = cpu_seconds(pid)
            through_rate, direct_rate = await rate(port, "one", 16, 3000), await rate(upstream, "one", 16, 3000)
            print(f"one-token answers        {through_rate:6.0f} /s     (directly {direct_rate:.0f})")
            print(f"CPU per answer           {(cpu_seconds(pid) - before) / 3000 * 1000:6.2f} ms")
            before = cpu_seconds(pid)
            await rate(port, "burst", 16, 100)
            print(f"CPU per {TOKENS} tokens      {(cpu_seconds(pid) - before) / 100 * 1000:6.2f} ms     (in bursts)")
            releases = [await released(upstream, port) for _ in range(10)]
            print(f"upstream released after  {median(releases):6.2f} ms     (at most {max(releases):.2f})")
            print(f"memory, after all that   {memory_mb(pid):6.1f} MB")


async def serve_upstream(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Cheap, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", type=int, help="be the upstream, on this port")
    wanted = parser.parse_args()
    uvloop.run(serve_upstream(wanted.upstream) if wanted.upstream else main())
