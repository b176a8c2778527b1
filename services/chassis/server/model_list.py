"""Answers of `GET /v1/models` and `GET /v1/models/{id}`, in OpenAI's shape."""

import re
from collections.abc import Sequence
from time import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain.chain import Chain
from chassis.errors import NotFound

_CREATED = int(time())


def listed(ids: Sequence[str]) -> Response:
    """List the names that can be asked for."""
    return JSONResponse({"object": "list", "data": [_shown(id) for id in ids]})


def found(id: str, ids: Sequence[str], usual: re.Pattern[str]) -> Response:
    """Describe one name.

    Args:
        usual: OpenAI's names for models of this kind, which are served too: by the chain.

    Raises:
        NotFound: There is no such engine or model.
    """
    if id not in ids and not usual.fullmatch(id):
        raise NotFound(f"No model {id!r}. See /v1/models.", param="model", code="model_not_found")
    return JSONResponse(_shown(id))


class EngineList:
    """Handlers for a service whose engines list no models of their own.

    Args:
        names: Names of OpenAI's that are listed beside the engines.
        usual: All names of OpenAI's that are served.
    """

    def __init__(self, chain: Chain[Any], names: tuple[str, ...], usual: re.Pattern[str]) -> None:
        self.chain, self.names, self.usual = chain, names, usual

    async def models(self, request: Request) -> Response:
        """List OpenAI's names and the engines that are ready."""
        return listed(self._ids())

    async def model(self, request: Request) -> Response:
        """Describe one of them."""
        return found(request.path_params["id"], self._ids(), self.usual)

    async def bare_models(self, request: Request) -> Response:
        """List the same in the shape in which Open WebUI asks for voices and models of speech."""
        return JSONResponse({"models": [{"id": id, "name": id} for id in self._ids()]})

    def _ids(self) -> tuple[str, ...]:
        ready = self.chain.ready_engines()
        engines = [id for name, engine in ready for id in (name, *(f"{name}/{model}" for model in _models(engine)))]
        return (*self.names, *engines)


def _models(engine: object) -> Sequence[str]:
    models: Sequence[str] = getattr(engine, "models", ())
    return models


def _shown(id: str) -> dict[str, object]:
    return {"id": id, "object": "model", "created": _CREATED, "owned_by": id.partition("/")[0]}
