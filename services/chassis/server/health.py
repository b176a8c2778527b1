"""Answer those who watch a service: alive, ready, counted, authorized, used by a key."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis import VERSION, metrics
from chassis.chain.chain import Chain
from chassis.chain.seat import State

if TYPE_CHECKING:
    from chassis.guard.guard import Guard

_INNER_FIELDS = frozenset({"detail"})
"""Fields of an engine's state that name addresses and files; they are shown to callers with a key."""


def routes(chain: Chain[Any], guard: "Guard | None", *, has_keys: bool) -> list[Route]:
    """Make the routes; `/authorized` is where the proxy has a key judged before it takes in a large body."""

    async def readyz(request: Request) -> Response:
        hidden = _INNER_FIELDS if has_keys and "key" not in request.scope["state"] else frozenset[str]()
        engines = [{"name": seat.name} | _shown(seat.state, hidden) for seat in chain.seats]
        body: dict[str, Any] = {"ready": chain.ready, "version": VERSION, "engines": engines}
        if deaths := getattr(request.app.state, "deaths", 0):
            body["worker_deaths"] = deaths
        if guard is not None:
            body["guard"] = await asyncio.to_thread(guard.state, with_keys=not hidden)
        return JSONResponse(body, 200 if chain.ready else 503, None if chain.ready else {"retry-after": "5"})

    return [
        Route("/healthz", _healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics.metrics),
        Route("/authorized", _authorized, include_in_schema=False),  # for the proxy alone
        Route("/usage", _usage),
    ]


async def _healthz(request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _usage(request: Request) -> Response:
    """Show what was counted of the caller's own key since the service started."""
    key = request.scope["state"].get("key", "")
    counts = await asyncio.to_thread(metrics.read, partial(_of_key, key))
    return JSONResponse({"key": key, "counts": counts})


def _of_key(key: str, registry: CollectorRegistry) -> list[dict[str, Any]]:
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return [
        {"name": name, **{label: value for label, value in labels.items() if label != "key"}, "value": int(value)}
        for name, labels, value, *_ in samples
        if labels.get("key") == key and name.endswith("_total")
    ]


async def _authorized(request: Request) -> Response:
    return Response(status_code=204)


def _shown(state: State, hidden: frozenset[str]) -> dict[str, Any]:
    """Return the fields of a state that say something, without those in `hidden`."""
    fields = {key: getattr(state, key) for key in state.__struct_fields__ if key not in hidden}
    return {key: value for key, value in fields.items() if value is not None}
