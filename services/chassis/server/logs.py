"""Log and count every request: an id, a line, a few numbers."""

import logging
import os
import re
from collections.abc import Awaitable
from time import monotonic
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import metrics, trace
from chassis.chain.chain import ENGINE_HEADER
from chassis.errors import ApiError
from chassis.otlp.served import Served
from chassis.request_id import REQUEST_ID, request_id
from chassis.server.headers import header

if TYPE_CHECKING:
    from chassis.otlp.exporter import Exporter

_ACCEPTABLE_ID = re.compile(r"[\w.:+/=-]{1,128}", re.ASCII)
_PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/authorized", "/usage"})

_ID_HEADER, _ENGINE_HEADER = REQUEST_ID.encode(), ENGINE_HEADER.encode()

log = logging.getLogger("talkbox")


class RequestLog:
    """The outermost frame: an id, a log line and a count for each request.

    A handler that learns its engine only after the headers left notes it as `scope["state"]["engine"]`.

    Args:
        paths: Paths of the service's routes.
        exporter: Who sends what was done to a collector; None: nobody.
    """

    def __init__(self, app: ASGIApp, paths: frozenset[str], exporter: "Exporter | None" = None) -> None:
        self.app, self.paths, self.exporter = app, paths, exporter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        asked = header(scope, _ID_HEADER)
        name = asked if _ACCEPTABLE_ID.fullmatch(asked) else os.urandom(16).hex()
        scope["state"] = {**scope.get("state", {}), "id": name}
        token, taken = request_id.set(name), trace.Trace(scope["headers"], name)
        if self.exporter is not None and scope["path"] not in _PROBES:
            self.exporter.begin(taken)
        trace_token = trace.enter(taken)
        passing = _Passing(taken, name, receive, send)
        metrics.in_flight.inc()
        try:
            await self.app(scope, passing.receive, passing.send)
        finally:
            metrics.in_flight.dec()
            passing.engine = scope["state"].get("engine", passing.engine)
            self._line(scope, passing)
            if self.exporter is not None and taken.spans is not None:
                self.exporter.end(self._served(scope, passing))
            trace.leave(trace_token)
            request_id.reset(token)

    def _line(self, scope: Scope, passing: "_Passing") -> None:
        path, state, status, engine = scope["path"], scope["state"], passing.status, passing.engine
        error, seconds, first = state.get("error"), passing.watch.seconds(), passing.watch.first
        counted = path if path in self.paths else "other"
        metrics.of(metrics.requests, counted, status, engine).inc()
        metrics.of(metrics.seconds, counted, engine).observe(seconds)
        if path in self.paths and path not in _PROBES:
            metrics.of(metrics.key_answers, state.get("key", ""), path, status).inc()
        if first is not None:
            metrics.of(metrics.first_byte, counted, engine).observe(first)
        event = {"method": scope["method"], "path": path, "status": status, "seconds": _shown(seconds)}
        if first is not None:
            event["first_byte_seconds"] = _shown(first)
        if engine:
            event["engine"] = engine
        if "key" in state:
            event["key"] = state["key"]
        if not passing.complete:
            event["complete"] = False
        if isinstance(error, ApiError):
            metrics.of(metrics.refusals, error.counted_as).inc()
            event["error"] = str(error)
        unknown = None if isinstance(error, ApiError) else error
        level = logging.ERROR if unknown else logging.DEBUG if path in _PROBES else logging.INFO
        log.log(level, "request", extra={"event": event}, exc_info=unknown)

    def _served(self, scope: Scope, passing: "_Passing") -> Served:
        path, key, error = scope["path"], scope["state"].get("key") or "", scope["state"].get("error")
        word = "" if passing.complete else "incomplete"
        if error is not None:
            word = error.counted_as if isinstance(error, ApiError) else type(error).__name__
        path = path if path in self.paths else "other"
        seconds = passing.watch.seconds()
        return Served(passing.trace, scope["method"], path, passing.status, seconds, passing.engine, key, word)


class _Passing:
    """A request and its answer as they pass: what the log and the counts say of them."""

    __slots__ = ("_id", "_receive", "_send", "complete", "engine", "status", "trace", "watch")

    def __init__(self, taken: trace.Trace, name: str, receive: Receive, send: Send) -> None:
        self.trace, self._id, self._receive, self._send = taken, name, receive, send
        self.watch = metrics.Stopwatch()
        self.status, self.engine, self.complete = 499, "", False

    async def receive(self) -> Message:
        """Return what comes, and note the time it took."""
        began = monotonic()
        message = await self._receive()
        if message["type"] == "http.request":
            self.trace.add("upload", monotonic() - began)
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message; the first gets the headers of every answer."""
        if message["type"] == "http.response.start":
            self.engine = dict(message["headers"]).get(_ENGINE_HEADER, b"").decode("latin-1")
            self.status = message["status"]
            message["headers"] = [*message["headers"], *_told(self._id, self.trace, self.watch.seconds())]
        else:
            self.watch.byte()
            self.complete = not message.get("more_body", False)
        return self._send(message)


def _shown(seconds: float) -> float:
    """Return seconds to the tenth of a millisecond; `round` costs more than all that counts a request."""
    return int(seconds * 10_000) / 10_000


def _told(id: str, taken: trace.Trace, seconds: float) -> list[tuple[bytes, bytes]]:
    """Return the headers that every answer gets, `seconds` after its request came."""
    return [
        (_ID_HEADER, id.encode()),
        (b"openai-processing-ms", b"%.0f" % (seconds * 1000)),
        (b"x-talkbox-overhead-ms", b"%.1f" % (taken.own_seconds(seconds) * 1000)),
        (b"server-timing", taken.server_timing(seconds).encode()),
    ]
