"""Settings of the guard. Nothing else of this room is imported while it is off."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from chassis.settings import Options, read

if TYPE_CHECKING:
    from chassis.guard.guard import Guard


class GuardOptions(Options, frozen=True, kw_only=True):
    """The guard: every clause that a child says, or would hear, is judged before it goes on. The same in all services."""

    guard: Literal["off", "kids", "shadow"] = "off"
    """`kids`: what does not pass is replaced by a kind sentence; `shadow`: it is judged, counted and told in a header,
    but passes."""
    guard_profile: str = "6-8"
    """Profile of each key: `3-5`, `6-8`, `9-12`, `teen`, the path of a file like these, or `off`. A key's name gives it
    a profile of its own: `6-8, kitchen: 3-5, parents: off`."""
    guard_lists: Path | None = None
    """Folder with lists of your own (`*.toml`), read beside those in `services/chassis/guard/lists`."""


def guard_of_environment() -> "Guard | None":
    """Return the guard that the environment asks for; None while it is off.

    Raises:
        SettingError: A profile or a list cannot be used.
    """
    options = read(GuardOptions)
    if options.guard == "off":
        return None
    from chassis.guard.guard import Guard  # its lists and its libraries are for those who want it

    return Guard(options)
