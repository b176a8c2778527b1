"""Replicas come, go and die under load, and whoever asks does not notice."""

import asyncio
from contextlib import suppress

import httpx
import pytest

from containers.installation import Installation, docker, inspect, kill_from_outside, wait_until
from containers.load import Outcome, ask, chat, load


def servers(installation: Installation, since: int) -> set[str]:
    """Addresses of the replicas that answered after so many lines of the proxy's log."""
    entries = installation.access_log()[since:]
    return {entry["server"] for entry in entries if entry["path"] == "/v1/chat/completions"}


async def spread(installation: Installation, replicas: int) -> None:
    """Until so many replicas have a part in the load."""
    since = len(installation.access_log())

    def happened() -> bool:
        return len(servers(installation, since)) >= replicas

    await asyncio.to_thread(wait_until, happened, f"{replicas} replicas answer")


def failed(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not outcome.complete]


async def test_scaling_up_and_down_again_under_load_drops_nothing(installation: Installation) -> None:
    async with installation.client() as client, load(client) as outcomes:
        await asyncio.to_thread(installation.make, "scale", "llm=3")
        for container in installation.containers("llm"):
            docker("exec", container, "python", "-m", "chassis.server.probe", "--loaded")  # the others may be restarted
        await spread(installation, 3)
        await asyncio.to_thread(installation.make, "scale", "llm=1")
        done = len(outcomes)
        await asyncio.to_thread(wait_until, lambda: len(outcomes) >= done + 16, "the last replica serves on")

    assert failed(outcomes) == []
    assert len(installation.containers("llm")) == 1


async def test_changes_of_settings_under_load_drop_nothing(installation: Installation) -> None:
    before = installation.containers("llm")
    env = installation.root / ".env"
    settings = env.read_text()
    async with installation.client() as client, load(client) as outcomes:
        for number in range(2):
            env.write_text(f"{settings}LLM_MAX_QUEUED={300 + number}\n")
            said = await asyncio.to_thread(installation.make, "up")
            assert "replacing llm" in said
        done = len(outcomes)
        await asyncio.to_thread(wait_until, lambda: len(outcomes) >= done + 16, "the new one serves on")

    assert failed(outcomes) == []
    assert installation.containers("llm") != before
    assert len(installation.containers("llm")) == 1


async def test_settings_that_cannot_be_used_leave_the_former_containers_serving(installation: Installation) -> None:
    before = installation.containers("llm")
    env = installation.root / ".env"
    settings = env.read_text()
    for wrong, words in (("LLM_MAX_QUEUED=many", "LLM_MAX_QUEUED"), ("API_KEYS=k$ecret", "single quotes")):
        env.write_text(f"{settings}{wrong}\n")
        try:
            with pytest.raises(AssertionError, match=words):
                await asyncio.to_thread(installation.make, "up")
        finally:
            env.write_text(settings)
        assert installation.containers("llm") == before
        async with installation.client() as client:
            assert (await client.get("/v1/models")).status_code == 200


async def test_a_container_that_hangs_is_mended(installation: Installation) -> None:
    container = installation.container("llm")
    hang = "import os, signal; [os.kill(int(p), signal.SIGSTOP) for p in os.listdir('/proc') if p.isdigit() and "
    hang += "int(p) != os.getpid() and b'spawn_main' in open(f'/proc/{p}/cmdline', 'rb').read()]"
    await asyncio.to_thread(docker, "exec", container, "python", "-c", hang)

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{installation.base}/status/llm", timeout=1).status_code == 200
        return False

    await asyncio.to_thread(wait_until, answers, "it answers again", 15)
    assert installation.container("llm") == container
    assert "silent for too long" in await asyncio.to_thread(docker, "logs", container)


async def test_a_replica_that_dies_fails_no_request_that_had_not_begun_to_answer(installation: Installation) -> None:
    await asyncio.to_thread(installation.make, "scale", "llm=2")
    victim = installation.containers("llm")[1]
    async with installation.client() as client, load(client) as outcomes:
        await spread(installation, 2)
        await asyncio.to_thread(kill_from_outside, victim)
        done = len(outcomes)
        await asyncio.to_thread(wait_until, lambda: len(outcomes) >= done + 40, "the other one serves on")

    assert [outcome for outcome in failed(outcomes) if not outcome.begun] == []
    assert len(failed(outcomes)) <= 8  # whom it was answering; one each of the callers at most
    assert inspect(victim)["RestartCount"] == 1


async def test_an_answer_of_a_replica_whose_network_is_gone_is_broken_off_and_its_caller_not_kept_waiting(
    installation: Installation,
) -> None:
    container = installation.container("llm")
    (network,) = inspect(container)["NetworkSettings"]["Networks"]
    heard = asyncio.Event()
    async with installation.client() as client:
        asking = asyncio.create_task(ask(client, chat(chunks=400, gap=0.1), heard))
        await heard.wait()
        await asyncio.to_thread(docker, "network", "disconnect", "--force", network, container)
        outcome = await asking
    await asyncio.to_thread(docker, "rm", "--force", container)

    assert outcome.begun
    assert outcome.error is not None
    assert "ReadTimeout" not in outcome.error, "the caller's patience of 30 s ended before the proxy's"


async def test_a_replica_told_to_stop_finishes_what_it_says(installation: Installation) -> None:
    container = installation.container("llm")
    heard = asyncio.Event()
    async with installation.client() as client:
        asking = asyncio.create_task(ask(client, chat(chunks=40, gap=0.1), heard))
        await heard.wait()
        await asyncio.to_thread(installation.compose, "stop", "llm")
        outcome = await asking

    assert outcome.complete
    assert len(outcome.events) >= 41
    assert inspect(container)["State"]["ExitCode"] == 0


async def test_the_first_word_leaves_long_before_the_last(installation: Installation) -> None:
    async with installation.client() as client:
        outcome = await ask(client, chat(chunks=20, gap=0.1))

    assert outcome.complete
    assert outcome.events[0][0] < outcome.events[-1][0] - 1.5


async def test_down_in_mid_answer_lets_it_end(installation: Installation) -> None:
    heard = asyncio.Event()
    async with installation.client() as client:
        asking = asyncio.create_task(ask(client, chat(chunks=30, gap=0.1), heard))
        await heard.wait()
        await asyncio.to_thread(installation.make, "down")
        outcome = await asking

    assert outcome.complete
    assert installation.containers("proxy") == []
