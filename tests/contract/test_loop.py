"""One request, however it is made, never keeps the others waiting: how long it holds the event loop at a time.

What counts is the loop's own processor time between two of its turns, so that a busy machine does not matter.
"""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llm.app import assemble
from llm.engines.companion.engine import Companion
from llm.settings import Settings
from unit.llm import fakes as llm
from unit.stt import fakes as stt
from unit.tts import fakes as tts

MOST_SECONDS = 0.1
HELLO = {"role": "user", "content": "Hello"}
BYTES = 15_000_000


def companion() -> Starlette:
    return assemble(Settings(), llm.chain_of(companion=Companion()))


async def longest_hold(app: Starlette, path: str, **sent: Any) -> tuple[float, httpx.Response]:
    """Longest time for which the loop did nothing else, in seconds of its processor time, and the answer."""
    longest, over = 0.0, False

    async def look() -> None:
        nonlocal longest
        before = time.thread_time()
        while not over:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        await http.post(path, content=b"{}", headers={"content-type": "application/json"})  # what is loaded once
        request = http.build_request("POST", path, **sent)
        await request.aread()
        looking = asyncio.create_task(look())
        await asyncio.sleep(0)
        answer = await http.send(request)
        await asyncio.sleep(0)
        over = True
        await looking
    return longest, answer


def properties(number: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {f"p{each}": False for each in range(number)},
        "required": ["zz"] * number + ["q"],
    }


def chat(**more: Any) -> bytes:
    return json.dumps({"model": "companion", "messages": [HELLO], **more}).encode()


def schema(wanted: dict[str, Any]) -> bytes:
    return chat(response_format={"type": "json_schema", "json_schema": {"name": "bomb", "schema": wanted}})


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        found = {"anyOf": [found, found]}
    return found


CHATS = {
    "many properties and names": lambda: schema(properties(40_000)),
    "many parts of allOf": lambda: schema({"allOf": [{"properties": {f"p{each}": {}}} for each in range(30_000)]}),
    "alternatives of alternatives": lambda: schema(deep(16)),
    "lists in lists": lambda: chat(thinking=[[[]] * 1000] * 600),
    "many messages": lambda: json.dumps({"model": "companion", "messages": [HELLO] * 100_000}).encode(),
    "a long message": lambda: json.dumps(
        {"model": "companion", "messages": [{"role": "user", "content": "a " * (BYTES // 2)}]}
    ).encode(),
    "many answers at once": lambda: chat(n=128, metadata={"a": "b" * 500}),
    "no JSON": lambda: b"[" * BYTES,
}


async def test_a_held_loop_is_seen() -> None:
    async def hold(request: Request) -> Response:
        until = time.thread_time() + 2 * MOST_SECONDS
        while time.thread_time() < until:
            pass
        return Response()

    held, _ = await longest_hold(Starlette(routes=[Route("/", hold, methods=["POST"])]), "/")

    assert held > MOST_SECONDS


@pytest.mark.parametrize("kind", CHATS)
async def test_a_chat_does_not(kind: str) -> None:
    held, answer = await longest_hold(
        companion(), "/v1/chat/completions", content=CHATS[kind](), headers={"content-type": "application/json"}
    )

    assert answer.status_code < 500
    assert held < MOST_SECONDS


@pytest.mark.parametrize(
    "text", ["a" * 4096, "1234567890 " * 372, "$9,999.99 " * 409, "😀" * 4096, "((((" * 1024, "<think>" * 585]
)
async def test_a_speech_does_not(text: str) -> None:
    app = tts.service(fake=tts.FakeEngine(tts.hum(0.1)))

    held, answer = await longest_hold(app, "/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": text})

    assert answer.status_code < 500
    assert held < MOST_SECONDS


@pytest.mark.parametrize("sound", [b"\0" * BYTES, b"RIFF" + b"\xff" * BYTES, b"ID3" + b"\x7f" * BYTES])
async def test_an_upload_does_not(sound: bytes) -> None:
    app = stt.service(stt.FakeEngine(*stt.HELLO))

    held, answer = await longest_hold(app, "/v1/audio/transcriptions", files={"file": ("a.wav", sound)})

    assert answer.status_code < 500
    assert held < MOST_SECONDS
