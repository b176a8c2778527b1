import pytest
from starlette.applications import Starlette

from unit.chassis.fakes import FakeEngine, chain_of, client, service


def app() -> Starlette:
    return service(chain_of(a=FakeEngine()), "house:sésame", "plain")


@pytest.mark.parametrize("header", [b"Bearer plain", b"bearer plain", "Bearer sésame".encode()])
async def test_any_of_the_keys_opens(header: bytes) -> None:
    async with client(app()) as http:
        assert (await http.post("/v1/echo", headers={b"authorization": header})).status_code == 200


@pytest.mark.parametrize(
    "header",
    [None, b"", b"plain", b"Bearer", b"Bearer ", b"Basic plain", b"Bearer plai", b"Bearer house", b"Bearer \xff"],
)
async def test_anything_else_is_401_in_our_shape(header: bytes | None) -> None:
    async with client(app()) as http:
        response = await http.post("/v1/echo", headers={b"authorization": header} if header is not None else {})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_probes_need_no_key() -> None:
    async with client(app()) as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await http.get(path)).status_code == 200


async def test_without_api_keys_everybody_may_call() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        assert (await http.post("/v1/echo")).status_code == 200
