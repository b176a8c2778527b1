"""Whoever sends traces and counts, where a collector is set; its libraries are large, and few want them."""

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from chassis.otlp.options import OtlpOptions
from chassis.settings import read

if TYPE_CHECKING:
    from chassis.otlp.exporter import Exporter

log = logging.getLogger("talkbox.otlp")


def exporter_of_environment(service: str) -> "Exporter | None":
    """Return who sends the traces and counts of `service`; None where no collector is set.

    Raises:
        SettingError: An address cannot be used.
    """
    options = read(OtlpOptions)
    if not options.traces_url and not options.metrics_url:
        return None
    if find_spec("opentelemetry") is None:
        log.warning("A collector is set, but OpenTelemetry's libraries are missing; `make up` installs them.")
        return None
    from chassis.otlp.exporter import Exporter

    return Exporter(service, options)
