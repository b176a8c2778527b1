"""The engines named in a chain; the others stay unimported."""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from chassis.chain.seat import Report, Seat
from chassis.settings import SettingError


def load(names: Sequence[str], table: Mapping[str, str], rows: str | None = None) -> list[Seat[Any]]:
    """A seat for each name, in that order.

    Args:
        names: E.g. `("edge", "espeak")`.
        table: Where each engine lives: `"espeak"` → `"tts.engines.espeak:Espeak"`.
        rows: The class of every name not in the table: an upstream that is a row of settings.

    Raises:
        SettingError: An engine of that name does not exist, or none was named.
    """
    if not names:
        raise SettingError(f"No engine named. There are: {', '.join(sorted(table))}.")
    seats = []
    for name in names:
        place = table.get(name, rows)
        if place is None:
            raise SettingError(f"No engine {name!r}. There are: {', '.join(sorted(table))}.")
        seats.append(Seat(name, partial(_load, place, name)))
    return seats


def _load(place: str, name: str, report: Report) -> Any:
    module, _, kind = place.partition(":")
    return getattr(import_module(module), kind).load(name, report)
