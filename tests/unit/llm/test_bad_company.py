"""Callers and upstreams at their worst, through the whole service on a real socket."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from chassis.chain import ENGINE_HEADER, Chain, Seat
from chassis.rows import Row
from imitations.upstream import MANNERS, Manner, Upstream
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion import Companion
from llm.engines.openai import OpenAI
from llm.settings import RelayOptions, Settings
from unit.llm.fakes import HELLO, broken_off, client_of, service, serving

PATH = "/v1/chat/completions"
JSON = {"content-type": "application/json"}


@asynccontextmanager
async def behind(manner: Manner, first_byte_seconds: float = 1.0) -> AsyncIterator[tuple[httpx.AsyncClient, Upstream]]:
    """A client of a service whose chain is this upstream and the companion."""
    async with Upstream(manner) as upstream:
        relay = OpenAI(Row("up", upstream.base_url, "k"), RelayOptions(silence_seconds=1.0))
        seats = [Seat[Engine].of("up", relay), Seat[Engine].of("companion", Companion())]
        app = assemble(Settings(), Chain(seats, first_byte_seconds=first_byte_seconds))
        async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
            yield client, upstream


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"5", b'"hello"', b"\xff\xfe", b'{"model":"any","messages":[{"role":"user",'),
        b'{"model":"any","messages":[{"role":"user","content":"\xff"}]}',
        b'{"model":"any","messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"model":"any","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"model":"any","messages":[],"deep":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        b'{"model":5,"messages":"hello"}',
        b'{"model":"any","messages":[{"role":"nobody","content":"x"}]}',
        b'{"model":"any","messages":[{"role":"user","content":{"a":1}}]}',
        b'{"model":"any","messages":[{"role":"user","content":"x"}],"temperature":NaN}',
    ],
    ids=range(16),
)  # fmt: skip
async def test_a_body_that_is_no_request_is_a_400_in_openais_shape(body: bytes) -> None:
    async with client_of(service()) as client:
        response = await client.post(PATH, content=body, headers=JSON)

    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


async def test_ten_megabytes_of_messages_reach_the_upstream_byte_for_byte() -> None:
    messages = [{"role": "user", "content": "x" * 2**20}] * 10
    async with behind(Manner()) as (client, upstream):
        response = await client.post(PATH, json=HELLO | {"messages": messages, "max_tokens": 5, "temperature": 0})
        sent = response.request.content

    assert (response.status_code, response.headers[ENGINE_HEADER]) == (200, "up")
    assert upstream.seen[0].body == sent


async def test_what_is_larger_than_the_limit_is_a_413() -> None:
    async with client_of(service(Settings(max_body_bytes=1000))) as client:
        response = await client.post(PATH, json=HELLO | {"user": "x" * 1000})

    assert response.status_code == 413


@pytest.mark.parametrize(
    "name",
    [
        *("html", "empty", "not-json", "only-done", "error-in-200", "error-first", "drops", "redirect", "silent"),
        *("cut-in-an-event", "headers-then-nothing", "one-byte-a-second", "401", "402", "429", "500"),
    ],
)
async def test_the_companion_answers_where_an_upstream_has_nothing_to_say_in_time(name: str) -> None:
    async with behind(MANNERS[name]) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert (response.status_code, response.headers[ENGINE_HEADER]) == (200, "companion")
    assert response.text.endswith("data: [DONE]\n\n")


async def test_a_redirect_to_elsewhere_is_not_followed() -> None:
    async with Upstream() as elsewhere:
        moved = Manner(status=307, headers=(("location", f"{elsewhere.base_url}/chat/completions"),), body=b"")
        async with behind(moved) as (client, _):
            response = await client.post(PATH, json=HELLO)

    assert response.headers[ENGINE_HEADER] == "companion"
    assert elsewhere.seen == []


@pytest.mark.parametrize("slice_bytes", [1, 3])
async def test_characters_cut_in_their_middle_arrive_whole(slice_bytes: int) -> None:
    async with behind(Manner(pieces=("你好", "，小熊 🐻"), slice_bytes=slice_bytes)) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert words(response.content) == "你好，小熊 🐻"


async def test_an_event_of_a_megabyte_arrives() -> None:
    async with behind(MANNERS["large"]) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert len(words(response.content)) == 2**20


async def test_garbage_after_the_end_is_left_out_and_a_missing_end_is_put_in() -> None:
    for name in ("garbage-after-done", "no-done"):
        async with behind(MANNERS[name]) as (client, _):
            response = await client.post(PATH, json=HELLO | {"stream": True})
        assert response.text.endswith("data: [DONE]\n\n")
        assert "nonsense" not in response.text


@pytest.mark.parametrize("name", ["cut", "ends-early", "no-finish", "error-in-stream", "stall"])
async def test_an_upstream_that_breaks_off_is_seen_to(name: str) -> None:
    streamed = HELLO | {"stream": True}
    async with behind(MANNERS[name]) as (client, _), client.stream("POST", PATH, json=streamed) as response:
        body = await broken_off(response)

    assert b'data: {"error":' in body
    assert b"[DONE]" not in body


def words(body: bytes) -> str:
    chunks: list[Any] = [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
