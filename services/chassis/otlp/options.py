"""Which collector gets traces and counts, if any."""

from urllib.parse import urlsplit

from chassis.settings import Options, SettingError


class OtlpOptions(Options, frozen=True, kw_only=True):
    """Traces and counts for a collector of OpenTelemetry, such as Grafana Alloy, Jaeger or Langfuse. `make up` installs
    what that needs; unset, nothing of it is loaded. OpenTelemetry's own variables are read under the names that its
    standard gives them, also those that are not listed here (`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`,
    `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_EXPORTER_OTLP_CERTIFICATE` …)."""

    prefix = "OTEL_"
    exporter_otlp_endpoint: str = ""
    """Collector that speaks OTLP over HTTP: `http://collector:4318`; `/v1/traces` and `/v1/metrics` are added."""
    exporter_otlp_traces_endpoint: str = ""
    """Full address for traces, where theirs is another."""
    exporter_otlp_metrics_endpoint: str = ""
    """Full address for counts, where theirs is another."""
    exporter_otlp_headers: str = ""
    """Headers that the collector wants, such as `Authorization=Basic%20…`."""
    traces_exporter: str = "otlp"
    """`none`: no traces."""
    metrics_exporter: str = "otlp"
    """`none`: no counts; `/metrics` has them anyway."""
    sdk_disabled: bool = False
    """`true`: nothing is sent, whatever else is set."""

    @property
    def traces_url(self) -> str:
        """Address for traces; empty where none are sent."""
        return self._url(self.traces_exporter, "TRACES", self.exporter_otlp_traces_endpoint)

    @property
    def metrics_url(self) -> str:
        """Address for counts; empty where none are sent."""
        return self._url(self.metrics_exporter, "METRICS", self.exporter_otlp_metrics_endpoint)

    def _url(self, exporter: str, signal: str, own: str) -> str:
        base = self.exporter_otlp_endpoint
        url = own or (f"{base.rstrip('/')}/v1/{signal.lower()}" if base else "")
        if self.sdk_disabled or exporter != "otlp" or not url:
            return ""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            variable = f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT" if own else "OTEL_EXPORTER_OTLP_ENDPOINT"
            raise SettingError(
                f"{variable} must begin with http:// or https://, and name a host: http://collector:4318."
            )
        return url
