"""GET /v1/models: what can be addressed by name. Any other name means the chain."""

from time import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain import Chain
from chassis.errors import NotFound
from llm.engines import Engine

CREATED = int(time())


async def models(chain: Chain[Engine], request: Request) -> Response:
    """The engines that are ready, and `engine/model` for each model the operator named."""
    return JSONResponse({"object": "list", "data": [_shown(id) for id in _ids(chain)]})


async def model(chain: Chain[Engine], request: Request) -> Response:
    """Raises:
    NotFound: No such engine or model.
    """
    wanted = request.path_params["id"]
    if wanted not in _ids(chain):
        raise NotFound(f"No model {wanted!r}. See /v1/models.", param="model", code="model_not_found")
    return JSONResponse(_shown(wanted))


def _ids(chain: Chain[Engine]) -> list[str]:
    ready = chain.ready_engines()
    return [id for name, engine in ready for id in (name, *(f"{name}/{model}" for model in engine.models))]


def _shown(id: str) -> dict[str, object]:
    return {"id": id, "object": "model", "created": CREATED, "owned_by": id.partition("/")[0]}
