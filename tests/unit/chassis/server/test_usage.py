from typing import Any

import httpx

from unit.chassis.fakes import FakeEngine, chain_of, client, service

ANSWERS = "talkbox_key_answers_total"


async def answers(http: httpx.AsyncClient, key: str) -> dict[str, int]:
    """The answers to a key's requests by status, as the key itself is told."""
    response = await http.get("/usage", headers={"authorization": f"Bearer {key}"})
    found: list[dict[str, Any]] = response.json()["counts"]
    return {one["status"]: one["value"] for one in found if one["name"] == ANSWERS and one["path"] == "/v1/echo"}


async def test_a_key_is_told_of_its_own_answers_only() -> None:
    async with client(service(chain_of(a=FakeEngine()), "bear:SECRET1", "hare:SECRET2")) as http:
        before, others = await answers(http, "SECRET1"), await answers(http, "SECRET2")
        for _ in range(3):
            await http.post("/v1/echo", headers={"authorization": "Bearer SECRET1"})
        after = await answers(http, "SECRET1")

        assert after["200"] == before.get("200", 0) + 3
        assert await answers(http, "SECRET2") == others


async def test_without_a_key_nothing_is_told() -> None:
    async with client(service(chain_of(a=FakeEngine()), "SECRET1")) as http:
        assert (await http.get("/usage")).status_code == 401
        assert (await http.get("/usage", headers={"authorization": "Bearer wrong"})).status_code == 401


async def test_neither_a_key_nor_a_look_at_the_usage_is_in_what_is_told() -> None:
    async with client(service(chain_of(a=FakeEngine()), "bear:SECRET1")) as http:
        for _ in range(2):
            response = await http.get("/usage", headers={"authorization": "Bearer SECRET1"})

    assert response.json()["key"] == "bear"
    assert "SECRET1" not in response.text
    assert "/usage" not in response.text
