"""Traces and counts, sent to a collector of OpenTelemetry's protocol (OTLP over HTTP) where one is set."""
