from collections.abc import AsyncIterator

from unit.chassis.fakes import FakeEngine, chain_of, client, service


async def test_a_body_over_the_limit_is_413_in_our_shape() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        response = await http.post("/v1/echo", content=b"x" * 1001)

    assert response.status_code == 413
    assert "1000 bytes" in response.json()["error"]["message"]


async def test_a_body_that_does_not_say_its_length_is_counted() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    async with client(service(chain_of(a=FakeEngine()))) as http:
        response = await http.post("/v1/echo", content=pieces())

    assert response.status_code == 413


async def test_a_body_of_just_the_limit_is_served() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        assert (await http.post("/v1/echo", content=b"x" * 1000)).status_code == 200
