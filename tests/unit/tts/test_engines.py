from importlib import import_module
from pathlib import Path

import pytest

import tts.engines
from tts.engines import ENGINES, ROWS, Engine


@pytest.mark.parametrize("place", [*ENGINES.values(), ROWS])
def test_every_engine_in_the_table_is_one(place: str) -> None:
    module, _, kind = place.partition(":")
    engine = getattr(import_module(module), kind)

    assert Engine in engine.__mro__
    assert not engine.__abstractmethods__
    assert 0 < engine.first_byte_seconds < 4
    assert not hasattr(engine, "speeds") or engine.speeds[0] <= 1 <= engine.speeds[1]
    assert engine.lengths.first <= engine.lengths.most


def test_every_file_has_its_line_in_the_table() -> None:
    files = {path.stem for path in Path(*tts.engines.__path__).glob("*.py")} - {"__init__"}

    assert files == {place.partition(":")[0].rpartition(".")[2] for place in (*ENGINES.values(), ROWS)}
