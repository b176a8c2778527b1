"""`deploy/sbom`, with a stand-in for uv: every file of pins is listed, and asked about."""

import subprocess
from pathlib import Path

import pytest
from deploy.installation import ROOT

PINS = {str(path.relative_to(ROOT)) for path in (ROOT / "services").glob("*/requirements*.txt")}
PINS.add("deploy/native/requirements.txt")


def run(tmp_path: Path, word: str, status: int = 0) -> tuple[int, list[str]]:
    """The exit code, and the words that uv was called with."""
    uv, calls = tmp_path / "uv", tmp_path / "calls"
    uv.write_text(f'#!/bin/sh\necho "$@" >>{calls}\nexit {status}\n')
    uv.chmod(0o755)
    done = subprocess.run([ROOT / "deploy" / "sbom", word], env={"PATH": "/usr/bin:/bin", "UV": str(uv)}, check=False)
    return done.returncode, calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.parametrize(("word", "tool"), [("list", "cyclonedx-py"), ("audit", "pip-audit")])
def test_all_that_is_installed_is_looked_at_with_a_tool_of_a_fixed_version(
    tmp_path: Path, word: str, tool: str
) -> None:
    code, calls = run(tmp_path, word)

    assert code == 0
    assert {pin for pin in PINS for call in calls if f" {pin}" in call} == PINS
    assert len(calls) == len(PINS)
    assert all(tool in call and "==" in call for call in calls)


def test_a_hole_fails_the_audit_after_all_were_looked_at(tmp_path: Path) -> None:
    code, calls = run(tmp_path, "audit", status=1)

    assert (code, len(calls)) == (1, len(PINS))


def test_a_package_that_nothing_is_known_about_fails_the_audit(tmp_path: Path) -> None:
    _, calls = run(tmp_path, "audit")

    assert all(" --strict " in call for call in calls), "without it, pip-audit passes what its index does not know"
