"""The papers of the project agree with what it is made of."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import msgspec
import pytest
from deploy.installation import ROOT

PROJECTS = sorted(path for path in ROOT.glob("**/pyproject.toml") if ".venv" not in str(path.relative_to(ROOT)))
NOTICES = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"


def project(path: Any) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return found


def name(requirement: str) -> str:
    return re.split(r"[^\w-]", requirement, maxsplit=1)[0]


DEPENDENCIES = sorted(
    {name(requirement) for path in PROJECTS if path.parent != ROOT for requirement in project(path)["dependencies"]}
)
EXTRAS = sorted(
    {
        name(requirement)
        for path in PROJECTS
        for extra in project(path).get("optional-dependencies", {}).values()
        for requirement in extra
    }
)


def test_the_version_is_in_one_place() -> None:
    assert [path for path in PROJECTS if "version" in project(path)] == [ROOT / "pyproject.toml"]


def test_the_changelog_begins_with_what_is_unreleased_and_has_the_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version = project(ROOT / "pyproject.toml")["version"]

    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", headings[1])


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert (ROOT / "LICENSE").read_text().startswith(f"{project(ROOT / 'pyproject.toml')['license']} License")
    assert all((ROOT / file).exists() for file in project(ROOT / "pyproject.toml")["license-files"])


@pytest.mark.parametrize("package", [*DEPENDENCIES, *EXTRAS])
def test_the_notices_name_every_dependency(package: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", NOTICES), f"add {package} and its licence"


def pinned() -> set[str]:
    """Return the names that are installed by hash, but for those of other systems."""
    files = [*ROOT.glob("services/*/requirements*.txt"), *ROOT.glob("deploy/*/requirements*.txt")]
    lines = [line for file in files for line in file.read_text().splitlines() if "==" in line.split(";")[0]]
    return {line.partition("==")[0] for line in lines if "win32" not in line and "emscripten" not in line}


@pytest.mark.parametrize("package", sorted(pinned()))
def test_the_notices_name_whatever_is_pinned(package: str) -> None:
    family = f"{package.partition('-')[0]}-…"
    named = re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", NOTICES)

    assert named or family in NOTICES, f"add {package} and its licence"


def stated(package: str) -> str | None:
    """Return the SPDX expression in a package's metadata."""
    try:
        found = metadata(package)
    except PackageNotFoundError:  # not for this Python
        return None
    return found["License-Expression"] if "License-Expression" in found else None  # noqa: SIM401  (it has no `get`)


@pytest.mark.parametrize("package", [package for package in DEPENDENCIES if stated(package)])
def test_the_notices_state_the_licence_that_a_package_states(package: str) -> None:
    [line, *_] = [line for line in NOTICES.splitlines() if re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", line)]

    assert str(stated(package)) in line


def test_the_workflow_calls_the_gate() -> None:
    workflow = msgspec.yaml.decode((ROOT / ".github/workflows/ci.yml").read_bytes())
    steps = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]

    assert ".ci/run" in steps
    assert (ROOT / ".ci/run").stat().st_mode & 0o100


@pytest.mark.parametrize("form", sorted(path.name for path in FORMS.glob("*.yml") if path.stem != "config"))
def test_a_form_asks_for_what_doctor_says(form: str) -> None:
    fields = msgspec.yaml.decode((FORMS / form).read_bytes())["body"]

    assert any("`make doctor`" in field["attributes"].get("label", "") for field in fields)


def test_the_hooks_are_ruffs_from_the_pinned_environment() -> None:
    hooks = msgspec.yaml.decode((ROOT / ".pre-commit-config.yaml").read_bytes())["repos"][0]["hooks"]

    assert [hook["entry"].split()[:2] for hook in hooks] == [[".venv/bin/ruff", "format"], [".venv/bin/ruff", "check"]]
