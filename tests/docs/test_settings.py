"""The settings pages hold every setting, in both languages, as the code has it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from deploy import settings_pages
from deploy.settings_pages import CHINESE, ENGLISH, ROOT

from chassis.settings import Options, ServiceSettings

PAGES = [ENGLISH, CHINESE]
SECTIONS = settings_pages.sections()
SETTINGS = [
    *settings_pages.other_settings(),
    *(setting for section in SECTIONS for setting in section.settings),
]
SHELL = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")
PORTS = re.compile(r"TALKBOX_PORT_(STT|LLM|TTS)")
"""Compose's own variables, which `make up` computes from TALKBOX_PORT."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_make_docs_would_write(page: Any) -> None:
    fresh = settings_pages.page(chinese=page == CHINESE)

    assert page.read_text() == fresh, f"{page.name} is stale: run `make docs` and commit what it writes"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variables[0])
def test_a_setting_has_a_sentence(setting: settings_pages.Setting) -> None:
    assert re.fullmatch(r"[A-Z`].*\.\)?", setting.sentence), f"give the field of {setting.variables[0]} a docstring"


def test_every_setting_has_a_chinese_sentence_and_no_other_variable_has_one() -> None:
    assert set(settings_pages.translations()["variables"]) == {setting.variables[0] for setting in SETTINGS}


def test_every_options_class_has_a_sentence_in_both_languages() -> None:
    assert [section.key for section in SECTIONS if not section.sentence] == []
    assert set(settings_pages.translations()["sections"]) == {section.key for section in SECTIONS}


def kinds() -> Iterator[type[Options]]:
    """Every class of the services that reads settings."""
    settings_pages.modules()
    waiting: list[type[Options]] = [Options]
    while waiting:
        found = waiting.pop().__subclasses__()
        waiting += found
        yield from (kind for kind in found if kind.__module__.partition(".")[0] in settings_pages.ROOMS)


def variables(kind: type[Options]) -> Iterator[tuple[str, Any]]:
    """The variables of one class with their fields."""
    for field in msgspec.structs.fields(kind):
        name = kind.prefix + field.name.upper()
        for service in ("STT", "LLM", "TTS") if "<SERVICE>" in name else ("",):
            yield name.replace("<SERVICE>", service), field


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_every_variable_that_a_service_reads(page: Any) -> None:
    text = page.read_text()
    read = {variable for kind in kinds() if kind is not ServiceSettings for variable, _ in variables(kind)}

    assert len(read) > 100
    assert {variable for variable in read if f"`{variable}`" not in text} == set()


def test_two_classes_that_read_one_variable_agree_on_its_default() -> None:
    defaults = defaultdict(set)
    for kind in kinds():
        if kind is not ServiceSettings:
            for variable, field in variables(kind):
                defaults[variable].add(str(field.default))

    assert {variable: found for variable, found in defaults.items() if len(found) > 1} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_every_variable_of_the_compose_files(page: Any) -> None:
    text = page.read_text()
    files = [ROOT / "compose.yaml", *(ROOT / "deploy").glob("*/compose.yaml")]
    read = {name for file in files for name in SHELL.findall(file.read_text()) if not PORTS.fullmatch(name)}

    assert {name for name in read if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_every_variable_of_the_example(page: Any) -> None:
    text = page.read_text()
    example = re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert [name for name in example if f"`{name}`" not in text and not _of_a_row(name)] == []


def _of_a_row(name: str) -> bool:
    """`LLM_OPENAI_MODEL` is `LLM_<NAME>_MODEL`, `OPENAI_BASE_URL` is `<NAME>_BASE_URL`."""
    return re.sub(r"OPENAI", "<NAME>", name) in {variable for setting in SETTINGS for variable in setting.variables}
