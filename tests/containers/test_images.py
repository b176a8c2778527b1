"""Each image by itself: what is in it, and that it runs without the others."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from containers.installation import KEY, SECONDS_TO_BUILD, SERVICES, docker, run, wait_until
from imitations.collector import running

BASE = "python:3.13-slim"
MEGABYTES = {"llm": 60, "tts": 242, "stt": 600}
"""The guard's dictionaries of Chinese characters and sounds take 12 of each, what it has learnt 1."""
ENGINES = {"stt": "STT_ENGINES=sphinx", "llm": "LLM_ENGINES=companion", "tts": "TTS_ENGINES=espeak"}
PATHS = {"stt": "/v1/audio/transcriptions", "llm": "/v1/chat/completions", "tts": "/v1/audio/speech"}


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, str]]:
    """The name of each service's image, made by the command in its Dockerfile."""
    named = {service: f"talkbox-test-{os.getpid()}-{service}" for service in SERVICES}
    try:
        for service, name in named.items():
            command = (
                "docker",
                "build",
                "--quiet",
                "--tag",
                name,
                "--file",
                f"services/{service}/Dockerfile",
                "services",
            )
            run(*command, env={"DOCKER_BUILDKIT": "1"}, seconds=SECONDS_TO_BUILD)
        yield named
    finally:
        docker("image", "rm", "--force", *named.values())


@contextmanager
def alone(service: str, image: str, *options: str) -> Iterator[tuple[str, str]]:
    """The service on a port of this machine.

    Yields:
        Its container, and its address.
    """
    hardened = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
    settings = (f"--env=API_KEYS={KEY}", f"--env={ENGINES[service]}", "--publish=127.0.0.1::8000")
    container = docker("run", "--detach", *hardened, *settings, *options, image)
    try:
        yield container, "http://" + docker("port", container, "8000/tcp").splitlines()[0]
    finally:
        docker("rm", "--force", "--volumes", container)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_adds_no_more_than_it_may(images: dict[str, str], service: str) -> None:
    whole, base = (int(docker("image", "inspect", "--format={{.Size}}", image)) for image in (images[service], BASE))

    assert (whole - base) / 1e6 <= MEGABYTES[service]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_own_service_alone_and_no_torch(images: dict[str, str], service: str) -> None:
    look = "import importlib.util as i, json; print(json.dumps([n for n in {} if i.find_spec(n)]))"
    names = ["chassis", "torch", *SERVICES]

    found = docker("run", "--rm", images[service], "python", "-c", look.format(names))

    assert json.loads(found) == ["chassis", service]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_runs_alone_and_stops_when_told(images: dict[str, str], service: str) -> None:
    with alone(service, images[service], "--sysctl=net.ipv6.conf.all.disable_ipv6=0") as (container, address):
        wait_until(lambda: answers(f"{address}/readyz"), f"{service} is ready")
        refused = httpx.post(address + PATHS[service])
        docker("exec", container, "python", "-m", "chassis.server.probe")
        docker("exec", container, "python", "-c", "import socket; socket.create_connection(('::1', 8000))")
        docker("stop", container)

        assert refused.status_code == 401
        assert docker("inspect", "--format={{.State.ExitCode}}", container) == "0"


@pytest.mark.parametrize("service", SERVICES)
def test_a_setting_that_cannot_be_used_is_named_and_ends_the_service(images: dict[str, str], service: str) -> None:
    wrong = f"--env={service.upper()}_MAX_CONCURRENT=many"

    container = docker("run", "--detach", wrong, images[service])
    try:
        assert docker("wait", container) == "3"
        said = run("sh", "-c", f"docker logs {container} 2>&1")
        assert f"{service.upper()}_MAX_CONCURRENT" in said
    finally:
        docker("rm", "--force", container)


@contextmanager
def with_extras(service: str, extras: str) -> Iterator[str]:
    """The service's image with these extras."""
    name = f"talkbox-test-{os.getpid()}-{service}-extras"
    place = ("--tag", name, "--file", f"services/{service}/Dockerfile", "services")
    environ = {"DOCKER_BUILDKIT": "1"}
    run("docker", "build", "--quiet", f"--build-arg=EXTRAS={extras}", *place, env=environ, seconds=SECONDS_TO_BUILD)
    try:
        yield name
    finally:
        docker("image", "rm", "--force", name)


@pytest.mark.parametrize(
    ("service", "extras", "modules"),
    [("stt", "sherpa", "sherpa_onnx"), ("tts", "hibari sherpa", "hibari, sherpa_onnx")],
)
def test_an_image_with_extras_has_all_that_they_load(service: str, extras: str, modules: str) -> None:
    with with_extras(service, extras) as image:
        docker("run", "--rm", "--read-only", "--tmpfs=/tmp", image, "python", "-c", f"import {modules}")


def test_llms_image_with_extras_has_llamacpp_and_tells_a_collector_of_a_chat() -> None:
    with with_extras("llm", "gguf otlp") as image, running("0.0.0.0") as collector:
        docker("run", "--rm", "--read-only", "--tmpfs=/tmp", image, "python", "-c", "import xllamacpp")
        told = f"OTEL_EXPORTER_OTLP_ENDPOINT=http://host.docker.internal:{collector.server_port}"
        options = ("--add-host=host.docker.internal:host-gateway", f"--env={told}", "--env=OTEL_BSP_SCHEDULE_DELAY=100")
        with alone("llm", image, *options) as (_, address):
            wait_until(lambda: answers(f"{address}/readyz"), "llm is ready")
            asked = {"model": "any", "messages": [{"role": "user", "content": "Hello!"}]}
            headers = {"authorization": f"Bearer {KEY}"}
            assert httpx.post(f"{address}/v1/chat/completions", json=asked, headers=headers).status_code == 200
            wait_until(lambda: bool(collector.spans), "the collector has spans")

    assert collector.resources[0]["service.name"] == "talkbox-llm"
