import os
import re
from pathlib import Path

import httpx

from chassis.errors import EngineFailed
from chassis.metrics import Watch, forget_the_dead
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
    watch = Watch()

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
