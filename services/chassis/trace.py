"""The trace of the request that is being served (W3C Trace Context), and the time that each stage of it took."""

import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from time import monotonic

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SAMPLED = "01"
_MOST_STATE = 512


class Trace:
    """One request's place in a trace: taken from its `traceparent`, or begun here.

    Args:
        headers: The request's headers, with names in small letters.
        request_id: Becomes the trace's id where none came and it can be one, so that logs and traces have one name.
    """

    __slots__ = ("flags", "parent_id", "span_id", "stages", "state", "trace_id")

    def __init__(self, headers: Sequence[tuple[bytes, bytes]], request_id: str) -> None:
        self.stages: dict[str, float] = {}
        """Seconds by the name of the stage, in the order in which they began."""
        self.span_id, self.parent_id, self.state, self.flags = os.urandom(8).hex(), "", "", _SAMPLED
        if not self._taken(headers):
            self.trace_id = request_id if _TRACE_ID.fullmatch(request_id) else os.urandom(16).hex()

    def _taken(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        parents = [value for name, value in headers if name == b"traceparent"]
        if len(parents) != 1 or (match := _PARENT.fullmatch(parents[0])) is None:
            return False
        version, trace_id, parent_id, flags, rest = match.groups()
        if version == b"00" and rest:
            return False
        self.trace_id, self.parent_id, self.flags = trace_id.decode(), parent_id.decode(), flags.decode()
        state = b",".join(value for name, value in headers if name == b"tracestate").decode("latin-1")
        self.state = state if len(state) <= _MOST_STATE and state.isascii() and state.isprintable() else ""
        return True

    @property
    def parent(self) -> str:
        """The `traceparent` of whoever is asked for this request."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    def add(self, stage: str, seconds: float) -> None:
        """Note time that a stage took, beside what it took before."""
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds

    def own_seconds(self, total: float) -> float:
        """Return the part of `total` that was neither the caller's upload, nor a queue, nor an engine."""
        seconds = self.stages.get
        return max(0.0, total - seconds("upload", 0.0) - seconds("queue", 0.0) - seconds("engine", 0.0))

    def server_timing(self, total: float) -> str:
        """Return the value of the header `Server-Timing`, durations in milliseconds; the trace's name is in it too."""
        parts = [f"{name};dur={seconds * 1000:.1f}" for name, seconds in self.stages.items()]
        return ", ".join([*parts, f"total;dur={total * 1000:.1f}", f'traceparent;desc="{self.parent}"'])


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)
enter, leave = _current.set, _current.reset


def passed_on() -> dict[str, str]:
    """Return the headers that carry the trace to whoever is asked for this request; none outside a request."""
    trace = _current.get()
    if trace is None:
        return {}
    headers = {TRACEPARENT: trace.parent}
    if trace.state:
        headers[TRACESTATE] = trace.state
    return headers


def note(stage: str, seconds: float) -> None:
    """Note time that a stage of the current request took."""
    trace = _current.get()
    if trace is not None:
        trace.add(stage, seconds)


class stage:
    """Context manager that notes the time of its block as a stage of the current request, however it ends."""

    __slots__ = ("_began", "_name")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._began = monotonic()

    def __exit__(self, *raised: object) -> None:
        note(self._name, monotonic() - self._began)
