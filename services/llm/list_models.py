"""Answer `GET /v1/models`: the names that can be asked for. Any other name means the chain."""

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response

from chassis.chain.chain import Chain
from chassis.server.model_list import found, listed
from llm.engines import Engine

_USUAL = re.compile(r"(?:chatgpt|gpt)-[\w.:-]+|o\d[\w.:-]*")


async def models(chain: Chain[Engine], request: Request) -> Response:
    """List the engines that are ready, and `engine/model` for each model that is set or that the upstream reports."""
    return listed(await _ids(chain))


async def model(chain: Chain[Engine], request: Request) -> Response:
    """Describe one name, or one of OpenAI's names for models that chat.

    Raises:
        NotFound: There is no such engine or model.
    """
    return found(request.path_params["id"], await _ids(chain), _USUAL)


async def _ids(chain: Chain[Engine]) -> list[str]:
    ready = chain.ready_engines()
    await asyncio.gather(*(engine.ask_for_models() for _, engine in ready))
    return [id for name, engine in ready for id in (name, *(f"{name}/{model}" for model in engine.models))]
