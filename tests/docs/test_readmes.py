"""The READMEs say what `make up` says, and the same in both languages."""

import re
from importlib import import_module

import pytest
from deploy import settings_pages
from deploy.installation import ROOT
from deploy.ready import folotoy

READMES = ["README.md", "README.zh-CN.md"]
BASE, KEY = "http://192.168.1.20:8080/v1", "YOUR-KEY"


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)


@pytest.mark.parametrize("readme", READMES)
def test_the_lines_for_folotoy_server_are_those_that_make_up_prints(readme: str) -> None:
    [example] = blocks(readme, "yaml")
    lines = dict(line.split(": ", 1) for line in example.splitlines())

    assert folotoy(BASE, KEY).items() <= lines.items()


@pytest.mark.parametrize("readme", READMES)
def test_a_make_target_that_a_readme_names_exists(readme: str) -> None:
    targets = set(re.findall(r"^([a-z%-][a-z0-9% -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", (ROOT / readme).read_text(), re.MULTILINE))

    assert named - {name for target in targets for name in target.split()} == set()


@pytest.mark.parametrize("folder", [".", "services/stt"])
def test_both_readmes_have_the_same_sections_and_tables(folder: str) -> None:
    english, chinese = ((ROOT / folder / readme).read_text() for readme in READMES)

    for mark in ("## ", "| ", "- ", "```"):
        assert [line[: len(mark)] for line in english.splitlines() if line.startswith(mark)] == [
            line[: len(mark)] for line in chinese.splitlines() if line.startswith(mark)
        ]


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("service", ["stt", "llm", "tts"])
def test_an_engine_that_a_readme_names_exists(readme: str, service: str) -> None:
    [row] = re.findall(rf"^\| \[{service}\]\(.*$", (ROOT / readme).read_text(), re.MULTILINE)
    known = {*import_module(f"{service}.engines").ENGINES, *settings_pages.providers(service)}

    assert (named := set(re.findall(r"`([\w-]+)`", row)))
    assert named - known == set()
