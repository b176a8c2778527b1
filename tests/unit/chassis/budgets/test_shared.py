"""Budgets that replicas share at a Redis or Valkey, in its good hours and its bad ones."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from prometheus_client import REGISTRY

from chassis.budgets.counters import PATIENCE_SECONDS, Rate, Store
from chassis.budgets.key_budgets import KeyBudgets, Overdrawn
from chassis.settings import SettingError
from fixtures.redis_server import BINARY, RedisServer
from fixtures.tools import needs
from unit.chassis.budgets.test_key_budgets import budgets
from unit.chassis.fakes import EchoSettings

real = needs(BINARY, "no redis-server on this machine (`apt-get install redis-tools`)")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a server that is there, however busy the machine is."""
    monkeypatch.setattr("chassis.budgets.counters.PATIENCE_SECONDS", 30.0)


@asynccontextmanager
async def counted(url: str, text: str, *, away_seconds: float = 0.0) -> AsyncIterator[Rate]:
    """A rate as one replica has it."""
    counts = Store(url, away_seconds=away_seconds)
    try:
        yield Rate(text, "LLM_KEY_REQUESTS", counts)
    finally:
        await counts.aclose()


def times_away() -> float:
    return REGISTRY.get_sample_value("talkbox_budgets_away_total") or 0.0


@asynccontextmanager
async def replicas(redis: RedisServer, limits: str = "", key_requests: str = "") -> AsyncIterator[list[KeyBudgets]]:
    """Two replicas of a service."""
    both = [budgets(limits, budgets_url=redis.url, key_requests=key_requests) for _ in range(2)]
    try:
        yield both
    finally:
        for each in both:
            await each.aclose()


async def admitted(keys: KeyBudgets, key: str) -> bool:
    try:
        await keys.admit(key)
    except Overdrawn:
        return False
    return True


@pytest.mark.usefixtures("patient")
@real
async def test_two_replicas_share_a_budget_of_requests(redis: RedisServer) -> None:
    redis.start()
    async with replicas(redis, key_requests="3/minute") as both:
        assert [await admitted(both[each], "bear") for each in (0, 1, 0, 1, 0)] == [True, True, True, False, False]
        assert await admitted(both[1], "fox")


@pytest.mark.usefixtures("patient")
@real
async def test_a_restart_gives_nobody_a_new_budget(redis: RedisServer) -> None:
    redis.start()
    async with replicas(redis, "10/minute", key_requests="3/minute") as both:
        await both[0].spend("bear", 10)
        assert [await admitted(both[0], "fox") for _ in range(3)] == [True] * 3
    async with replicas(redis, "10/minute", key_requests="3/minute") as anew:
        assert [await admitted(anew[0], key) for key in ("bear", "fox", "cat")] == [False, False, True]


@pytest.mark.usefixtures("patient")
@real
async def test_services_that_share_a_server_do_not_share_a_budget(redis: RedisServer) -> None:
    class OtherSettings(EchoSettings, frozen=True, kw_only=True):
        prefix = "OTHER_"

    redis.start()
    other = KeyBudgets(OtherSettings(key_requests="1/minute", budgets_url=redis.url), "seconds of sound", "")
    async with replicas(redis, key_requests="1/minute") as both:
        assert [await admitted(keys, "bear") for keys in (both[0], both[1], other)] == [True, False, True]
    await other.aclose()


@pytest.mark.usefixtures("patient")
@real
async def test_two_replicas_share_a_budget_of_work_and_the_day_is_told_from_the_minute(redis: RedisServer) -> None:
    redis.start()
    async with replicas(redis, "15/minute; 25/day") as [one, other]:
        await one.spend("bear", 10)
        await other.admit("bear")
        await other.spend("bear", 10)
        with pytest.raises(Overdrawn) as minute:
            await one.admit("bear")
        await one.spend("bear", 10)
        with pytest.raises(Overdrawn) as day:
            await other.admit("bear")

    assert minute.value.body["code"] == "rate_limit_exceeded"
    assert 1 <= int(minute.value.headers["retry-after"]) <= 60
    assert day.value.body["code"] == "insufficient_quota"
    assert 60 < int(day.value.headers["retry-after"]) <= 86_400


@real
async def test_while_the_server_is_away_each_replica_goes_on_by_itself_and_mutes_nobody(redis: RedisServer) -> None:
    redis.start()
    async with replicas(redis, "10/minute", key_requests="100/minute") as [one, other]:
        redis.stop()
        await one.spend("bear", 10)
        assert [await admitted(keys, "bear") for keys in (one, other)] == [False, True]


@pytest.mark.usefixtures("patient")
@real
async def test_of_many_who_ask_at_once_at_two_replicas_no_more_are_let_in_than_may_be(redis: RedisServer) -> None:
    redis.start()
    async with counted(redis.url, "10/minute; 15/day") as one, counted(redis.url, "10/minute; 15/day") as other:
        spent = await asyncio.gather(*(rate.take("bear") for rate in (one, other) for _ in range(20)))

    assert spent.count(None) == 10


@pytest.mark.usefixtures("patient")
@real
async def test_what_is_refused_for_the_minutes_sake_costs_nothing_of_the_day(redis: RedisServer) -> None:
    redis.start()
    async with counted(redis.url, "1/second; 3/day") as rate:
        taken = 0
        until = monotonic() + 20
        while taken < 3 and monotonic() < until:
            taken += await rate.take("bear") is None
        last = await rate.take("bear")

    assert taken == 3
    assert last is not None
    assert last.window_seconds == 86_400


@pytest.mark.usefixtures("patient")
@real
async def test_a_server_that_comes_later_dies_and_comes_again_is_used_while_it_is_there(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    before = times_away()
    async with counted(redis.url, "1/minute") as one, counted(redis.url, "1/minute") as other:
        assert await one.take("bear") is None  # each for itself
        assert await other.take("bear") is None
        assert await other.take("bear") is not None
        assert times_away() > before

        redis.start()
        assert await one.take("bear") is None
        assert await other.take("bear") is not None

        redis.stop()
        assert await one.take("fox") is None
        assert await other.take("fox") is None

        redis.start()
        assert await one.take("fox") is None
        assert await other.take("fox") is not None

    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [("is away" in line, "is back" in line) for line in told].count((True, False)) == 4  # two replicas, twice
    assert len(told) == 8


@real
async def test_a_server_that_stalls_in_mid_service_holds_nobody_up_for_long(redis: RedisServer) -> None:
    redis.start()
    async with counted(redis.url, "100/minute", away_seconds=60) as rate:
        assert await rate.take("bear") is None
        redis.stall()
        try:
            waits = [await _timed(rate) for _ in range(3)]
        finally:
            redis.go_on()

    assert waits[0] >= PATIENCE_SECONDS * 0.9
    assert max(waits[1:]) < waits[0] / 2  # it is left alone


@pytest.mark.usefixtures("patient")
@real
async def test_a_server_that_is_there_and_counts_for_nobody_is_away_until_it_is_mended(redis: RedisServer) -> None:
    troubles = {
        "full": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        "a replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        "without replicas of its own": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        "without leave": ("ACL SETUSER default -evalsha", "ACL SETUSER default +evalsha"),
    }
    redis.start()
    async with counted(redis.url, "2/hour") as one, counted(redis.url, "2/hour") as other:
        for name, (trouble, cure) in troubles.items():
            assert await one.take(name) is None
            redis.order(trouble)
            before = times_away()
            assert [await rate.take(name) for rate in (one, one, other)] == [None, None, None], "each for itself"
            assert times_away() > before
            redis.order(cure)
            assert [await rate.take(name) is None for rate in (one, other)] == [True, False], "it has counted on"


@pytest.mark.usefixtures("patient")
@real
async def test_a_wrong_password_mutes_nobody_and_the_right_one_counts(redis: RedisServer) -> None:
    redis.start()
    redis.order("CONFIG SET requirepass secret")
    for password, shared in (("", False), (":wrong@", False), (":secret@", True)):
        url = redis.url.replace("://", f"://{password}")
        async with counted(url, "1/hour") as one, counted(url, "1/hour") as other:
            assert [await rate.take("bear") is None for rate in (one, other)] == [True, not shared]


@pytest.mark.usefixtures("patient")
@real
async def test_callers_who_leave_while_the_server_is_asked_leave_nobody_elses_answer_behind(redis: RedisServer) -> None:
    redis.start()
    async with counted(redis.url, "1/hour") as rate:
        assert await rate.take("spent") is None
        for number in range(50):
            leaver = asyncio.create_task(rate.take("spent"))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            leaver.cancel()
            assert await rate.left(f"fresh {number}") is None
            assert await rate.left("spent") is not None


async def test_a_socket_that_says_nothing_holds_up_its_caller_only_and_not_the_loop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        async with counted(url, "100/minute", away_seconds=60) as rate:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.005)
                    ticks += 1

            ticking = asyncio.create_task(tick())
            waits = await asyncio.gather(*(_timed(rate) for _ in range(50)))
            ticking.cancel()

    assert max(waits) < len(waits) * PATIENCE_SECONDS / 2  # together, and not one after the other
    assert ticks >= 10


async def test_who_is_not_told_that_his_patience_has_ended_waits_hardly_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = asyncio.timeout
    monkeypatch.setattr("chassis.budgets.counters.asyncio.timeout", lambda seconds: patience(None))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        async with counted(url, "1/minute", away_seconds=60) as rate:
            waited = await _timed(rate)

    assert waited < 10 * PATIENCE_SECONDS


async def test_nobody_there_is_noticed_at_once_and_then_left_alone() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{one.getsockname()[1]}"  # bound, and not listened on
        before = times_away()
        async with counted(url, "2/minute", away_seconds=60) as rate:
            spent = [await rate.take("bear") for _ in range(3)]

    assert [each is None for each in spent] == [True, True, False]
    assert times_away() == before + 1


@pytest.mark.parametrize("url", ["nowhere://", "localhost:6379", "redis://127.0.0.1:port"])
def test_a_place_that_is_none_is_told_with_its_variable(url: str) -> None:
    with pytest.raises(SettingError, match="ECHO_BUDGETS_URL"):
        budgets(key_requests="1/day", budgets_url=url)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("scheme", ["valkey", "redis"])
@real
async def test_valkeys_own_scheme_is_understood(redis: RedisServer, scheme: str) -> None:
    redis.start()
    before = times_away()
    async with counted(redis.url.replace("redis", scheme), "1/minute") as rate:
        assert await rate.take("bear") is None

    assert times_away() == before


async def _timed(rate: Rate) -> float:
    began = monotonic()
    await rate.take("bear")
    return monotonic() - began
