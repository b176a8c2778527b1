"""Define the result of one check of `make doctor`. Plain Python without dependencies, and of any version from 3.9
on."""

from __future__ import annotations

from typing import NamedTuple

from deploy.phrases import finding_sentences


class Diagnosis(NamedTuple):
    """The result of one check: what was looked at, and the remedy where something is wrong."""

    good: bool | None
    """True: fine; False: to be mended; None: only worth knowing."""
    what: str
    remedy: str = ""
    lesser: bool = False
    """True where it works, but a child hears less than this installation is meant to give."""


def finding(good: bool | None, code: str, /, *, lesser: bool = False, **values: object) -> Diagnosis:
    """Return the diagnosis that `phrases.json` has the sentences of; what is fine needs no remedy."""
    what, remedy = finding_sentences(code, **values)
    return Diagnosis(good, what, "" if good else remedy, lesser)
