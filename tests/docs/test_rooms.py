"""The rooms of the services lie as ARCHITECTURE.md shows them, and imports only go down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from deploy.installation import ROOT

SERVICES = ROOT / "services"
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
HOUSES = ("chassis", "stt", "llm", "tts")


def floors(house: str) -> dict[str, int]:
    """The floor of each room, by its name in the house's table; the lowest row is floor 0."""
    table = re.search(rf"### {house}\n\n(.*?)\n\n", TEXT, re.DOTALL)
    assert table is not None
    rows = [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in table[1].splitlines()[2:]]
    return {room.removesuffix("/"): floor for floor, row in enumerate(reversed(rows)) for room in row}


FLOORS = {house: floors(house) for house in HOUSES}


class Import(NamedTuple):
    """One module that imports another; `chassis.errors` and the like."""

    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.importer} -> {self.imported}"


def module(path: Path) -> str:
    return ".".join(path.relative_to(SERVICES).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in SERVICES.rglob("*.py")}


def imports() -> Iterator[Import]:
    for importer, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.ImportFrom(module=str(package), names=names, level=0):
                    found = {
                        f"{package}.{each.name}" if f"{package}.{each.name}" in MODULES else package for each in names
                    }
                case ast.Import(names=names):
                    found = {each.name for each in names}
                case _:
                    continue
            yield from (Import(importer, name) for name in found if name in MODULES and name != importer)


IMPORTS = sorted(set(imports()))


def house(module: str) -> str:
    return module.partition(".")[0]


def room(module: str) -> str:
    """The room of a module, as the tables name it: the longest name that is its path, or the beginning of it."""
    path = str(MODULES[module].relative_to(SERVICES / house(module)))
    names = [name for name in FLOORS[house(module)] if path == name or path.startswith(f"{name}/")]
    return max(names, key=len, default="")


@pytest.mark.parametrize(
    "name", sorted(name for name, path in MODULES.items() if path.parent.parent != SERVICES or path.stem != "__init__")
)
def test_a_module_is_in_a_room_of_the_table(name: str) -> None:
    assert room(name), f"add a row for it to the table of {house(name)} in ARCHITECTURE.md"


@pytest.mark.parametrize("name", HOUSES)
def test_every_room_of_the_table_exists(name: str) -> None:
    assert [room for room in FLOORS[name] if not (SERVICES / name / room).exists()] == []


def test_a_room_imports_only_rooms_below_it() -> None:
    inside = [each for each in IMPORTS if house(each.importer) == house(each.imported)]
    known = [each for each in inside if room(each.importer) != room(each.imported) and room(each.imported)]
    level = {name: FLOORS[house(name)][room(name)] for name in MODULES if room(name)}

    assert len(known) > 100
    assert [str(each) for each in known if level[each.importer] <= level[each.imported]] == []


def test_no_service_imports_another_and_the_chassis_imports_none() -> None:
    across = [each for each in IMPORTS if house(each.importer) != house(each.imported)]

    assert len(across) > 100
    assert [str(each) for each in across if house(each.imported) != "chassis"] == []


BORROWED = {
    "llm.engines.gguf.engine -> llm.engines.openai.engine",  # its model is asked as any upstream is
    "tts.engines.sherpa.engine -> tts.engines.espeak",  # Piper's models want eSpeak's phonemes
}


def test_an_engine_is_imported_by_itself_and_the_service_s_page_alone() -> None:
    engines = [each for each in IMPORTS if ".engines." in each.imported]
    others = [each for each in engines if room(each.importer) != room(each.imported)]

    assert engines
    assert {str(each) for each in others if each.importer != f"{house(each.imported)}.app"} <= BORROWED


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    ahead = {name: {each.imported for each in IMPORTS if each.importer == name} for name in MODULES}
    while free := {name for name, waits in ahead.items() if not waits & ahead.keys()}:
        for name in free:
            del ahead[name]

    assert ahead == {}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+\w+\.py)`", TEXT))))
def test_a_file_that_the_architecture_names_exists(path: str) -> None:
    places = [SERVICES / path, ROOT / path, *(SERVICES / each / path for each in HOUSES)]

    assert any(place.exists() for place in places)


@pytest.mark.parametrize("name", sorted(name for name, path in MODULES.items() if path.stem == "__init__"))
def test_a_room_says_in_one_sentence_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[name].read_text()))


def test_unit_tests_lie_as_what_they_test() -> None:
    unit = ROOT / "tests" / "unit"
    folders = [path.relative_to(unit) for path in unit.rglob("*") if path.is_dir() and path.name != "__pycache__"]

    assert len(folders) > 20
    assert [str(path) for path in folders if not (SERVICES / path).is_dir() and not (ROOT / path).is_dir()] == []
