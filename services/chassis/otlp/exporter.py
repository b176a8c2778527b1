"""Sends what was done for requests to a collector, in threads of its own: no request ever waits for it."""

import asyncio
import logging
import time
from contextlib import suppress
from uuid import uuid4

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, TraceFlags, set_span_in_context
from opentelemetry.util.re import parse_env_headers

from chassis import VERSION
from chassis.otlp.counts import CountReader
from chassis.otlp.options import OtlpOptions
from chassis.otlp.readable import SCOPE, parent_of, readable
from chassis.otlp.served import Served
from chassis.threads import in_daemon_thread
from chassis.trace import Trace

log = logging.getLogger("talkbox.otlp")

_REMINDER_SECONDS = 3600.0
"""Time after which a collector that takes nothing is named again."""
_LAST_SECONDS = 5.0
"""Time for what is left when the service ends."""


class Complaints(logging.Handler):
    """Says what OpenTelemetry's libraries complain of once an hour; they would say it for every batch."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: float | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._said is None or time.monotonic() - self._said > _REMINDER_SECONDS:
            self._said = time.monotonic()
            log.warning("traces or counts do not reach their collector: %s", record.getMessage())


class Exporter:
    """The traces and counts of one process.

    Args:
        service: Name of the service, as in `talkbox-tts`, unless OTEL_SERVICE_NAME says another.
    """

    def __init__(self, service: str, options: OtlpOptions) -> None:
        libraries = logging.getLogger("opentelemetry")
        libraries.propagate, libraries.handlers = False, [Complaints()]
        self._resource = _resource(service)
        self._sampler = TracerProvider(resource=self._resource, shutdown_on_exit=False).sampler
        headers = parse_env_headers(options.exporter_otlp_headers, liberal=True)
        self._spans = self._counts = None
        if options.traces_url:
            self._spans = BatchSpanProcessor(OTLPSpanExporter(options.traces_url, headers=headers))
        if options.metrics_url:
            self._counts = CountReader(OTLPMetricExporter(options.metrics_url, headers=headers), self._resource, SCOPE)

    def begin(self, taken: Trace) -> None:
        """Decide whether a request that has come is sampled, as the caller's trace and OTEL_TRACES_SAMPLER say."""
        if self._spans is None:
            return
        parent = parent_of(taken)
        around = Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())
        sampled = self._sampler.should_sample(around, int(taken.trace_id, 16), "request").decision.is_sampled()
        taken.flags = f"{int(taken.flags, 16) & ~TraceFlags.SAMPLED | sampled:02x}"
        taken.spans = [] if sampled else None

    def end(self, request: Served) -> None:
        """Hand over a request that is over."""
        if self._spans is not None:
            for span in readable(request, self._resource):
                self._spans.on_end(span)

    async def aclose(self) -> None:
        """Send what is left, as far as the collector takes it in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await asyncio.gather(*(in_daemon_thread(each.shutdown) for each in (self._spans, self._counts) if each))


def _resource(service: str) -> Resource:
    """Return what all spans and counts of this process share; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win."""
    ours = {
        "service.name": f"talkbox-{service}",
        "service.namespace": "talkbox",
        "service.version": VERSION,
        "service.instance.id": str(uuid4()),
    }
    return Resource.create(ours).merge(OTELResourceDetector().detect())
