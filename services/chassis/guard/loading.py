"""The guard that the environment asks for; nothing else of this room is imported while it is off."""

from typing import TYPE_CHECKING

from chassis.guard.options import GuardOptions
from chassis.settings import read

if TYPE_CHECKING:
    from chassis.guard.guard import Guard


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
