"""Every engine in the tables of the three services keeps its service's Protocol, and every engine's file has a line."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

SERVICES = ("stt", "llm", "tts")
TABLES = {service: import_module(f"{service}.engines") for service in SERVICES}


def places(table: ModuleType) -> set[str]:
    return {*table.ENGINES.values(), table.ROWS}


@pytest.mark.parametrize(("service", "place"), [(name, place) for name in SERVICES for place in places(TABLES[name])])
def test_every_engine_in_the_tables_keeps_its_protocol(service: str, place: str) -> None:
    module, _, kind = place.partition(":")
    engine = getattr(import_module(module), kind)

    assert TABLES[service].Engine in engine.__mro__
    assert not engine.__abstractmethods__
    assert 0 < engine.first_byte_seconds < 4
    if service == "tts":
        assert not hasattr(engine, "speeds") or engine.speeds[0] <= 1 <= engine.speeds[1]
        assert engine.lengths.first <= engine.lengths.most


@pytest.mark.parametrize("service", SERVICES)
def test_every_file_or_folder_in_engines_has_its_line_in_the_table(service: str) -> None:
    (root,) = map(Path, TABLES[service].__path__)
    entries = {path.stem for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    named = {
        place.partition(":")[0].removeprefix(f"{service}.engines.").partition(".")[0]
        for place in places(TABLES[service])
    }

    assert entries - {"__init__"} == named
