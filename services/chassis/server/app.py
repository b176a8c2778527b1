"""Build the one Starlette app around a service's own routes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import VERSION, metrics
from chassis.chain.admission import Admission, Door
from chassis.chain.chain import Chain
from chassis.errors import Errors
from chassis.otlp.loading import exporter_of_environment
from chassis.server import health, logs, openapi
from chassis.server.auth import KeyOptions, Keys
from chassis.server.body_limit import BodyLimit
from chassis.server.privacy import NOTHING, Privacy
from chassis.server.privacy import route as privacy_route
from chassis.server.streams import Hangup
from chassis.settings import ServiceSettings, read

if TYPE_CHECKING:
    from chassis.guard.guard import Guard
    from chassis.otlp.exporter import Exporter


def create_service(
    settings: ServiceSettings,
    chain: Chain[Any],
    routes: Sequence[Route],
    *,
    keys: KeyOptions | None = None,
    door: bool = True,
    at_end: Callable[[], Awaitable[None]] | None = None,
    described: Mapping[str, openapi.Described] | None = None,
    privacy: Privacy = NOTHING,
    guard: "Guard | None" = None,
) -> Starlette:
    """Put probes, keys, limits, logs and one shape of errors around a service's routes.

    Args:
        keys: Keys of those who may call; those of the environment unless given.
        door: Refuse callers who could not be served in time before the body is read; off, only `chain.answer` does.
        at_end: Called when the service has finished its requests.
        described: What the paths with a body take and give, for `/openapi.json`.
        privacy: What the service keeps and sends, for `/privacy`.
        guard: Judge of what passes, closed at the end.
    """
    options = read(KeyOptions) if keys is None else keys
    has_keys = bool(options.api_keys)
    if guard is not None:
        privacy = replace(privacy, kept=(*privacy.kept, *guard.keeps), sent=(*privacy.sent, *guard.sends))
    probes = health.routes(chain, guard, has_keys=has_keys)
    routes = [*routes, *probes, privacy_route(chain, privacy, has_keys=has_keys)]
    service = settings.prefix.strip("_").lower()
    routes.append(openapi.route_of(f"Talkbox, {service}", routes, described or {}))
    exporter = exporter_of_environment(service)
    return Service(
        routes=[Route(each.path, Handled(each.endpoint), methods=each.methods) for each in routes],
        middleware=[
            Middleware(logs.RequestLog, paths=frozenset(route.path for route in routes), exporter=exporter),
            *_layers(settings.max_body_bytes, options, chain.admission if door else None),
        ],
        lifespan=_lifespan(chain, at_end, guard, exporter),
    )


def _layers(max_body_bytes: int, options: KeyOptions, admission: Admission | None) -> list[Middleware]:
    """Return what a request passes after the log, outermost first."""
    return [
        Middleware(Hangup),
        Middleware(BodyLimit, max_bytes=max_body_bytes),
        Middleware(Errors),
        Middleware(Keys, options=options, read_again=partial(read, KeyOptions)),
        *([] if admission is None else [Middleware(Door, admission=admission)]),
    ]


class Service(Starlette):
    """Starlette without its own layers for errors: `Errors` answers all of them, and each layer costs every request."""

    def build_middleware_stack(self) -> ASGIApp:
        self.router.redirect_slashes = False
        app: ASGIApp = Paths(self.router)
        for layer, args, kwargs in reversed(self.user_middleware):
            app = layer(app, *args, **kwargs)
        return app


class Paths:
    """Find the handler of a path without parts at once; the router finds the rest, and says what there is not."""

    def __init__(self, router: Router) -> None:
        self._router = router
        routes = [route for route in router.routes if isinstance(route, Route) and "{" not in route.path]
        self._apps = {(method, route.path): route.app for route in routes for method in route.methods or ()}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        plain = self._apps.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        return (plain or self._router)(scope, receive, send)


class Handled:
    """Turn a handler into an application of its own."""

    def __init__(self, handler: Callable[[Request], Awaitable[Response]]) -> None:
        self.handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.handler(Request(scope, receive, send))
        await response(scope, receive, send)


def _lifespan(
    chain: Chain[Any], at_end: Callable[[], Awaitable[None]] | None, *closed: "Guard | Exporter | None"
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        chain.start()
        metrics.build.labels(VERSION).set(1)
        metrics.worker_deaths.set(getattr(app.state, "deaths", 0))
        await _warmed(chain, getattr(app.state, "warm_seconds", 0.0))
        yield
        await chain.aclose()
        if at_end is not None:
            await at_end()
        for each in closed:
            if each is not None:
                await each.aclose()

    return lifespan


async def _warmed(chain: Chain[Any], seconds: float) -> None:
    """Wait until the best engine there is has loaded; meanwhile others serve."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for seat in chain.seats:
                await seat.settled.wait()
                if seat.engine is not None:
                    return
