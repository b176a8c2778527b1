"""Hand a collector the counts that `/metrics` shows, so that nothing is counted twice."""

import time
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricsData,
    NumberDataPoint,
    PeriodicExportingMetricReader,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import REGISTRY
from prometheus_client.core import Metric as Counted
from prometheus_client.samples import Sample

NAMES = {
    "gen_ai_server_request_duration_seconds": ("gen_ai.server.request.duration", "s"),
    "gen_ai_server_time_to_first_token_seconds": ("gen_ai.server.time_to_first_token", "s"),
    "gen_ai_client_token_usage": ("gen_ai.client.token.usage", "{token}"),
}
"""Names that OpenTelemetry has itself, and their units; Prometheus knows no dots."""
UNITS = {"seconds": "s", "bytes": "By"}
CUMULATIVE = AggregationTemporality.CUMULATIVE

_began = time.time_ns()


class CountReader(PeriodicExportingMetricReader):  # type: ignore[misc]  # the library is an extra
    """Reads the counts of this process every OTEL_METRIC_EXPORT_INTERVAL, and once more at the end."""

    def __init__(self, exporter: MetricExporter, resource: Resource, scope: InstrumentationScope) -> None:
        self._about = resource, scope
        super().__init__(exporter)

    def collect(self, timeout_millis: float = 10_000) -> None:
        """Send what is counted by now."""
        resource, scope = self._about
        metrics = ScopeMetrics(scope, list(_as_metrics(REGISTRY.collect())), "")
        self._receive_metrics(MetricsData([ResourceMetrics(resource, [metrics], "")]), timeout_millis)


def _as_metrics(counted: Iterable[Counted]) -> Iterator[Metric]:
    """Yield counts of Prometheus' client as OpenTelemetry's metrics."""
    now = time.time_ns()
    for each in counted:
        name, unit = NAMES.get(each.name, (each.name, UNITS.get(each.name.rpartition("_")[2], "")))
        data: Any
        if each.type == "histogram":
            data = Histogram(list(_histograms(each, now)), CUMULATIVE)
        elif each.type == "counter":
            total = [sample for sample in each.samples if sample.name.endswith("_total")]
            data = Sum([_number(sample, now) for sample in total], CUMULATIVE, is_monotonic=True)
        else:
            data = Gauge([_number(sample, now) for sample in each.samples])
        if data.data_points:
            yield Metric(name, each.documentation, unit, data)


def _number(sample: Sample, now: int) -> NumberDataPoint:
    return NumberDataPoint(_labels(sample), _began, now, sample.value)


def _histograms(counted: Counted, now: int) -> Iterator[HistogramDataPoint]:
    """Yield a point for each set of labels; Prometheus' buckets hold all that is below their bound."""
    for _, grouped in groupby(counted.samples, lambda sample: {**sample.labels, "le": ""}):
        samples = list(grouped)
        bounds = [float(sample.labels["le"]) for sample in samples if "le" in sample.labels]
        below = [int(sample.value) for sample in samples if "le" in sample.labels]
        figures = {sample.name.removeprefix(counted.name): sample.value for sample in samples}
        yield HistogramDataPoint(
            attributes=_labels(samples[0]),
            start_time_unix_nano=_began,
            time_unix_nano=now,
            count=below[-1],
            sum=figures["_sum"],
            bucket_counts=[upper - lower for lower, upper in pairwise([0, *below])],
            explicit_bounds=bounds[:-1],
            min=None,
            max=None,
        )


def _labels(sample: Sample) -> dict[str, str]:
    """Return a sample's labels without its bound, by OpenTelemetry's names where it has them."""
    return {_attribute(name): value for name, value in sample.labels.items() if name != "le" and value}


def _attribute(label: str) -> str:
    if label.startswith("gen_ai_"):
        return "gen_ai." + label.removeprefix("gen_ai_").replace("_", ".")
    return "error.type" if label == "error_type" else label
