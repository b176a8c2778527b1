"""Entries of the sheet that says what a service keeps of those who talk, and who else gets their words."""

from typing import Literal

from msgspec import Struct


class Storage(Struct, frozen=True, omit_defaults=True):
    """Something that outlasts the request it came with."""

    what: str
    where: Literal["memory", "disk", "log", "server"]
    words: bool
    """True where words that were said, or their sound, are stored."""
    setting: str
    """Variable that decides whether this is stored."""
    days: float | None = None
    megabytes: int | None = None
    address: str | None = None
    """Folder or server; shown to callers with a key alone."""


class Transfer(Struct, frozen=True, omit_defaults=True):
    """Something that leaves this service for another one."""

    what: Literal["words", "sound", "notices"]
    to: str
    """Name of the engine or row that sends."""
    setting: str
    """Variable that decides whether this is sent."""
    address: str | None = None
    """Address of the server; shown to callers with a key alone."""


def sends_to(engine: object) -> str | None:
    """Return the server that an engine sends what it is asked; None: nothing leaves this machine's own programs."""
    address: str | None = getattr(engine, "sends_to", None)
    return address
