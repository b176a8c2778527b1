"""deploy/native/venv, with a Python that only pretends to make environments and to install."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from deploy.installation import ROOT

PYTHON = """\
#!/bin/sh
here=$(dirname "$(dirname "$0")")
case "$*" in
--version) echo "Python $(cat "$OF_THE_SYSTEM")" ;;
*"import sys, pip"*) [ -e "$here/lib/python$(cat "$OF_THE_SYSTEM")/site-packages/pip" ] ;;
"-m venv "*) mkdir -p "$3/bin" "$3/lib/python$(cat "$OF_THE_SYSTEM")/site-packages/pip" && cp "$0" "$3/bin/python" ;;
"-m pip install"*) cd "$here"/lib/python*/site-packages && mkdir -p uvicorn uvicorn-1.dist-info && touch six.py ;;
esac
"""


class Environment:
    """A folder in which `venv run` was called once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for script in ("deploy/native/venv", "deploy/python"):
            (folder / script).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / script, folder / script)
        self.version = folder / "version"
        self.version.write_text("3.13")
        (folder / "python").write_text(PYTHON)
        (folder / "python").chmod(0o755)
        (folder / "pins.txt").write_text("uvicorn==1\nsix==1\n")
        assert "Making" in self.make()

    @property
    def packages(self) -> Path:
        [found] = (self.folder / ".venv" / "lib").glob("*/site-packages")
        return found

    def make(self) -> str:
        environment = os.environ | {"PYTHON": str(self.folder / "python"), "OF_THE_SYSTEM": str(self.version)}
        environment.pop("VENV", None)
        command = ["deploy/native/venv", "run", "pins.txt"]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_what_is_there_is_left_alone(environment: Environment) -> None:
    (environment.packages / "more").mkdir()
    (environment.packages / "__pycache__").mkdir()

    assert environment.make() == ""


@pytest.mark.parametrize("part", ["uvicorn", "uvicorn-1.dist-info", "six.py"])
def test_an_environment_of_which_a_part_was_removed_is_made_anew(environment: Environment, part: str) -> None:
    lost = environment.packages / part
    lost.unlink() if lost.is_file() else lost.rmdir()

    assert "Parts of .venv are missing." in environment.make()
    assert lost.exists()
    assert environment.make() == ""


def test_after_an_upgrade_of_the_systems_python_it_is_made_anew(environment: Environment) -> None:
    environment.version.write_text("3.14")

    assert "Making a Python environment" in environment.make()
    assert environment.packages.parent.name == "python3.14"


def test_one_of_a_release_that_noted_no_names_is_kept(environment: Environment) -> None:
    (environment.folder / ".venv" / "names-run").unlink()

    assert environment.make() == ""


def test_nothing_is_installed_to_ask_for_what_does_not_run(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "deploy/native/environment").write_text("#!/bin/sh\necho installing\n")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("TALKBOX_PYTHON", "LC_ALL", "LANG")
    }

    command = ["deploy/run", "ps"]
    done = subprocess.run(command, cwd=tmp_path, env=environment | {"MODE": "native"}, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")
    assert "Nothing is up here." in done.stderr
