"""Extras: which libraries the chains in `.env` need, and what `make up` does about them."""

import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from deploy.extras import pins
from deploy.installation import ROOT, SERVICES


def named(service: str, chain: str) -> list[str]:
    return [file.name for file in pins(service, {f"{service.upper()}_ENGINES": chain})]


@pytest.mark.parametrize(
    ("service", "chain", "files"),
    [
        ("stt", "whisper,sphinx", []),
        ("stt", "sensevoice,whisper,sphinx", ["requirements-sherpa.txt"]),
        ("stt", "paraformer, zipformer,sensevoice", ["requirements-sherpa.txt"]),
        ("llm", "openai,local,companion", []),
        ("llm", "GGUF,companion", ["requirements-gguf.txt"]),
        ("llm", "my-own-row,gguf", ["requirements-gguf.txt"]),
        ("tts", "edge,espeak", []),
        ("tts", "edge,hibari,sherpa,espeak", ["requirements-hibari.txt", "requirements-sherpa.txt"]),
        ("tts", "", []),
    ],
)
def test_a_chain_needs_the_extras_of_its_engines(service: str, chain: str, files: list[str]) -> None:
    assert named(service, chain) == files


@pytest.mark.parametrize("signal", ["", "TRACES_", "METRICS_"])
def test_a_collector_is_an_extra_of_each_service(signal: str) -> None:
    settings = {f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT": "http://collector:4318"}

    assert [file.name for service in SERVICES for file in pins(service, settings)] == ["requirements-otlp.txt"] * 3


def test_a_chain_that_is_not_set_needs_none() -> None:
    assert [pins(service, {}) for service in SERVICES] == [[], [], []]


@pytest.mark.parametrize("service", SERVICES)
def test_every_extra_is_pinned_and_belongs_to_a_setting(service: str) -> None:
    project = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text())["project"]
    chain = ",".join(import_module(f"{service}.engines").ENGINES)
    settings = {f"{service.upper()}_ENGINES": chain, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    everything = [file.name for file in pins(service, settings)]

    assert sorted(everything) == [f"requirements-{extra}.txt" for extra in sorted(project["optional-dependencies"])]
    for name in everything:
        text = (ROOT / "services" / service / name).read_text()
        assert text.count("--hash=sha256:") >= text.count("==") > 0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose `deploy/native/venv` notes what it is asked for, and fails where the file `fails` says why."""
    for part in ("deploy", "services"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".env.example", tmp_path)
    (tmp_path / ".talkbox" / "logs").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "deploy" / "native" / "venv").write_text(
        '#!/bin/sh\necho "$PIP_ONLY_BINARY" "$@" >>asked\n'
        '[ "$1" != extras ] || [ ! -e fails ] || { cp fails .talkbox/logs/pip-extras.log; exit 1; }\n'
    )
    return tmp_path


def run(checkout: Path, script: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": "/usr/bin:/bin", "TZ": "UTC"} | environ
    return subprocess.run([str(checkout / script)], env=environ, capture_output=True, text=True, timeout=60)


def asked(checkout: Path) -> list[str]:
    return (checkout / "asked").read_text().splitlines()


def test_natively_the_extras_are_installed_after_what_all_need_and_from_wheels_alone(checkout: Path) -> None:
    (checkout / ".env").write_text("STT_ENGINES=sensevoice,sphinx\nLLM_ENGINES=gguf,companion\n")
    done = run(checkout, "deploy/native/environment")

    assert done.returncode == 0
    assert asked(checkout)[0].startswith(" run services/stt/requirements.txt")
    assert asked(checkout)[1:] == [
        ":all: extras services/stt/requirements-sherpa.txt services/llm/requirements-gguf.txt"
    ]


def test_a_chain_without_such_engines_asks_for_nothing(checkout: Path) -> None:
    (checkout / ".env").write_text("STT_ENGINES=whisper,sphinx\n")

    assert run(checkout, "deploy/native/environment").returncode == 0
    assert len(asked(checkout)) == 1


@pytest.mark.parametrize(
    ("pip_says", "advice"),
    [
        ("ERROR: No matching distribution found for xllamacpp==2026.10", "no ready-made package for this machine"),
        ("WARNING: Connection timed out\nERROR: No matching distribution found for xllamacpp", "`make up` tries again"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "`make up` tries again"),
    ],
)
def test_what_cannot_be_had_is_named_with_what_to_do_and_the_rest_goes_on(
    checkout: Path, pip_says: str, advice: str
) -> None:
    (checkout / ".env").write_text("LLM_ENGINES=gguf,companion\n")
    (checkout / "fails").write_text(pip_says)
    done = run(checkout, "deploy/native/environment")

    assert done.returncode == 0
    assert "The extra gguf of llm is not installed" in done.stderr
    assert advice in done.stderr


def test_a_line_that_cannot_be_read_ends_it_with_the_number_of_the_line(checkout: Path) -> None:
    (checkout / ".env").write_text("API_KEYS=x\nLLM_ENGINES='gguf\n")
    done = run(checkout, "deploy/native/environment")

    assert done.returncode != 0
    assert ".env, line 2" in done.stderr


def test_for_containers_they_are_assignments_of_a_shell(checkout: Path) -> None:
    (checkout / ".env").write_text("STT_ENGINES=sensevoice\nTTS_ENGINES=edge,sherpa\n")

    assert named_for_images(checkout) == ["STT_EXTRAS='sherpa'", "LLM_EXTRAS=''", "TTS_EXTRAS='sherpa'"]


def test_an_image_is_not_doubled_by_a_voice_unless_its_operator_says_so(checkout: Path) -> None:
    chain = "TTS_ENGINES=edge,hibari,sherpa\n"
    (checkout / ".env").write_text(chain)
    assert named_for_images(checkout)[-1] == "TTS_EXTRAS='sherpa'"

    (checkout / ".env").write_text(chain + "TTS_EXTRAS=hibari,sherpa\n")
    assert named_for_images(checkout)[-1] == "TTS_EXTRAS='hibari sherpa'"


def named_for_images(checkout: Path) -> list[str]:
    command = [sys.executable, "-m", "deploy.extras", "names"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("place", [{"LANG": "zh_CN.UTF-8"}, {"LC_ALL": "zh_TW"}, {"TZ": "Asia/Shanghai"}])
def test_where_chinese_is_spoken_the_first_up_proposes_ears_for_it(checkout: Path, place: dict[str, str]) -> None:
    done = run(checkout, "deploy/env", **place)

    proposed = "#STT_ENGINES=sensevoice,whisper,sphinx"
    assert proposed in done.stdout
    assert proposed in (checkout / ".env").read_text().splitlines()
    assert named("stt", proposed.partition("=")[2]) == ["requirements-sherpa.txt"]


def test_elsewhere_it_proposes_nothing(checkout: Path) -> None:
    assert "sensevoice" not in run(checkout, "deploy/env", LANG="en_US.UTF-8").stdout
