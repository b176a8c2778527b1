import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import prometheus_client
import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import EngineFailed, EngineRefused
from chassis.metrics import Counter, Gauge, Histogram, ProcessFigures, Stopwatch, forget_the_dead
from fixtures.tools import needs
from unit.chassis.fakes import FakeEngine, chain_of, client, service

NOBODY = 2**22 + 1
"""More than Linux gives as the number of a process."""


async def counted(http: httpx.AsyncClient, pattern: str) -> float:
    text = (await http.get("/metrics")).text
    return sum(float(value) for value in re.findall(pattern + r" ([\d.]+)", text))


async def test_an_answer_is_counted_by_path_status_and_engine() -> None:
    answers = r'talkbox_requests_total\{engine="metered",path="/v1/echo",status="200"\}'
    async with client(service(chain_of(metered=FakeEngine()))) as http:
        before = await counted(http, answers)
        for _ in range(3):
            await http.post("/v1/echo")

        assert await counted(http, answers) == before + 3


async def test_paths_that_do_not_exist_are_one_path() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        await http.get("/v1/a-path-made-up-by-a-scanner")
        text = (await http.get("/metrics")).text

    assert "made-up" not in text
    assert 'path="other"' in text


async def test_a_failure_of_an_engine_is_counted_with_its_code() -> None:
    failures = r'talkbox_engine_failures_total\{code="upstream_error",engine="shaky"\}'
    async with client(service(chain_of(shaky=FakeEngine(error=EngineFailed("x")), b=FakeEngine()))) as http:
        before = await counted(http, failures)
        await http.post("/v1/echo")

        assert await counted(http, failures) == before + 1


async def test_nobody_is_in_flight_when_all_are_answered() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        await http.post("/v1/echo")

        assert await counted(http, "talkbox_requests_in_flight") == 1, "the one who asks for the metrics"


def test_only_the_first_byte_is_timed() -> None:
    watch = Stopwatch()

    watch.byte()
    first = watch.first
    watch.byte()

    assert watch.first == first is not None


def test_the_present_of_a_worker_that_is_no_more_is_forgotten_and_its_counts_are_kept(tmp_path: Path) -> None:
    names = [f"gauge_livesum_{NOBODY}.db", f"gauge_livemin_{NOBODY}.db", f"counter_{NOBODY}.db"]
    for name in [*names, f"gauge_livesum_{os.getpid()}.db"]:
        (tmp_path / name).touch()

    forget_the_dead(tmp_path)

    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"counter_{NOBODY}.db", f"gauge_livesum_{os.getpid()}.db"}


async def test_the_state_of_an_engine_is_shown_and_its_rest_ends_in_time() -> None:
    def state(name: str) -> str:
        return rf'talkbox_engine_state\{{engine="refused",state="{name}"\}}'

    refused = FakeEngine(error=EngineRefused("x", rest_seconds=0.05))
    async with client(service(chain_of(refused=refused, b=FakeEngine()))) as http:
        assert await counted(http, state("ready")) == 1
        await http.post("/v1/echo")
        assert (await counted(http, state("resting")), await counted(http, state("ready"))) == (1, 0)

        while await counted(http, state("ready")) != 1:
            await asyncio.sleep(0.01)

        assert await counted(http, state("resting")) == 0


async def test_an_answer_by_another_engine_than_the_first_is_counted_and_one_by_the_first_is_not() -> None:
    stepped_in = r'talkbox_fallbacks_total\{engine="second",first="broken"\}'
    async with client(service(chain_of(broken=FakeEngine(), second=FakeEngine()))) as http:
        await http.post("/v1/echo")
        assert await counted(http, stepped_in) == 0
    async with client(service(chain_of(broken=FakeEngine(error=EngineFailed("x")), second=FakeEngine()))) as http:
        await http.post("/v1/echo")
        assert await counted(http, stepped_in) == 1


async def test_a_refusal_is_counted_by_what_there_was_too_little_of() -> None:
    full = Chain([Seat.of("a", FakeEngine())], admission=Admission(1, 0, 1.0))
    await full.admission.enter()
    async with client(service(full, "KEY")) as http:
        reasons = [r'talkbox_refusals_total\{reason="places"\}', r'talkbox_refusals_total\{reason="invalid_api_key"\}']
        before = [await counted(http, reason) for reason in reasons]
        await http.post("/v1/echo", headers={"authorization": "Bearer KEY"})
        await http.post("/v1/echo", headers={"authorization": "Bearer wrong"})

        assert [await counted(http, reason) for reason in reasons] == [number + 1 for number in before]


async def test_work_the_wait_for_it_and_the_capacity_that_follows_are_counted() -> None:
    async with client(service(chain_of(worker=FakeEngine()))) as http:
        waited = await counted(http, "talkbox_queue_seconds_count")
        await http.post("/v1/echo")

        assert await counted(http, "talkbox_queue_seconds_count") == waited + 1
        assert await counted(http, r'talkbox_work_seconds_total\{engine="worker"\}') > 0
        assert await counted(http, "talkbox_capacity_per_second") > 0


def test_the_memory_of_all_workers_is_added_up_and_those_that_are_no_more_do_not_count(tmp_path: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(b"\n")
        other.stdin.flush()
        other.stdout.readline()  # one that has only begun to start has no memory yet
        figures = []
        for pid in (os.getpid(), other.pid, NOBODY):
            (tmp_path / f"counter_{pid}.db").touch()
            figures.append({metric.name: metric.samples[0].value for metric in ProcessFigures(tmp_path).collect()})
        other.kill()

    alone, both, with_a_dead_one = (each["process_resident_memory_bytes"] for each in figures)
    assert both > alone > 2**20
    assert with_a_dead_one > alone
    assert figures[1]["process_start_time_seconds"] == figures[0]["process_start_time_seconds"]


@needs(shutil.which("promtool"), "promtool is not here")
def test_prometheus_itself_has_nothing_to_say_about_names_and_forms() -> None:
    shown = generate_latest(REGISTRY)

    checked = subprocess.run(["promtool", "check", "metrics"], input=shown, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_cheaper_counts_are_those_of_prometheus_client() -> None:
    """They lean on parts of it that are not public; an upgrade that changes these fails here."""
    pages = []
    for counter, gauge, histogram in (
        (Counter, Gauge, Histogram),
        (prometheus_client.Counter, prometheus_client.Gauge, prometheus_client.Histogram),
    ):
        registry = CollectorRegistry()
        counter("seen_total", "Seen", ["engine"], registry=registry).labels("a").inc(2)
        gauge("inside", "Inside", registry=registry).dec()
        times = histogram("seconds", "Seconds", ["engine"], buckets=[0.1, 1, 2], registry=registry)
        for seconds in (-1, 0, 0.1, 0.5, 1, 1.5, 2, 2.5, float("inf")):
            times.labels("a").observe(seconds)
        pages.append(re.sub(r"_created.*", "", generate_latest(registry).decode()))

    assert pages[0] == pages[1]
    assert 'seconds_bucket{engine="a",le="1.0"} 5.0' in pages[0]


def test_a_count_without_its_labels_is_a_mistake() -> None:
    times = Histogram("unlabelled_seconds", "Seconds", ["engine"], registry=None)

    with pytest.raises(AttributeError):
        times.observe(1)
