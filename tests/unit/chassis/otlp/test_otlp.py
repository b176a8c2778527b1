"""Traces and counts as a collector gets them."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from deploy.installation import ROOT
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import EngineFailed
from chassis.otlp.loading import exporter_of_environment
from chassis.otlp.options import OtlpOptions
from chassis.server.auth import KeyOptions
from chassis.settings import SettingError, read
from chassis.upstream.settings import Row
from fixtures.tools import EVERY_TOOL
from imitations.upstream import Manner, Upstream
from llm.app import assemble
from llm.engines import Engine
from llm.engines.openai.engine import OpenAIChat
from llm.settings import RelayOptions, Settings
from unit.chassis.fakes import FakeEngine, chain_of, client, service

if not EVERY_TOOL:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otlp is not installed")

from imitations.collector import Collector, running, values

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "Where did grandfather hide the blue key?"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with running() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


@asynccontextmanager
async def begun(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A service from its start to its end, at which it hands over what is left."""
    async with app.router.lifespan_context(app), client(app) as http:
        yield http


@asynccontextmanager
async def mind(*stream: Manner) -> AsyncIterator[tuple[Upstream, httpx.AsyncClient]]:
    async with Upstream(*(stream or (Manner(),))) as upstream:
        engine = OpenAIChat(Row("up", upstream.base_url, "sk", model="little"), RelayOptions())
        chain = Chain([Seat[Engine].of("up", engine)])
        async with begun(assemble(Settings(), chain, keys=KeyOptions())) as http:
            yield upstream, http


def by_name(spans: list[Any]) -> dict[str, Any]:
    return {span.name: span for span in spans}


async def test_a_chat_is_a_span_its_engine_another_and_the_upstreams_call_a_third(collector: Collector) -> None:
    body = {"model": "any", "stream": True, "messages": [{"role": "user", "content": SECRET}]}
    async with mind() as (upstream, http):
        headers = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}
        answer = await http.post("/v1/chat/completions", json=body, headers=headers)
        [seen] = upstream.seen

    assert answer.status_code == 200
    spans = by_name(collector.spans)
    own, engine, call = spans["POST /v1/chat/completions"], spans["chat little"], spans["POST"]
    assert {span.trace_id.hex() for span in (own, engine, call)} == {TRACE_ID}
    assert [own.parent_span_id.hex(), engine.parent_span_id, call.parent_span_id] == [
        SPAN_ID,
        own.span_id,
        engine.span_id,
    ]
    assert seen.headers["traceparent"] == f"00-{TRACE_ID}-{call.span_id.hex()}-01"
    assert own.start_time_unix_nano <= engine.start_time_unix_nano <= call.start_time_unix_nano
    assert call.end_time_unix_nano <= engine.end_time_unix_nano <= own.end_time_unix_nano
    assert values(own)["http.response.status_code"] == 200
    about = values(engine)
    assert about["gen_ai.operation.name"] == "chat"
    assert about["gen_ai.provider.name"] == "up"
    assert about["gen_ai.request.model"] == "little"
    assert about["gen_ai.usage.input_tokens"] > 0
    assert about["gen_ai.usage.output_tokens"] > 0
    assert values(call)["server.address"] == "127.0.0.1"
    assert values(call)["http.response.status_code"] == 200


async def test_nothing_that_was_said_leaves_with_it(collector: Collector) -> None:
    body = {"model": "any", "messages": [{"role": "user", "content": SECRET}]}
    async with mind() as (_, http):
        answer = await http.post("/v1/chat/completions", json=body)

    said = answer.json()["choices"][0]["message"]["content"]
    everything = b"".join(collector.bodies)
    assert everything
    for words in (SECRET, said):
        assert not any(part.encode() in everything for part in words.split() if len(part) > 4), words
    assert b"sk" not in [value for holder in collector.spans for value in values(holder).values()]


async def test_each_engine_that_was_asked_has_a_span_with_what_went_wrong(collector: Collector) -> None:
    chain = chain_of(first=FakeEngine(error=EngineFailed(SECRET)), second=FakeEngine())
    async with begun(service(chain, "house:secret")) as http:
        await http.post("/v1/echo", headers={"authorization": "Bearer secret"})

    spans = by_name(collector.spans)
    assert values(spans["first"])["error.type"] == EngineFailed("").counted_as
    assert spans["first"].status.code == 2
    assert "error.type" not in values(spans["second"])
    own = values(spans["POST /v1/echo"])
    assert {"talkbox.engine": "second", "talkbox.key": "house"}.items() <= own.items()
    assert "talkbox.stage.engine" in own
    assert SECRET.encode() not in b"".join(collector.bodies)


async def test_probes_leave_no_trace(collector: Collector) -> None:
    async with begun(service(chain_of(fake=FakeEngine()))) as http:
        await http.get("/healthz")
        await http.get("/no-such-path-of-ours")

    assert [span.name for span in collector.spans] == ["GET other"]


async def test_the_counts_are_those_of_metrics_and_have_opentelemetrys_names(collector: Collector) -> None:
    body = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
    async with mind() as (_, http):
        await http.post("/v1/chat/completions", json=body)

    [point] = [
        point
        for point in collector.metrics["gen_ai.server.request.duration"].histogram.data_points
        if values(point).get("gen_ai.provider.name") == "up"
    ]
    assert values(point)["gen_ai.operation.name"] == "chat"
    assert point.count == sum(point.bucket_counts) > 0
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    requests = collector.metrics["talkbox_requests"].sum
    assert requests.is_monotonic
    assert any(values(point).get("path") == "/v1/chat/completions" for point in requests.data_points)
    assert collector.metrics["talkbox_places"].gauge.data_points


async def test_the_resource_names_service_and_release_and_its_operator_has_the_last_word(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=school,service.version=9")
    async with mind() as (_, http):
        await http.get("/v1/models")

    [about, *_] = collector.resources
    assert about["service.name"] == "talkbox-llm"
    assert (about["deployment.environment.name"], about["service.version"]) == ("school", "9")


@pytest.mark.parametrize(
    ("flags", "sampler", "leaves"),
    [("01", "", "01"), ("00", "", "00"), ("01", "always_off", "00"), ("00", "always_on", "01")],
)
async def test_what_is_not_sampled_is_not_sent_and_nobody_after_us_is_told_otherwise(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, flags: str, sampler: str, leaves: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    body = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
    async with mind() as (upstream, http):
        await http.post("/v1/chat/completions", json=body, headers={"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-{flags}"})
        [seen] = upstream.seen

    assert seen.headers["traceparent"].endswith(f"-{leaves}")
    assert bool(collector.spans) == (leaves == "01")


async def test_a_header_of_the_collector_may_be_in_a_file(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "headers").write_text("Authorization=Basic%20abc\n")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS_FILE", str(tmp_path / "headers"))
    async with begun(service(chain_of(fake=FakeEngine()))) as http:
        await http.post("/v1/echo")

    assert {headers["authorization"] for headers in collector.headers} == {"Basic abc"}


class Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def warnings() -> Iterator[Warnings]:
    handler, root = Warnings(), logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


@pytest.mark.parametrize("fault", ["away", "refuses", "slow"])
async def test_a_collector_that_fails_is_named_once_and_nobody_waits_for_it(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, warnings: Warnings, fault: str
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "20")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    collector.status, collector.seconds = 503 if fault == "refuses" else 200, 3.0 if fault == "slow" else 0.0
    if fault == "away":
        with socket.create_server(("127.0.0.1", 0)) as gone:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{gone.getsockname()[1]}")

    app = service(chain_of(fake=FakeEngine()))
    async with app.router.lifespan_context(app), client(app) as http:
        began = time.monotonic()
        async with asyncio.timeout(60):
            while not warnings.texts:  # many batches fail meanwhile
                assert (await http.post("/v1/echo")).status_code == 200
            for _ in range(20):
                assert (await http.post("/v1/echo")).status_code == 200
        ended = time.monotonic()
    assert ended - began < 60
    assert time.monotonic() - ended < 30

    [said] = warnings.texts
    assert said.startswith("traces or counts do not reach their collector")


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
@pytest.mark.parametrize("address", ["collector:4318", "grpc://collector:4317", "http://"])
def test_an_address_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(SettingError, match=f"{name} must begin with http://"):
        exporter_of_environment("tts")


@pytest.mark.parametrize(
    ("settings", "traces", "metrics"),
    [
        ({}, "", ""),
        ({"ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces", "http://c:4318/v1/metrics"),
        ({"ENDPOINT": "http://c:4318/otlp/"}, "http://c:4318/otlp/v1/traces", "http://c:4318/otlp/v1/metrics"),
        ({"TRACES_ENDPOINT": "http://t/in"}, "http://t/in", ""),
        ({"ENDPOINT": "http://c:1", "METRICS_ENDPOINT": "http://m/in"}, "http://c:1/v1/traces", "http://m/in"),
    ],
)
def test_addresses_are_made_as_the_standard_says(settings: dict[str, str], traces: str, metrics: str) -> None:
    options = read(OtlpOptions, {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in settings.items()})

    assert (options.traces_url, options.metrics_url) == (traces, metrics)


@pytest.mark.parametrize(
    ("switch", "traces", "metrics"),
    [
        ("TRACES_EXPORTER=none", False, True),
        ("METRICS_EXPORTER=none", True, False),
        ("SDK_DISABLED=true", False, False),
    ],
)
def test_each_can_be_switched_off(switch: str, traces: bool, metrics: bool) -> None:
    name, _, value = switch.partition("=")
    options = read(OtlpOptions, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", f"OTEL_{name}": value})

    assert (bool(options.traces_url), bool(options.metrics_url)) == (traces, metrics)


def test_without_a_collector_nothing_of_it_is_loaded() -> None:
    code = "import sys, llm.app; llm.app.create_app(); print('opentelemetry' in sys.modules)"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "services")}
    told = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=120)

    assert told.stdout.strip() == "False", told.stderr
