"""Log and count every request: an id, a line, a few numbers."""

import logging
import os
import re
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

ACCEPTABLE_ID = re.compile(r"[\w.:+/=-]{1,128}", re.ASCII)
PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/authorized", "/usage"})

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
        name = asked if ACCEPTABLE_ID.fullmatch(asked) else os.urandom(16).hex()
        scope["state"] = {**scope.get("state", {}), "id": name}
        token, taken = request_id.set(name), trace.Trace(scope["headers"], name)
        if self.exporter is not None and scope["path"] not in PROBES:
            self.exporter.begin(taken)
        trace_token = trace.enter(taken)
        watch, status, engine, complete = metrics.Stopwatch(), 499, "", False

        async def receive_timed() -> Message:
            began = monotonic()
            message = await receive()
            if message["type"] == "http.request":
                taken.add("upload", monotonic() - began)
            return message

        async def send_with_id(message: Message) -> None:
            nonlocal status, engine, complete
            if message["type"] == "http.response.start":
                engine = dict(message["headers"]).get(_ENGINE_HEADER, b"").decode("latin-1")
                status = message["status"]
                message["headers"] = [*message["headers"], *_told(name, taken, watch.seconds())]
            else:
                watch.byte()
                complete = not message.get("more_body", False)
            await send(message)

        metrics.in_flight.inc()
        try:
            await self.app(scope, receive_timed, send_with_id)
        finally:
            metrics.in_flight.dec()
            engine = scope["state"].get("engine", engine)
            self._line(scope, watch, status, engine, complete=complete)
            if self.exporter is not None and taken.spans is not None:
                self.exporter.end(self._served(scope, taken, watch.seconds(), status, engine, complete=complete))
            trace.leave(trace_token)
            request_id.reset(token)

    def _line(self, scope: Scope, watch: metrics.Stopwatch, status: int, engine: str, *, complete: bool) -> None:
        path, seconds, error = scope["path"], watch.seconds(), scope["state"].get("error")
        counted = path if path in self.paths else "other"
        metrics.of(metrics.requests, counted, status, engine).inc()
        metrics.of(metrics.seconds, counted, engine).observe(seconds)
        if path in self.paths and path not in PROBES:
            metrics.of(metrics.key_answers, scope["state"].get("key", ""), path, status).inc()
        if watch.first is not None:
            metrics.of(metrics.first_byte, counted, engine).observe(watch.first)
        if isinstance(error, ApiError):
            metrics.of(metrics.refusals, error.counted_as).inc()
        event = {
            "method": scope["method"],
            "path": path,
            "status": status,
            "seconds": round(seconds, 4),
            "first_byte_seconds": watch.first and round(watch.first, 4),
            "engine": engine or None,
            "key": scope["state"].get("key"),
            "complete": None if complete else False,
            "error": str(error) if isinstance(error, ApiError) else None,
        }
        unknown = None if isinstance(error, ApiError) else error
        level = logging.ERROR if unknown else logging.DEBUG if path in PROBES else logging.INFO
        log.log(level, "request", extra={"event": event}, exc_info=unknown)

    def _served(
        self, scope: Scope, taken: trace.Trace, seconds: float, status: int, engine: str, *, complete: bool
    ) -> Served:
        path, key, error = scope["path"], scope["state"].get("key") or "", scope["state"].get("error")
        word = "" if complete else "incomplete"
        if error is not None:
            word = error.counted_as if isinstance(error, ApiError) else type(error).__name__
        path = path if path in self.paths else "other"
        return Served(taken, scope["method"], path, status, seconds, engine, key, word)


def _told(id: str, taken: trace.Trace, seconds: float) -> list[tuple[bytes, bytes]]:
    """Return the headers that every answer gets, `seconds` after its request came."""
    return [
        (_ID_HEADER, id.encode()),
        (b"openai-processing-ms", b"%.0f" % (seconds * 1000)),
        (b"x-talkbox-overhead-ms", b"%.1f" % (taken.own_seconds(seconds) * 1000)),
        (b"server-timing", taken.server_timing(seconds).encode()),
    ]
