"""Answer GET /privacy: what this service keeps and sends, computed from the settings that it runs with."""

import os
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.chain.chain import Chain
from chassis.privacy import Storage, Transfer, sends_to
from chassis.server.log_lines import LogOptions
from chassis.settings import read


class Privacy(msgspec.Struct, frozen=True):
    """Statements of a service about itself, beside those of its engines.

    Args:
        gets: What its engines are sent.
        variable: Variable that decides which engines it has.
        passing: What is on disk, in a file without a name, while a request is served.
    """

    gets: Literal["words", "sound"] = "words"
    variable: str = "API_KEYS"
    kept: Sequence[Storage] = ()
    sent: Sequence[Transfer] = ()
    passing: Sequence[str] = ()


NOTHING = Privacy()


def route(chain: Chain[Any], own: Privacy, *, has_keys: bool) -> Route:
    """Make the route; addresses are shown to callers with a key, where there are keys."""

    async def privacy(request: Request) -> Response:
        shown = not has_keys or "key" in request.scope["state"]
        return Response(msgspec.json.encode(_sheet(chain, own, shown=shown)), media_type="application/json")

    return Route("/privacy", privacy, methods=["GET"])


def _sheet(chain: Chain[Any], own: Privacy, *, shown: bool) -> dict[str, Any]:
    engines = chain.ready_engines()
    of_engines = [each for _, engine in engines for each in getattr(engine, "keeps", ())]
    kept = [*own.kept, *of_engines, *_of_every_service()]
    to_engines = [
        Transfer(own.gets, name, own.variable, address) for name, engine in engines if (address := sends_to(engine))
    ]
    sent = [*to_engines, *own.sent]
    return {
        "words_on_disk": any(each.words and each.where == "disk" for each in kept),
        "words_leave": any(each.what != "notices" for each in sent),
        "kept": [each if shown else replace(each, address=None) for each in kept],
        "sent": [each if shown else replace(each, address=None) for each in sent],
        "passing": own.passing,
        "not_loaded": [seat.name for seat in chain.seats if seat.engine is None],
    }


def _of_every_service() -> list[Storage]:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # prometheus-client's own variable, set by chassis.server
    return [
        Storage("counts by the name of a key", "disk" if folder else "memory", words=False, setting="API_KEYS"),
        Storage("a line about each request", "log", words=False, setting=f"LOG_LEVEL={read(LogOptions).level}"),
    ]
