"""Callers and upstreams at their worst, through the whole service on a real socket."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Seat
from chassis.upstream.settings import Row
from fixtures.serving import serving
from imitations.upstream import MANNERS, Manner, Upstream
from llm.answer.frames import MAX_EVENT_BYTES
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.engines.openai.engine import OpenAIChat
from llm.settings import RelayOptions, Settings
from unit.llm.fakes import HELLO, broken_off, client_of, service

PATH = "/v1/chat/completions"
JSON = {"content-type": "application/json"}


@pytest.fixture(params=[False, True], ids=["read", "heard"])
def ear(request: pytest.FixtureRequest) -> bool:
    """Whether answers are to be heard."""
    return bool(request.param)


@asynccontextmanager
async def behind(
    manner: Manner, first_byte_seconds: float = 1.0, *, ear: bool = False
) -> AsyncIterator[tuple[httpx.AsyncClient, Upstream]]:
    """A client of a service whose chain is this upstream and the companion."""
    async with Upstream(manner) as upstream:
        relay = OpenAIChat(Row("up", upstream.base_url, "k"), RelayOptions(silence_seconds=1.0, for_the_ear=ear))
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
async def test_the_companion_answers_where_an_upstream_has_nothing_to_say_in_time(name: str, ear: bool) -> None:
    async with behind(MANNERS[name], ear=ear) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert (response.status_code, response.headers[ENGINE_HEADER]) == (200, "companion")
    assert response.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "name", ["html", "empty", "not-json", "error-in-200", "drops", "redirect", "cut", "401", "402", "429", "500"]
)
async def test_the_same_holds_where_no_stream_was_asked_for(name: str) -> None:
    async with behind(MANNERS[name]) as (client, _):
        response = await client.post(PATH, json=HELLO)

    assert (response.status_code, response.headers[ENGINE_HEADER]) == (200, "companion")
    assert response.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("name", ["silent", "one-byte-a-second"])
async def test_who_asks_for_no_stream_waits_no_longer_than_an_answer_may_take(name: str) -> None:
    manner = Manner(slice_bytes=1, slice_seconds=1.0) if name == "one-byte-a-second" else MANNERS[name]
    async with Upstream(manner) as upstream:
        relay = OpenAIChat(Row("up", upstream.base_url, "k"), RelayOptions())
        seats = [Seat[Engine].of("up", relay), Seat[Engine].of("companion", Companion())]
        app = assemble(Settings(first_byte_seconds=0.5, answer_seconds=1.0), Chain(seats, first_byte_seconds=0.5))
        async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
            response = await client.post(PATH, json=HELLO)

    assert response.headers[ENGINE_HEADER] == "companion"


async def test_a_redirect_to_elsewhere_is_not_followed() -> None:
    async with Upstream() as elsewhere:
        moved = Manner(status=307, headers=(("location", f"{elsewhere.base_url}/chat/completions"),), body=b"")
        async with behind(moved) as (client, _):
            response = await client.post(PATH, json=HELLO)

    assert response.headers[ENGINE_HEADER] == "companion"
    assert elsewhere.seen == []


@pytest.mark.parametrize("slice_bytes", [1, 3])
async def test_characters_cut_in_their_middle_arrive_whole(slice_bytes: int, ear: bool) -> None:
    async with behind(Manner(pieces=("你好", "，小熊 🐻"), slice_bytes=slice_bytes), ear=ear) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert words(response.content) == "你好，小熊 🐻"


async def test_an_event_of_a_megabyte_arrives(ear: bool) -> None:
    async with behind(MANNERS["large"], ear=ear) as (client, _):
        response = await client.post(PATH, json=HELLO | {"stream": True})

    assert len(words(response.content)) == 2**20


async def test_an_event_without_an_end_is_given_up() -> None:
    endless = Manner(pieces=("Hello", "x" * (MAX_EVENT_BYTES + 2**20)))
    streamed = HELLO | {"stream": True}
    async with behind(endless) as (client, _), client.stream("POST", PATH, json=streamed) as response:
        body = await broken_off(response)

    assert b'data: {"error":' in body
    assert len(body) < 10_000


NONSENSE = [
    b"{what",
    b"\xff\xfe\xff",
    b'{"choices":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"choices":5}',
    b'{"choices":[5,null,"x",[]]}',
    b'{"choices":[{"index":"first","delta":"hello"}]}',
    b'{"choices":[{"index":0,"delta":{"content":{"a":1}},"finish_reason":7}]}',
    b'{"choices":[{"index":0,"delta":{"content":["**a**"],"tool_calls":"none"}}]}',
    b'{"choices":[{"delta":{"reasoning_content":5,"content":null}}],"usage":"much"}',
    b'[1,"error"]',
    b'"error"',
    b"5",
    b"null",
    b'{"usage":{"prompt_tokens":-1,"completion_tokens":"many"}}',
    b'{"choices":[{"index":1e400,"delta":{"content":"\\ud800"}}]}',
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_in_mid_stream_hides_nothing_of_what_is_said_around_it(nonsense: bytes, ear: bool) -> None:
    event = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n'
    said = [(event % pair).encode() for pair in (("Hello ", "null"), ("bear.", "null"), ("", '"stop"'))]
    body = said[0] + b"data: " + nonsense + b"\n\n" + said[1] + said[2] + b"data: [DONE]\n\n"
    asking = HELLO | {"stream": True, "stream_options": {"include_usage": True}}
    async with behind(Manner(body=body, media_type="text/event-stream"), ear=ear) as (client, _):
        response = await client.post(PATH, json=asking)

    assert response.headers[ENGINE_HEADER] == "up"
    assert re.findall(rb'"content":"(?:\xef\xbf\xbd)?(Hello |bear\.)"', response.content) == [b"Hello ", b"bear."]
    assert response.content.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("stream", [True, False])
async def test_nonsense_instead_of_an_answer_is_nobodys_trouble(nonsense: bytes, stream: bool, ear: bool) -> None:
    kind = "text/event-stream" if stream else "application/json"
    body = b"data: " + nonsense + b"\n\n" if stream else nonsense
    async with behind(Manner(body=body, media_type=kind), ear=ear) as (client, _):
        try:
            response = await client.post(PATH, json=HELLO | {"stream": stream})
        except httpx.RemoteProtocolError:  # it began like an answer
            return

    assert response.status_code == 200
    assert response.headers[ENGINE_HEADER] in ("up", "companion")


async def test_garbage_after_the_end_is_left_out_and_a_missing_end_is_put_in(ear: bool) -> None:
    for name in ("garbage-after-done", "no-done"):
        async with behind(MANNERS[name], ear=ear) as (client, _):
            response = await client.post(PATH, json=HELLO | {"stream": True})
        assert response.text.endswith("data: [DONE]\n\n")
        assert "nonsense" not in response.text


@pytest.mark.parametrize("name", ["cut", "ends-early", "no-finish", "error-in-stream", "stall"])
async def test_an_upstream_that_breaks_off_is_seen_to(name: str, ear: bool) -> None:
    streamed = HELLO | {"stream": True}
    async with behind(MANNERS[name], ear=ear) as (client, _), client.stream("POST", PATH, json=streamed) as response:
        body = await broken_off(response)

    assert b'data: {"error":' in body
    assert b"[DONE]" not in body


def words(body: bytes) -> str:
    chunks: list[Any] = [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
