"""A chain made from settings: a seat for each engine that is named; engines that are not stay unimported."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Protocol

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from chassis.settings import SettingError, Settings


class Upstreams(Protocol):
    """Rows of settings that name upstreams, as far as the chain needs to know them."""

    @property
    def providers(self) -> Iterable[str]:
        """Names that are known without a setting."""

    def exists(self, name: str) -> bool:
        """Return whether `name` is known, or described by settings."""


def from_settings(settings: Settings, engines: Mapping[str, str], rows: str, upstreams: Upstreams) -> Chain[Any]:
    """Make the chain that `settings.engines` names.

    Args:
        engines: Place of each engine: `"espeak"` → `"tts.engines.espeak:Espeak"`.
        rows: Place of the engine that serves every other name: an upstream described by settings.
        upstreams: Names that `rows` can serve.

    Raises:
        SettingError: A name is neither an engine's nor an upstream's, or there is none.
    """
    variable = f"{settings.prefix}ENGINES"
    known = ", ".join(sorted({*engines, *upstreams.providers}))
    if not settings.engines:
        raise SettingError(f"{variable} is empty. There are: {known}.")
    for name in settings.engines:
        if name not in engines and not upstreams.exists(name):
            raise SettingError(f"{variable}: no engine {name!r}. There are: {known}; or set its BASE_URL.")
    return Chain(
        seats(settings.engines, engines, rows),
        first_byte_seconds=settings.first_byte_seconds,
        last_engine_seconds=settings.last_engine_seconds,
        hedge_seconds=settings.hedge_seconds,
        admission=Admission(settings.max_concurrent, settings.max_queued, settings.first_byte_seconds / 2),
    )


def seats(names: Sequence[str], engines: Mapping[str, str], rows: str) -> list[Seat[Any]]:
    """Return a seat for each name, in that order; nothing is loaded yet."""
    return [Seat(name, partial(_load, engines.get(name, rows), name)) for name in names]


def _load(place: str, name: str, report: Report) -> Any:
    module, _, kind = place.partition(":")
    return getattr(import_module(module), kind).load(name, report)
