"""The trace of the request that is being served (W3C Trace Context), and the time that each stage of it took."""

import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from time import monotonic

_TRACEPARENT, _TRACESTATE = "traceparent", "tracestate"
_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SAMPLED = "01"
_MOST_STATE = 512


class Span:
    """A part of the work for one request. Its attributes are names, addresses and figures, never what was said.

    Args:
        name: An engine's, or the method of a call.
        parent_id: Span that this is a part of.
        is_engine: An engine was asked; else a server was called.
    """

    __slots__ = ("attributes", "began", "ended", "error", "is_engine", "name", "parent_id", "span_id")

    def __init__(self, name: str, parent_id: str, *, is_engine: bool) -> None:
        self.name, self.parent_id, self.is_engine = name, parent_id, is_engine
        self.span_id = os.urandom(8).hex()
        self.attributes: dict[str, str | int | float | bool] = {}
        self.began = monotonic()
        self.ended: float | None = None
        """None: it ends with the request, as the answer of an engine that has begun."""
        self.error = ""
        """A word for the kind of failure; empty where there was none."""


class Trace:
    """One request's place in a trace: taken from its `traceparent`, or begun here.

    Args:
        headers: The request's headers, with names in small letters.
        request_id: Becomes the trace's id where none came and it can be one, so that logs and traces have one name.
    """

    __slots__ = ("flags", "parent_id", "span_id", "spans", "stages", "state", "trace_id")

    def __init__(self, headers: Sequence[tuple[bytes, bytes]], request_id: str) -> None:
        self.stages: dict[str, float] = {}
        """Seconds by the name of the stage, in the order in which they began."""
        self.spans: list[Span] | None = None
        """Parts of the work, in the order in which they began; None where nobody exports them."""
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
        return self.parent_of(self.span_id)

    def parent_of(self, span_id: str) -> str:
        """Return the `traceparent` of whoever is asked for a part of this request."""
        return f"00-{self.trace_id}-{span_id}-{self.flags}"

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
enter, leave, current = _current.set, _current.reset, _current.get
within: ContextVar[Span | None] = ContextVar("span", default=None)
"""The innermost span whose work is being done."""


def passed_on() -> dict[str, str]:
    """Return the headers that carry the trace to whoever is asked for this request; none outside a request."""
    trace = _current.get()
    if trace is None:
        return {}
    span = within.get()
    headers = {_TRACEPARENT: trace.parent if span is None else trace.parent_of(span.span_id)}
    if trace.state:
        headers[_TRACESTATE] = trace.state
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
