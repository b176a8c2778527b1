"""A chain made from settings: a seat for each engine that is named; engines that are not stay unimported."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, Protocol

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from chassis.misspelt import Misspelt, as_sentence
from chassis.settings import ServiceSettings, SettingError

OURS = frozenset({"openai-whisper", "openai", "openai-tts"})
"""FoloToy's names for servers of OpenAI's API: in a block that was moved here, that is Talkbox itself."""

log = logging.getLogger("talkbox.chain")


class Upstreams(Protocol):
    """Rows of settings that name upstreams, as far as the chain needs to know them."""

    @property
    def providers(self) -> Iterable[str]:
        """Names that are known without a setting."""

    def exists(self, name: str) -> bool:
        """Return whether `name` is known, or described by settings."""

    def misspelt(self, name: str) -> Iterable[Misspelt]:
        """Return variables that are set for `name` and that nobody reads."""

    def prefix(self, name: str) -> str:
        """Return the start of the variables that describe `name`: `my-vllm` → `LLM_MY_VLLM_`."""


def from_settings(settings: ServiceSettings, engines: Mapping[str, str], rows: str, upstreams: Upstreams) -> Chain[Any]:
    """Make the chain that `settings.engines` names.

    A name is understood however it is spelled: `Moonshot`, `one-api`. One that nobody knows is a seat that
    stays unavailable and says why; the others serve without it.

    Args:
        engines: Place of each engine: `"espeak"` → `"tts.engines.espeak:Espeak"`.
        rows: Place of the engine that serves every other name: an upstream described by settings.
        upstreams: Names that `rows` can serve.

    Raises:
        SettingError: There is no name, or none that is an engine's or an upstream's.
    """
    variable, known = f"{settings.prefix}ENGINES", sorted({*engines, *upstreams.providers})
    if not settings.engines:
        raise SettingError(f"{variable} is empty. There are: {', '.join(known)}.")
    names = _named(settings, engines, upstreams)
    unknown = {
        name: f"{variable}: no engine {name!r}.{_nearest(name, known)} There are: {', '.join(known)}; "
        f"or set {upstreams.prefix(name)}BASE_URL."
        for name in names
        if name not in engines and not upstreams.exists(name)
    }
    for name in names:
        for found in () if name in engines else upstreams.misspelt(name):
            log.warning("%s", as_sentence(found))
    if len(unknown) == len(names):
        raise SettingError(next(iter(unknown.values())))
    return Chain(
        [
            Seat(name, partial(_refuse, unknown[name])) if name in unknown else seat
            for name, seat in zip(names, seats(names, engines, rows), strict=True)
        ],
        first_byte_seconds=settings.first_byte_seconds,
        last_engine_seconds=settings.last_engine_seconds,
        hedge_seconds=settings.hedge_seconds,
        admission=Admission(settings.max_concurrent, settings.max_queued, settings.first_byte_seconds / 2),
    )


def _named(settings: ServiceSettings, engines: Mapping[str, str], upstreams: Upstreams) -> tuple[str, ...]:
    """Return the engines of the chain, each once; the one that FoloToy's `…_TYPE` names comes first if it is new."""
    names = tuple(dict.fromkeys(_spelled(name, engines, upstreams) for name in settings.engines))
    first = _spelled(settings.type, engines, upstreams)
    if not settings.type or settings.type in OURS or first in (*names, *_doubles(first, names, engines)):
        return names
    return (first, *names)


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the question whether a name that is known was meant; empty where none is alike."""
    return "".join(f" Did you mean {each!r}?" for each in get_close_matches(name.lower(), known, n=1, cutoff=0.7))


def _doubles(name: str, names: Iterable[str], engines: Mapping[str, str]) -> list[str]:
    """Return `name` if one of `names` is another name of the same engine."""
    return [name] if name in engines and engines[name] in {engines.get(each) for each in names} else []


def seats(names: Sequence[str], engines: Mapping[str, str], rows: str) -> list[Seat[Any]]:
    """Return a seat for each name, in that order; nothing is loaded yet."""
    return [Seat(name, partial(_load, engines.get(name, rows), name)) for name in names]


def _spelled(name: str, engines: Iterable[str], upstreams: Upstreams) -> str:
    """Return the engine that `name` means, whatever its capitals, dashes and underscores; an upstream in small letters,
    so that its variables are as they were spelled."""
    engine = {_plain(each): each for each in engines}.get(_plain(name))
    upstream = name.lower() if _plain(name) in map(_plain, upstreams.providers) else name
    return engine or upstream


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()) or name


def _refuse(message: str, report: Report) -> NoReturn:
    raise SettingError(message)


def _load(place: str, name: str, report: Report) -> Any:
    module, _, kind = place.partition(":")
    return getattr(import_module(module), kind).load(name, report)
