"""The engine of docs/adding-an-engine.md works, and the test beside it passes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from deploy.installation import ROOT

ENGINE, TEST = re.findall(r"```python\n(.*?)```", (ROOT / "docs/adding-an-engine.md").read_text(), re.DOTALL)
BESIDE = """
import tts.engines

tts.engines.__path__.append({folder!r})
"""
IN_A_SERVICE = """

from unit.tts.fakes import ask, service


async def test_a_service_answers_with_it_and_keeps_the_protocol(morse: Morse) -> None:
    assert not Morse.__abstractmethods__

    answer = await ask(service(morse=morse))

    assert (answer.status_code, answer.headers["x-talkbox-engine"]) == (200, "morse")
    assert len(answer.content) > 10_000
"""


def test_the_example_passes_its_own_test_and_speaks_in_a_service(tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines/morse.py").write_text(ENGINE)
    (tmp_path / "conftest.py").write_text(BESIDE.format(folder=str(tmp_path / "engines")))
    (tmp_path / "test_morse.py").write_text(TEST + IN_A_SERVICE)
    paths = os.pathsep.join((str(ROOT / "services"), str(ROOT / "tests")))
    options = ["-q", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", str(tmp_path)]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        env=os.environ | {"PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_example_is_what_make_lint_wants(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "morse.py").write_text(ENGINE)
    config = ["--config", str(ROOT / "pyproject.toml")]

    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *config, tmp_path], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stdout
