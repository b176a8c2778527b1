"""One thing that `make doctor` found. Plain Python without dependencies, and of any version from 3.9 on."""

from __future__ import annotations

from typing import NamedTuple


class Diagnosis(NamedTuple):
    """What was looked at, and what to do about it."""

    good: bool | None
    """True: fine; False: to be mended; None: only worth knowing."""
    what: str
    remedy: str = ""
    lesser: bool = False
    """It works, but a child hears less than this installation is meant to give."""
