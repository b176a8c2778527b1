"""A request that is over, for whoever exports its trace."""

from typing import NamedTuple

from chassis.trace import Trace


class Served(NamedTuple):
    """A request that is over."""

    trace: Trace
    method: str
    path: str
    """Path of its route, or `other`: what callers write may be anything."""
    status: int
    seconds: float
    """Time from its arrival to the end of its answer."""
    engine: str
    key: str
    """Name of the caller's key."""
    error: str
    """A word for what went wrong; empty where nothing did."""
