"""One trace a turn, as a caller and an upstream see it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.server.auth import KeyOptions
from chassis.upstream.settings import Row
from imitations.upstream import Manner, Upstream
from llm.app import assemble
from llm.engines import Engine
from llm.engines.openai.engine import OpenAIChat
from llm.settings import RelayOptions, Settings
from unit.chassis.fakes import FakeEngine, chain_of, client, service

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
DURATION = re.compile(r"(\w+);dur=(\d+\.\d)")


def named(timing: str) -> tuple[str, str, str]:
    """Trace, span and flags that a `Server-Timing` names."""
    match = re.search(r'traceparent;desc="00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})"', timing)
    assert match, timing
    return match[1], match[2], match[3]


async def timing_of(*headers: tuple[str, str]) -> str:
    async with client(service(chain_of(fake=FakeEngine()))) as http:
        answer = await http.post("/v1/echo", headers=list(headers))
    return str(answer.headers["server-timing"])


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_a_trace_that_came_goes_on_with_a_span_of_its_own(flags: str) -> None:
    trace_id, span_id, kept = named(await timing_of(("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-{flags}")))

    assert (trace_id, kept) == (TRACE_ID, flags)
    assert span_id != SPAN_ID


async def test_a_later_version_may_say_more_at_its_end() -> None:
    assert named(await timing_of(("traceparent", f"cc-{TRACE_ID}-{SPAN_ID}-01-later")))[0] == TRACE_ID


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "nonsense",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"00-{TRACE_ID}-{SPAN_ID}-01\xe9",
    ],
)
async def test_a_broken_trace_is_begun_anew(broken: str) -> None:
    async with client(service(chain_of(fake=FakeEngine()))) as http:
        answer = await http.post("/v1/echo", headers={b"traceparent": broken.encode("latin-1")})

    assert answer.status_code == 200
    assert named(answer.headers["server-timing"])[0] != TRACE_ID


async def test_two_traces_in_one_request_are_none() -> None:
    assert named(await timing_of(("traceparent", PARENT), ("traceparent", PARENT)))[0] != TRACE_ID


async def test_a_trace_that_is_begun_here_has_the_name_of_the_request() -> None:
    async with client(service(chain_of(fake=FakeEngine()))) as http:
        answer = await http.post("/v1/echo")

    assert named(answer.headers["server-timing"])[0] == answer.headers["x-request-id"]


async def test_an_answer_says_how_long_its_stages_took_and_what_of_it_was_our_own() -> None:
    async with client(service(chain_of(fake=SlowEngine()))) as http:
        answer = await http.post("/v1/echo", content=b"words")

    stages = {name: float(value) for name, value in DURATION.findall(answer.headers["server-timing"])}
    assert list(stages) == ["upload", "queue", "engine", "total"]
    assert stages["engine"] >= 100
    assert stages["total"] >= stages["engine"]
    own = float(answer.headers["x-talkbox-overhead-ms"])
    assert own == pytest.approx(stages["total"] - stages["engine"] - stages["queue"] - stages["upload"], abs=0.3)


async def test_an_error_says_it_too() -> None:
    async with client(service(chain_of(fake=FakeEngine()), "secret")) as http:
        answer = await http.post("/v1/echo")

    assert answer.status_code == 401
    assert "total;dur=" in answer.headers["server-timing"]
    assert float(answer.headers["x-talkbox-overhead-ms"]) >= 0


async def test_an_upstream_is_asked_within_the_trace() -> None:
    headers = {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE"}
    body = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
    async with (
        Upstream(Manner()) as upstream,
        aclosing(OpenAIChat(Row("up", upstream.base_url, "sk"), RelayOptions())) as engine,
    ):
        app = assemble(Settings(), Chain([Seat[Engine].of("up", engine)]), keys=KeyOptions())
        async with client(app) as http:
            answers = [await http.post("/v1/chat/completions", json=body, headers=each) for each in (headers, {})]
        first, second = upstream.seen

    trace_id, span_id, flags = named(answers[0].headers["server-timing"])
    assert first.headers["traceparent"] == f"00-{trace_id}-{span_id}-{flags}"
    assert trace_id == TRACE_ID
    assert first.headers["tracestate"] == "congo=t61rcWkgMzE"
    assert second.headers["traceparent"].split("-")[1] == second.headers["x-request-id"]
    assert "tracestate" not in second.headers


class SlowEngine(FakeEngine):
    async def speak(self, model: str | None = None) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        async for piece in super().speak(model):
            yield piece
