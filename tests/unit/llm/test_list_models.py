import pytest

from unit.llm.fakes import FakeEngine, client_of, service


async def test_what_can_be_addressed_is_listed_in_openais_shape() -> None:
    app = service(moonshot=FakeEngine(models=("moonshot-v1-8k", "org/large")), companion=FakeEngine())
    async with client_of(app) as client:
        listed = (await client.get("/v1/models")).json()

    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == [
        "moonshot",
        "moonshot/moonshot-v1-8k",
        "moonshot/org/large",
        "companion",
    ]
    assert all(model["object"] == "model" and isinstance(model["created"], int) for model in listed["data"])
    assert {model["owned_by"] for model in listed["data"]} == {"moonshot", "companion"}


@pytest.mark.parametrize("path", ["companion", "moonshot/org/large", "moonshot%2Forg%2Flarge"])
async def test_one_of_them_is_found_by_its_name(path: str) -> None:
    app = service(moonshot=FakeEngine(models=("org/large",)), companion=FakeEngine())
    async with client_of(app) as client:
        response = await client.get(f"/v1/models/{path}")

    assert response.status_code == 200
    assert response.json()["id"] == path.replace("%2F", "/")


@pytest.mark.parametrize("name", ["gpt-4o-mini", "gpt-3.5-turbo", "chatgpt-4o-latest", "o4-mini"])
async def test_openais_names_are_served_and_so_they_are_found(name: str) -> None:
    async with client_of(service()) as client:
        response = await client.get(f"/v1/models/{name}")

    assert (response.status_code, response.json()["id"]) == (200, name)


async def test_a_name_that_is_not_listed_is_a_404() -> None:
    async with client_of(service()) as client:
        response = await client.get("/v1/models/none")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"
