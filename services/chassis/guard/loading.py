"""The guard that the environment asks for; nothing else of this room is imported while it is off."""

import logging
from typing import TYPE_CHECKING

from chassis.guard.options import GuardOptions, LimitsOptions
from chassis.guard.zone import check_zone
from chassis.settings import read, value_of

if TYPE_CHECKING:
    from chassis.guard.guard import Guard


log = logging.getLogger("talkbox.guard")


def guard_of_environment() -> "Guard | None":
    """Return the guard that the environment asks for; None while it is off.

    Raises:
        SettingError: A profile or a list cannot be used; or limits have a time zone that there is not.
    """
    options, limits = read(GuardOptions), read(LimitsOptions)
    if options.guard == "off":
        if limits != LimitsOptions():
            log.warning("LIMITS_… do nothing while GUARD=off: set GUARD=kids")
        return None
    if limits != LimitsOptions():
        check_zone(value_of("TZ"))
    from chassis.guard.guard import Guard  # its lists and its libraries are for those who want it

    return Guard(options, limits)
