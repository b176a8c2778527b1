"""Variables of an upstream under names that nobody reads, and the names that were meant."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

_MEANT = {
    "API_KEY": "KEY APIKEY API_KEYS APIKEYS KEYS TOKEN API_TOKEN ACCESS_TOKEN ACCESS_KEY SECRET SECRET_KEY AUTH_KEY",
    "BASE_URL": "URL BASEURL API_BASE APIBASE API_URL BASE API_BASE_URL API_HOST ENDPOINT API_ENDPOINT HOST SERVER",
    "MODEL": "MODEL_NAME MODEL_ID MODELNAME",
}
_RIGHT = {wrong: right for right, names in _MEANT.items() for wrong in names.split()}
_ALIKE = 0.8
"""Least likeness of a name to the one that is meant, as `difflib` counts it."""


class Misspelt(NamedTuple):
    """A variable that is set and not read, and the one that seems to be meant."""

    variable: str
    meant: str


def as_sentence(found: Misspelt) -> str:
    """Return the sentence that an operator reads."""
    return f"{found.variable} is set, and nothing reads it: it is called {found.meant}."


def misspelt(
    environ: Mapping[str, str], read: Mapping[str, Iterable[str]], known: Iterable[str] = ()
) -> Iterator[Misspelt]:
    """Yield each variable that is set and not read, and the one that seems to be meant.

    Args:
        read: The ends of names that are read, by their start: `{"LLM_DEEPSEEK_": ("API_KEY", "MODEL")}`.
        known: Other variables that are read.
    """
    whole = {f"{start}{end}": start for start, ends in read.items() for end in ends} | dict.fromkeys(known, "")
    for name in sorted(name for name, value in environ.items() if value.strip()):
        upper = re.sub(r"\W", "_", name).upper()
        bare = upper.removesuffix("_FILE")
        if name.removesuffix("_FILE") in whole:
            continue
        if bare in whole:
            yield Misspelt(name, upper)
            continue
        for start in sorted(read, key=len, reverse=True):
            if bare.startswith(start) and (right := _meant(bare.removeprefix(start), [*read[start]])):
                yield Misspelt(name, f"{start}{right}")
                break


def _meant(end: str, ends: list[str]) -> str | None:
    named = _RIGHT.get(end)
    if named in ends:
        return named
    return next(iter(get_close_matches(end, ends, n=1, cutoff=_ALIKE)), None)
