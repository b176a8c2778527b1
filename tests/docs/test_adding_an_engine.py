"""The engines of docs/adding-an-engine.md work, and the test beside the first one passes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from deploy.installation import ROOT

ENGINE, TEST, EARS, MIND = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs/adding-an-engine.md").read_text(), re.DOTALL
)
BESIDE = """
import {service}.engines

{service}.engines.__path__.append({folder!r})
"""
IN_A_SERVICE = """

from unit.tts.fakes import ask, service


async def test_a_service_answers_with_it_and_keeps_the_protocol(morse: Morse) -> None:
    assert not Morse.__abstractmethods__

    answer = await ask(service(morse=morse))

    assert (answer.status_code, answer.headers["x-talkbox-engine"]) == (200, "morse")
    assert len(answer.content) > 10_000
"""


def tried(folder: Path, service: str, name: str, engine: str, test: str) -> str:
    """What pytest says of a test of an engine that is put beside those of a service."""
    (folder / "engines").mkdir()
    (folder / f"engines/{name}.py").write_text(engine)
    (folder / "conftest.py").write_text(BESIDE.format(service=service, folder=str(folder / "engines")))
    (folder / f"test_{name}.py").write_text(test)
    paths = os.pathsep.join((str(ROOT / "services"), str(ROOT / "tests")))
    options = ["-q", "--rootdir", str(folder), "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        env=os.environ | {"PYTHONPATH": paths},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


EARS_IN_A_SERVICE = """
import numpy as np

from fixtures import sounds
from stt.engines.clap import Clap
from unit.stt.fakes import ask, service


async def test_a_service_hears_with_it() -> None:
    assert not Clap.__abstractmethods__
    sound = np.concatenate([sounds.silence(0.5), sounds.tone(0.2)] * 3)

    answer = await ask(service(Clap.load("clap", lambda doing, part: None)), sounds.wav(sound))

    assert answer.json()["text"] == "clap clap clap"
"""
MIND_IN_A_SERVICE = """
from llm.engines.parrot import Parrot
from unit.llm.fakes import ask, service


async def test_a_service_answers_with_it() -> None:
    assert not Parrot.__abstractmethods__
    app = service(parrot=Parrot.load("parrot", lambda doing, part: None))

    whole, streamed = await ask(app), await ask(app, stream=True)

    assert whole.json()["choices"][0]["message"]["content"] == "hello"
    assert '"content":"hello"' in streamed.text
    assert streamed.text.endswith("data: [DONE]\\n\\n")
"""


@pytest.mark.parametrize(
    ("service", "name", "engine", "test"),
    [("stt", "clap", EARS, EARS_IN_A_SERVICE), ("llm", "parrot", MIND, MIND_IN_A_SERVICE)],
    ids=["ears", "a mind"],
)
def test_the_smaller_examples_answer_in_a_service(
    tmp_path: Path, service: str, name: str, engine: str, test: str
) -> None:
    assert "1 passed" in tried(tmp_path, service, name, engine, test)


def test_the_example_passes_its_own_test_and_speaks_in_a_service(tmp_path: Path) -> None:
    assert "5 passed" in tried(tmp_path, "tts", "morse", ENGINE, TEST + IN_A_SERVICE)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_examples_are_what_make_lint_wants(tmp_path: Path, command: list[str]) -> None:
    for name, code in {"morse": ENGINE, "clap": EARS, "parrot": MIND}.items():
        (tmp_path / f"{name}.py").write_text(code)
    config = ["--config", str(ROOT / "pyproject.toml")]

    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *config, tmp_path], capture_output=True, text=True, timeout=180
    )

    assert done.returncode == 0, done.stdout
