"""folotoy-server beside Talkbox, as Docker Compose itself reads it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from deploy.installation import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0,
    reason="Docker Compose is not installed",
)
OURS = {"FOLOTOY_HOST": "192.168.1.20", "FOLOTOY_KEY": "key-7", "TALKBOX_PORT": "18090"}


def compose(folder: Path, *command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run `deploy/containers/compose` in a checkout of its own, without an engine."""
    for room in ("deploy", "services"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / room, folder / room, ignore=unwanted, dirs_exist_ok=True)
    shutil.copy(ROOT / "compose.yaml", folder)
    (folder / ".env").touch()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    variables = {**kept, **environ}
    started = [str(folder / "deploy" / "containers" / "compose"), *command]
    return subprocess.run(started, cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False)


def configured(folder: Path, **environ: str) -> dict[str, Any]:
    done = compose(folder, "config", "--format", "json", **environ)
    assert done.returncode == 0, done.stderr
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


def test_it_is_there_only_where_its_host_is_said(tmp_path: Path) -> None:
    assert "folotoy" not in configured(tmp_path)
    assert {"folotoy", "folotoy-mqtt", "folotoy-download", "proxy"} <= set(configured(tmp_path, **OURS))


def test_its_addresses_are_those_of_the_services_and_of_what_the_toys_reach(tmp_path: Path) -> None:
    services = configured(tmp_path, **OURS)
    said = services["folotoy"]["environment"]

    for variable, port in (("OPENAI_WHISPER", 8081), ("OPENAI_OPENAI", 8082), ("OPENAI_TTS", 8083)):
        assert said[f"{variable}_API_BASE"] == f"http://proxy:{port}/v1"
        assert said[f"{variable}_KEY"] == "key-7"
        assert port in [mapped["target"] for mapped in services["proxy"]["ports"]]
    [download] = services["folotoy-download"]["ports"]
    assert said["AUDIO_DOWNLOAD_URL"] == f"http://192.168.1.20:{download['published']}"
    [recordings] = services["folotoy"]["ports"]
    assert (said["SPEECH_UDP_SERVER_PORT"], recordings["protocol"]) == (str(recordings["target"]), "udp")
    assert recordings["published"] == str(recordings["target"])
    assert said["MQTT_BROKER_HOST"] in services
    networks = [set(services[name]["networks"]) for name in ("folotoy", "proxy", said["MQTT_BROKER_HOST"])]
    assert set.intersection(*networks)
    shared = [mounted["source"] for name in ("folotoy", "folotoy-download") for mounted in services[name]["volumes"]]
    assert shared.count("folotoy-audio") == 2


def test_no_two_ports_of_the_host_are_one(tmp_path: Path) -> None:
    for port in ("8080", "18090"):
        services = configured(tmp_path, **{**OURS, "TALKBOX_PORT": port})
        mapped = [each for service in services.values() for each in service.get("ports", [])]
        published = [(each["published"], each["protocol"]) for each in mapped]
        assert len(published) == len(set(published)) == 7


def test_images_are_the_operators(tmp_path: Path) -> None:
    named = {"FOLOTOY_IMAGE": "a:1", "FOLOTOY_MQTT_IMAGE": "b:2", "FOLOTOY_DOWNLOAD_IMAGE": "c:3"}
    services = configured(tmp_path, **OURS, **named)

    found = [services[name]["image"] for name in ("folotoy", "folotoy-mqtt", "folotoy-download")]
    assert found == ["a:1", "b:2", "c:3"]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    done = compose(tmp_path, "config", FOLOTOY_HOST="192.168.1.20")

    assert done.returncode != 0
    assert "FOLOTOY_KEY" in done.stderr
