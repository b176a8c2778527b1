"""GET /v1/models: what can be addressed by name. Any other name means the chain."""

import asyncio
from time import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain.chain import Chain
from chassis.errors import NotFound
from llm.engines import Engine

CREATED = int(time())


async def models(chain: Chain[Engine], request: Request) -> Response:
    """The engines that are ready, and `engine/model` for each model that the operator named or the upstream reports."""
    return JSONResponse({"object": "list", "data": [_shown(id) for id in await _ids(chain)]})


async def model(chain: Chain[Engine], request: Request) -> Response:
    """Raises:
    NotFound: No such engine or model.
    """
    wanted = request.path_params["id"]
    if wanted not in await _ids(chain):
        raise NotFound(f"No model {wanted!r}. See /v1/models.", param="model", code="model_not_found")
    return JSONResponse(_shown(wanted))


async def _ids(chain: Chain[Engine]) -> list[str]:
    ready = chain.ready_engines()
    await asyncio.gather(*(engine.ask_for_models() for _, engine in ready))
    return [id for name, engine in ready for id in (name, *(f"{name}/{model}" for model in engine.models))]


def _shown(id: str) -> dict[str, object]:
    return {"id": id, "object": "model", "created": CREATED, "owned_by": id.partition("/")[0]}
