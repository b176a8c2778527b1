"""A request that is over, as OpenTelemetry's spans."""

import time
from collections.abc import Iterator
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from chassis import VERSION
from chassis.otlp.served import Served
from chassis.trace import Span, Trace

SCOPE = InstrumentationScope("talkbox", VERSION)
_OPERATIONS = {
    "/v1/chat/completions": ("chat", "text"),
    "/v1/audio/transcriptions": ("transcription", "text"),
    "/v1/audio/speech": ("speech", "speech"),
    "/v1/audio/speech/ahead": ("speech", "speech"),
}
"""`gen_ai.operation.name` and `gen_ai.output.type` of an engine's work, by path."""


def readable(request: Served, resource: Resource) -> Iterator[ReadableSpan]:
    """Yield the spans of a request: its own, one for each engine that was asked and each server that was called."""
    trace, now = request.trace, time.monotonic()
    to_clock = time.time() - now
    common: dict[str, Any] = {"resource": resource, "instrumentation_scope": SCOPE}
    yield ReadableSpan(
        f"{request.method} {request.path}",
        context=_context(trace, trace.span_id),
        parent=parent_of(trace),
        attributes=_attributes_of_request(request),
        kind=SpanKind.SERVER,
        status=_status(request.error if request.status >= 500 else ""),
        start_time=int((now - request.seconds + to_clock) * 1e9),
        end_time=int((now + to_clock) * 1e9),
        **common,
    )
    for span in trace.spans or ():
        ended = now if span.ended is None else span.ended
        yield ReadableSpan(
            _name(span, request),
            context=_context(trace, span.span_id),
            parent=_context(trace, span.parent_id),
            attributes=_attributes(span, request),
            kind=SpanKind.INTERNAL if span.is_engine else SpanKind.CLIENT,
            status=_status(span.error),
            start_time=int((span.began + to_clock) * 1e9),
            end_time=int((ended + to_clock) * 1e9),
            **common,
        )


def parent_of(trace: Trace) -> SpanContext | None:
    """Return the caller's span; None where the trace began here."""
    if not trace.parent_id:
        return None
    state = TraceState.from_header([trace.state]) if trace.state else TraceState()
    return SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), True, TraceFlags(int(trace.flags, 16)), state)


def _context(trace: Trace, span_id: str) -> SpanContext:
    return SpanContext(int(trace.trace_id, 16), int(span_id, 16), False, TraceFlags(int(trace.flags, 16)))


def _attributes_of_request(request: Served) -> dict[str, Any]:
    stages = {f"talkbox.stage.{name}": round(seconds, 6) for name, seconds in request.trace.stages.items()}
    texts = {"error.type": request.error, "talkbox.engine": request.engine, "talkbox.key": request.key}
    return {
        "http.request.method": request.method,
        "http.route": request.path,
        "http.response.status_code": request.status,
        **stages,
        **{name: text for name, text in texts.items() if text},
    }


def _name(span: Span, request: Served) -> str:
    if not span.is_engine:
        return span.name
    operation, _ = _OPERATIONS.get(request.path, ("", ""))
    return f"{operation} {span.attributes.get('gen_ai.request.model', span.name)}".strip()


def _attributes(span: Span, request: Served) -> dict[str, Any]:
    failed = {"error.type": span.error} if span.error else {}
    if not span.is_engine:
        return span.attributes | failed
    about: dict[str, Any] = {"gen_ai.provider.name": span.name}
    if request.path in _OPERATIONS:
        about["gen_ai.operation.name"], about["gen_ai.output.type"] = _OPERATIONS[request.path]
    return about | span.attributes | failed


def _status(error: str) -> Status:
    return Status(StatusCode.ERROR if error else StatusCode.UNSET)
