"""What the engines of providers add to the same request by hand: the time to the first sound, or to the text."""

import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import aiohttp

from bench.stack import quantile, row, verdict
from chassis.threads import Stop
from contract import test_vendors_stt as ears
from contract import test_vendors_tts as mouths
from imitations.upstream import in_a_thread
from imitations.vendor import Seen
from stt.engines import ENGINES as HEAR
from stt.hearing import Hints
from tts.engines import ENGINES as SPEAK
from tts.voices.choose import choose

ROUNDS = 80
MOST_MS = 2.0
PACE: dict[str, Any] = {"slice_bytes": 32_768, "slice_seconds": 0.005}
"""As a provider sends sound while it makes it; all at once, the imitation would take the core from who is measured."""
IN_MESSAGES = {"inworld-tts", "minimax-tts", "qwen-tts", "volcengine-tts"}
"""Their first sound is a whole message, which the first byte of the answer is not: there is nothing to compare."""
OF_THE_DIALECT = {"azure-whisper"}
"""Relayed as any row of OpenAI's dialect is; `stt_short` measures those."""
PROCESSES = multiprocessing.get_context("spawn")
TEXT = "Hello little bear, how are you?"


class ByHand:
    """One kept connection that sends the very bytes that an engine sent."""

    def __init__(self, port: int, seen: Seen) -> None:
        self.port = port
        query = "&".join(f"{name}={value}" for name, value in seen.query.items())
        lines = [f"{seen.method} {seen.path}{f'?{query}' if query else ''} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in seen.headers.items() if name.lower() != "connection"]
        lines.append("connection: close")
        self.request = "\r\n".join(lines).encode() + b"\r\n\r\n" + seen.body

    async def ask(self, *, whole: bool) -> float:
        """Return the seconds to the first byte of the body, or to its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        began = time.perf_counter()
        writer.write(self.request)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        seconds = time.perf_counter() - began
        await reader.read()
        seconds = time.perf_counter() - began if whole else seconds
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return seconds


async def first_sound(engine: Any) -> float:
    """Return the seconds to the first samples of a clause; the rest is read too, so that the connection is kept."""
    voice = choose(engine.voices, None, "alloy", TEXT, "en-US")
    began = time.perf_counter()
    async with aclosing(engine.speak(TEXT, voice, 1.0)) as pieces:
        await anext(pieces)
        seconds = time.perf_counter() - began
        async for _ in pieces:
            pass
    return seconds


async def text(engine: Any) -> float:
    """Return the seconds to the text of a recording that is encoded already."""
    [clip] = engine._packed(ears.SPOKEN, Hints(language="en"), Stop())
    began = time.perf_counter()
    said, _ = await engine.text_of(clip)
    assert said
    return time.perf_counter() - began


def prepared(server: Any) -> Any:
    """Return an imitation that makes its answer once, since that is no part of the call, and sends it in pieces."""
    server.manners = {key: replace(each, **PACE) for key, each in server.manners.items()}
    made: list[bytes] = []
    answer = server.answer

    def once(request: Any, body: bytes, manner: Any) -> bytes:
        made.extend([] if made else [answer(request, body, manner)])
        return made[0]

    server.answer = once
    return server


def serve(kind: Any, pipe: Connection) -> None:
    """Serve an imitation in a process of its own, until the pipe says that it is enough."""

    async def serving() -> None:
        async with prepared(kind("/x")) as server:
            pipe.send(server.base_url)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serving())


@contextmanager
def apart(provider: Any) -> Iterator[str]:
    """Return the address of an imitation in a process of its own."""
    ours, theirs = PROCESSES.Pipe()
    child = PROCESSES.Process(target=serve, args=(provider.server, theirs))
    child.start()
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        child.join(10)


@asynccontextmanager
async def loaded(provider: Any, place: str, base_url: str) -> AsyncIterator[Any]:
    """Return the engine that asks at `base_url`."""
    more = {**provider.more, **dict([provider.paired] if getattr(provider, "paired", None) else [])}
    environ = {**more, provider.key_variable: provider.key, provider.base_variable: base_url}
    os.environ.update(environ)
    module, _, kind = place.partition(":")
    engine = getattr(import_module(module), kind).load(provider.name, lambda doing, part: None)
    for variable in environ:
        os.environ.pop(variable)
    try:
        yield engine
    finally:
        await engine.aclose()


async def asked(provider: Any, place: str, turn: Callable[[Any], Awaitable[float]]) -> Seen:
    """Return the request that an engine makes."""
    server: Any = provider.server("/x")
    with in_a_thread(server):
        async with loaded(provider, place, server.base_url) as engine:
            await turn(engine)
        seen: Seen = server.seen[-1]
        return seen


async def compared(provider: Any, place: str, turn: Callable[[Any], Awaitable[float]], *, whole: bool) -> bool:
    """Measure an engine and the same request by hand in turn; whether the promise is kept."""
    seen = await asked(provider, place, turn)
    with apart(provider) as base_url:
        async with loaded(provider, place, base_url) as engine:
            await turn(engine)
            by_hand = ByHand(int(base_url.rpartition(":")[2].partition("/")[0]), seen)
            raw, by_engine = [], []
            for _ in range(ROUNDS):
                raw.append(await by_hand.ask(whole=whole))
                by_engine.append(await turn(engine))
    return told(provider.name, raw, by_engine)


def told(name: str, raw: list[float], by_engine: list[float]) -> bool:
    """Print what an engine adds; the tenth part that was quickest tells what it adds where nothing else runs."""
    row(f"{name}, by hand, p10 and p50", *(f"{1000 * quantile(raw, part):.1f} ms" for part in (0.1, 0.5)))
    row(f"{name}, added, p50", f"{1000 * (quantile(by_engine, 0.5) - quantile(raw, 0.5)):.1f} ms")
    return verdict(f"{name}, added, p10", 1000 * (quantile(by_engine, 0.1) - quantile(raw, 0.1)), MOST_MS, "ms")


class ByWebSocket:
    """One open WebSocket on which a task of DashScope is done by hand."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[Any]", run: bytes) -> None:
        self.socket, self.run = socket, json.loads(run)

    def message(self, action: str, payload: dict[str, Any]) -> str:
        header = {"action": action, "task_id": self.run["header"]["task_id"], "streaming": "duplex"}
        return json.dumps({"header": header, "payload": payload})

    async def ask(self) -> float:
        """Return the seconds to the first sound; all of it is read."""
        began, first = time.perf_counter(), 0.0
        await self.socket.send_str(json.dumps(self.run))
        await self.socket.receive()
        await self.socket.send_str(self.message("continue-task", {"input": {"text": TEXT}}))
        await self.socket.send_str(self.message("finish-task", {"input": {}}))
        while True:
            told = await self.socket.receive()
            if told.type is aiohttp.WSMsgType.BINARY:
                first = first or time.perf_counter() - began
            elif "task-finished" in told.data:
                return first


async def dashscope(provider: Any) -> bool:
    """Measure the engine and the same task by hand in turn; whether the promise is kept."""
    seen = await asked(provider, SPEAK[provider.name], first_sound)
    headers = {"authorization": f"Bearer {provider.key}"}
    raw, by_engine = [], []
    with apart(provider) as base_url:
        async with loaded(provider, SPEAK[provider.name], base_url) as engine, aiohttp.ClientSession() as session:
            await first_sound(engine)
            async with session.ws_connect(f"{base_url}{provider.server.post_path}", headers=headers) as socket:
                by_hand = ByWebSocket(socket, seen.body)
                for _ in range(ROUNDS):
                    raw.append(await by_hand.ask())
                    by_engine.append(await first_sound(engine))
    return told(provider.name, raw, by_engine)


async def main() -> list[bool]:
    """Each engine and the same request by hand, in turn, at an imitation in a process of its own."""
    kept = []
    for mouth in [each for each in mouths.PROVIDERS if each.name not in IN_MESSAGES]:
        if mouth.name == "dashscope":
            kept.append(await dashscope(mouth))
        else:
            kept.append(await compared(mouth, SPEAK[mouth.name], first_sound, whole=False))
    others = [ear for ear in ears.PROVIDERS if ear.name not in OF_THE_DIALECT]
    return [*kept, *[await compared(ear, HEAR[ear.name], text, whole=True) for ear in others]]
