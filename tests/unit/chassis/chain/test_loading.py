from typing import Self

import pytest

from chassis.chain.loading import load
from chassis.chain.seat import Report
from chassis.settings import SettingError

TABLE = {"one": "unit.chassis.chain.test_loading:One", "missing": "no.such.module:Engine"}


class One:
    first_byte_seconds = 0.1

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        report("almost there", 0.9)
        return cls(name)

    async def aclose(self) -> None:
        pass


async def test_engines_are_loaded_by_name_in_order_and_only_then_imported() -> None:
    seats = load(("one", "missing"), TABLE)

    await seats[0].keep_loading()

    assert [seat.name for seat in seats] == ["one", "missing"]
    assert seats[0].engine is not None
    assert seats[0].engine.name == "one"
    assert seats[1].state.state == "loading"


async def test_a_name_not_in_the_table_is_a_row_where_there_are_rows() -> None:
    (seat,) = load(("moonshot",), {}, rows="unit.chassis.chain.test_loading:One")

    await seat.keep_loading()

    assert seat.engine is not None
    assert seat.engine.name == "moonshot"


@pytest.mark.parametrize("names", [(), ("two",)])
def test_an_unknown_name_or_none_is_refused_with_those_there_are(names: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match="missing, one"):
        load(names, TABLE)
