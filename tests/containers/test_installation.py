"""What `make up MODE=containers` leaves running."""

import asyncio
import json
import os
import shutil
import socket

import httpx
import pytest

from containers.installation import (
    KEY,
    SERVICES,
    Installation,
    docker,
    free_ports,
    inspect,
    kill_from_outside,
    wait_until,
)

EVERY = (*SERVICES, "proxy")


@pytest.mark.parametrize("service", EVERY)
def test_nobody_runs_as_root(started: Installation, service: str) -> None:
    assert int(docker("exec", started.container(service), "id", "-u")) > 0


@pytest.mark.parametrize("service", EVERY)
def test_the_root_file_system_cannot_be_written_to_even_by_root(started: Installation, service: str) -> None:
    container = started.container(service)
    mounts = docker("exec", container, "cat", "/proc/mounts").splitlines()
    (root,) = [options for _, place, _, options, *_ in map(str.split, mounts) if place == "/"]

    assert "ro" in root.split(",")
    docker("exec", container, "sh", "-c", "touch /tmp/here && rm /tmp/here")


@pytest.mark.parametrize("service", EVERY)
def test_there_are_no_capabilities_and_none_can_be_had(started: Installation, service: str) -> None:
    lines = docker("exec", started.container(service), "cat", "/proc/1/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    assert {int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert status["NoNewPrivs"] == "1"


def test_only_the_proxy_is_reached_from_outside(started: Installation) -> None:
    published = {
        service: sorted(
            int(host["HostPort"])
            for hosts in inspect(started.container(service))["NetworkSettings"]["Ports"].values()
            for host in hosts or []
        )
        for service in EVERY
    }

    first = started.port
    assert published == {"stt": [], "llm": [], "tts": [], "proxy": [first, first + 1, first + 2, first + 3]}


@pytest.mark.parametrize("service", EVERY)
def test_logs_are_rotated_and_a_crash_is_followed_by_a_start(started: Installation, service: str) -> None:
    host = inspect(started.container(service))["HostConfig"]

    assert host["LogConfig"]["Type"] == "json-file"
    assert {"max-size", "max-file"} <= host["LogConfig"]["Config"].keys()
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_limits_of_a_service_are_a_variable_each(started: Installation) -> None:
    shown = started.compose("config", "--format=json", TTS_CPUS="1.5", TTS_MEMORY="512m")
    services = json.loads(shown)["services"]

    assert (services["tts"]["cpus"], int(services["tts"]["mem_limit"])) == (1.5, 512 * 2**20)
    assert not float(services["stt"].get("cpus", 0))


def test_models_are_kept_in_a_volume_that_the_service_can_write_to(installation: Installation) -> None:
    docker("exec", installation.container("stt"), "sh", "-c", "echo weights > $MODELS_DIR/kept")
    installation.compose("up", "--detach", "--no-build", "--force-recreate", "--no-deps", "stt")

    assert docker("exec", installation.container("stt"), "cat", "/models/kept") == "weights"


@pytest.mark.parametrize("codec", ["mp3", "opus", "aac", "flac", "wav"])
async def test_a_whole_turn_goes_through_the_proxy(started: Installation, codec: str) -> None:
    async with started.client() as client:
        question = {"model": "tts-1", "voice": "alloy", "input": "hello little bear", "response_format": codec}
        asked = await client.post("/v1/audio/speech", json=question)
        files = {"file": (f"question.{codec}", asked.content)}
        heard = await client.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files=files)
        assert heard.status_code == 200, heard.text
        chat = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": heard.json()["text"]}]}
        thought = await client.post("/v1/chat/completions", json=chat)
        words = thought.json()["choices"][0]["message"]["content"]
        spoken = await client.post("/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": words})

    assert "hello" in heard.json()["text"].lower()
    assert words
    assert spoken.headers["content-type"] == "audio/mpeg"
    assert len(spoken.content) > 1000


@pytest.mark.parametrize(
    ("offset", "path"),
    [(1, "/v1/audio/transcriptions"), (2, "/v1/chat/completions"), (3, "/v1/audio/speech")],
)
async def test_a_service_has_a_base_of_its_own(started: Installation, offset: int, path: str) -> None:
    async with started.client(f"http://127.0.0.1:{started.port + offset}") as client:
        own, metrics = await client.post(path), await client.get("/metrics")

    assert own.status_code == 400
    assert own.json()["error"]["type"] == "invalid_request_error"
    assert metrics.status_code == 404


async def test_a_service_that_is_down_closes_its_own_path_alone(installation: Installation) -> None:
    installation.compose("stop", "tts")
    installation.compose("restart", "--timeout", "5", "proxy")  # it starts without it, too
    async with installation.client() as client:
        await _answers(client)
        spoken = await client.post("/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": "hello"})
        models = await client.get("/v1/models")

    assert spoken.status_code == 503
    assert spoken.json()["error"]["type"] == "server_error"
    assert int(spoken.headers["retry-after"]) >= 1
    assert models.status_code == 200


async def test_a_service_that_died_is_back_and_the_proxy_finds_it(installation: Installation) -> None:
    container = installation.container("llm")
    before = inspect(container)["State"]["StartedAt"]
    await asyncio.to_thread(kill_from_outside, container)
    wait_until(lambda: inspect(container)["State"]["StartedAt"] != before, "the engine starts it again")
    installation.wait_until_ready()

    async with installation.client() as client:
        models = await client.get("/v1/models")

    assert models.status_code == 200


def test_what_compose_has_started_by_hand_is_found(installation: Installation) -> None:
    shutil.rmtree(installation.root / ".talkbox")  # nothing has been remembered

    assert "companion" in installation.make("ps", MODE="")
    installation.make("up")


def test_a_port_that_is_taken_is_named_before_anything_is_started(installation: Installation) -> None:
    before = installation.containers("proxy")
    port = free_ports(4)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 2))
        other.listen()
        with pytest.raises(AssertionError, match=rf"{port + 2} \(.*process {os.getpid()}\)"):
            installation.make("up", TALKBOX_PORT=str(port))

    assert installation.containers("proxy") == before


def test_a_second_up_changes_nothing_and_keeps_the_replicas(installation: Installation) -> None:
    installation.make("scale", "stt=2")
    before = [installation.containers(service) for service in EVERY]

    said = installation.make("up")
    states = installation.make("ps")

    assert [installation.containers(service) for service in EVERY] == before
    assert f":{installation.port}/v1" in said
    assert KEY in said
    assert "companion" in states


async def _answers(client: httpx.AsyncClient) -> None:
    """Wait for the proxy."""
    for _ in range(100):
        try:
            await client.get("/")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("the proxy does not answer")
