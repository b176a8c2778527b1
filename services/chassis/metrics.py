"""Count, and show the counts at GET /metrics for Prometheus."""

import logging
import operator
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic
from typing import TypeVar

import prometheus_client
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import Metric
from starlette.requests import Request
from starlette.responses import Response


class Counter(prometheus_client.Counter):
    """prometheus_client's counter without its checks, a third of its cost; several count each request."""

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Count `amount`, which is never negative; exemplars are not kept."""
        self._value.inc(amount)


class Gauge(prometheus_client.Gauge):
    """prometheus_client's gauge without its checks."""

    def inc(self, amount: float = 1) -> None:
        self._value.inc(amount)

    def dec(self, amount: float = 1) -> None:
        self._value.inc(-amount)


class Histogram(prometheus_client.Histogram):
    """prometheus_client's histogram at half its cost: it finds a bucket by halves instead of looking at each."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count `amount` in its bucket; exemplars are not kept."""
        self._sum.inc(amount)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(1)


M = TypeVar("M", Counter, Gauge, Histogram)
T = TypeVar("T")

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 10, 30, 60)

requests = Counter("talkbox_requests_total", "Requests answered", ["path", "status", "engine"])
first_byte = Histogram("talkbox_first_byte_seconds", "Seconds to the first byte", ["path", "engine"], buckets=SECONDS)
seconds = Histogram("talkbox_request_seconds", "Seconds to the last byte", ["path", "engine"], buckets=SECONDS)
in_flight = Gauge("talkbox_requests_in_flight", "Requests being answered", multiprocess_mode="livesum")
failures = Counter("talkbox_engine_failures_total", "Times an engine failed", ["engine", "code"])
engine_ready = Gauge("talkbox_engine_ready", "1 where an engine is ready", ["engine"], multiprocess_mode="livemin")
model_end = Gauge(
    "talkbox_model_end_timestamp_seconds",
    "Day on which a vendor ends a model that is in use, where that is within 60 days",
    ["engine", "model"],
    multiprocess_mode="livemax",
)
engine_state = Gauge(
    "talkbox_engine_state",
    "Workers in which an engine is in this state",
    ["engine", "state"],
    multiprocess_mode="livesum",
)
key_answers = Counter("talkbox_key_answers_total", "Answers to a key's requests", ["key", "path", "status"])
key_sound_seconds = Counter("talkbox_key_sound_seconds_total", "Seconds of a key's sound that were heard", ["key"])
key_characters = Counter("talkbox_key_characters_total", "Characters that a key had spoken", ["key"])
fallbacks = Counter("talkbox_fallbacks_total", "Answers by another engine than the first", ["first", "engine"])
refusals = Counter("talkbox_refusals_total", "Requests without the answer that was asked for", ["reason"])
work_seconds = Counter("talkbox_work_seconds_total", "Seconds that answers kept a place", ["engine"])
sound_seconds = Counter("talkbox_sound_seconds_total", "Seconds of sound heard or spoken", ["engine"])
queue_seconds = Histogram("talkbox_queue_seconds", "Seconds that a request waited for a place", buckets=SECONDS)
queued = Gauge(
    "talkbox_queued",
    "Requests waiting for a place, or, with a place, for an engine",
    ["for"],
    multiprocess_mode="livesum",
)
queued_for_place, queued_for_engine = queued.labels("place"), queued.labels("engine")
places = Gauge("talkbox_places", "Requests that can be answered at a time", multiprocess_mode="livesum")
capacity = Gauge(
    "talkbox_capacity_per_second", "Requests a second that the places allow, as learned", multiprocess_mode="livesum"
)
places_taken = Gauge("talkbox_places_taken", "Places that are taken", multiprocess_mode="livesum")
build = Gauge("talkbox_build_info", "1, with the release that runs", ["version"], multiprocess_mode="livemax")
worker_deaths = Gauge(
    "talkbox_worker_deaths", "Workers that died since the service was started", multiprocess_mode="max"
)

log = logging.getLogger("talkbox.metrics")


@lru_cache(maxsize=2048)
def of(metric: M, *labels: object) -> M:
    """Return a metric's child with these labels, remembered since finding it costs more than counting."""
    return metric.labels(*labels)


async def metrics(request: Request) -> Response:
    """Show what all workers of this service counted; this one alone where their common folder is gone."""
    return Response(read(generate_latest), media_type=CONTENT_TYPE_LATEST)


def read(work: Callable[[CollectorRegistry], T]) -> T:
    """Return what `work` makes of the counts of all workers; of this one alone where their common folder is gone."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # prometheus-client's own variable, set by chassis.server
    if not folder:
        return work(REGISTRY)
    registry = CollectorRegistry()
    try:
        forget_the_dead(Path(folder))
        multiprocess.MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        registry.register(ProcessFigures(Path(folder)))
        return work(registry)
    except (OSError, ValueError) as exc:
        log.warning("the counts of all workers cannot be read (%s); shown are those of one", exc)
        return work(REGISTRY)


def forget_the_dead(folder: Path) -> None:
    """Drop what workers that are no more said of their present; what they counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        worker = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{worker}").exists():
            multiprocess.mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]


class ProcessFigures:
    """The processor time, memory and open files of all workers together, under prometheus-client's usual names.

    Args:
        folder: Folder where the workers keep their counts.
    """

    def __init__(self, folder: Path) -> None:
        self._living = [pid for pid in _counting(folder) if Path(f"/proc/{pid}").exists()]

    def collect(self) -> Iterable[Metric]:
        """Yield each figure once: the sum, and of the times of their start the earliest."""
        of_all: dict[str, Metric] = {}
        for pid in self._living:
            for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                _add(of_all.setdefault(metric.name, metric), metric)
        yield from of_all.values()


def _counting(folder: Path) -> set[int]:
    return {int(file.stem.rpartition("_")[2]) for file in folder.glob("counter_*.db")}


def _add(total: Metric, metric: Metric) -> None:
    if total is not metric:
        [sum_], [more] = total.samples, metric.samples
        joined = min if "start_time" in metric.name else operator.add
        total.samples = [sum_._replace(value=joined(sum_.value, more.value))]


class Stopwatch:
    """A clock that starts when a request arrives."""

    def __init__(self) -> None:
        self.began = monotonic()
        self.first: float | None = None

    def seconds(self) -> float:
        return monotonic() - self.began

    def byte(self) -> None:
        """Note the first byte of the body; later ones do not count."""
        if self.first is None:
            self.first = self.seconds()
