"""Subjects of refusals."""

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """Subjects of refusals, in the order in which sayings are tried."""

    BLOCKED = "moderation"
    TOO_LONG = "conversation too long"
    UNPAID = "account empty"
    UNKNOWN_MODEL = "model unknown or retired"
    REFUSED = "key refused"
    BUSY = "rate or concurrency"


class Saying(NamedTuple):
    """One vendor's way to say one thing."""

    kind: Kind
    source: str
    codes: str = ""
    """Codes of the vendor's, separated by blanks."""
    words: str = ""
    """A regular expression for messages, whatever their case."""
