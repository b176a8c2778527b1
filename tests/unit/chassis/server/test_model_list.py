import re

import httpx
import pytest
from starlette.routing import Route

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.model_list import EngineList
from unit.chassis.fakes import EchoSettings, client


class Engine:
    first_byte_seconds = 0.1

    def __init__(self, *models: str) -> None:
        self.models = models

    async def aclose(self) -> None:
        return


def asking(*api_keys: str) -> httpx.AsyncClient:
    chain = Chain([Seat.of("whisper", Engine("small", "org/large")), Seat.of("sphinx", Engine())])
    known = EngineList(chain, ("whisper-1",), re.compile(r"whisper-1|gpt-\w+-transcribe"))
    routes = [
        Route("/v1/models", known.models, methods=["GET"]),
        Route("/v1/models/{id:path}", known.model, methods=["GET"]),
        Route("/v1/audio/models", known.bare_models, methods=["GET"]),
    ]
    return client(create_service(EchoSettings(), chain, routes, keys=KeyOptions(api_keys=api_keys)))


async def test_openais_name_and_the_engines_are_listed() -> None:
    async with asking() as service:
        listed = (await service.get("/v1/models")).json()
        bare = (await service.get("/v1/audio/models")).json()

    ids = ["whisper-1", "whisper", "whisper/small", "whisper/org/large", "sphinx"]
    assert [model["id"] for model in listed["data"]] == ids
    assert bare == {"models": [{"id": id, "name": id} for id in ids]}


@pytest.mark.parametrize(("id", "status"), [("sphinx", 200), ("gpt-4o-transcribe", 200), ("none", 404)])
async def test_names_that_are_served_are_found(id: str, status: int) -> None:
    async with asking() as service:
        assert (await service.get(f"/v1/models/{id}")).status_code == status


async def test_only_open_webuis_list_needs_no_key() -> None:
    async with asking("k") as service:
        statuses = [(await service.get(path)).status_code for path in ("/v1/audio/models", "/v1/models")]

    assert statuses == [200, 401]
