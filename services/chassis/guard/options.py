"""Settings of the guard."""

from pathlib import Path
from typing import Literal

from chassis.settings import Options

HEADER = "x-talkbox-guard"
"""Header of an answer in which something did not pass: the kind of risk."""


class GuardOptions(Options, frozen=True, kw_only=True):
    """The guard: each clause that a child says, or would hear, is judged before it goes on, in every service."""

    guard: Literal["off", "kids", "shadow"] = "off"
    """`kids`: what does not pass is replaced by a kind sentence; `shadow`: it is judged, counted and told in a header,
    but passes."""
    guard_profile: str = "6-8"
    """Profile of each key: `3-5`, `6-8`, `9-12`, `teen`, the path of a file like these, or `off`. A key's name gives it
    a profile of its own: `6-8, kitchen: 3-5, parents: off`."""
    guard_lists: Path | None = None
    """Folder with lists of your own (`*.toml`), read beside those in `services/chassis/guard/lists`."""
