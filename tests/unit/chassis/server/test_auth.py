from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import EngineUnavailable, Unauthorized
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions, Keys
from chassis.server.guesses import FREE_GUESSES, Guesses
from chassis.settings import SettingError, read
from unit.chassis.fakes import EchoSettings, FakeEngine, chain_of, client, service


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


async def test_the_proxy_may_ask_for_the_key_alone() -> None:
    async with client(app()) as http:
        assert (await http.get("/authorized")).status_code == 401
        assert (await http.get("/authorized", headers={"authorization": "Bearer plain"})).status_code == 204


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guess(guesses: Guesses, number: int, address: str = "192.0.2.1") -> bool:
    return guesses.admits(address, f"guess-{number}".encode(), None)


def test_guessing_is_slowed_to_one_a_second_after_some() -> None:
    clock = Clock()
    guesses = Guesses(clock)

    assert sum(guess(guesses, number) for number in range(1000)) == FREE_GUESSES
    clock.now += 10
    assert sum(guess(guesses, 1000 + number) for number in range(1000)) == 10


def test_a_right_key_that_is_new_tells_a_guesser_nothing_while_it_is_slowed() -> None:
    guesses = Guesses(Clock())
    for number in range(FREE_GUESSES):
        guess(guesses, number)

    assert not guesses.admits("192.0.2.1", b"right", "kitchen")
    assert guesses.admits("192.0.2.2", b"right", "kitchen"), "from elsewhere it works"


def test_a_house_that_shares_the_address_of_a_guesser_goes_on() -> None:
    guesses = Guesses(Clock())
    assert guesses.admits("192.0.2.1", b"right", "kitchen")
    for number in range(1000):
        guess(guesses, number)

    assert guesses.admits("192.0.2.1", b"right", "kitchen")


def test_a_toy_with_an_old_key_does_not_use_up_the_guesses_of_its_house() -> None:
    guesses = Guesses(Clock())

    assert all(guess(guesses, 1) for _ in range(1000))
    assert guesses.admits("192.0.2.1", b"right", "kitchen")


def test_addresses_of_one_ipv6_network_are_one_guesser() -> None:
    guesses = Guesses(Clock())

    assert sum(guess(guesses, number, f"2001:db8::{number:x}") for number in range(1000)) == FREE_GUESSES
    assert guess(guesses, 1, "2001:db8:0:1::1")


async def test_too_many_wrong_keys_are_a_429_by_the_address_that_the_proxy_saw() -> None:
    async with client(app()) as http:

        async def ask(key: str, address: str) -> httpx.Response:
            return await http.post("/v1/echo", headers={"authorization": f"Bearer {key}", "x-real-ip": address})

        statuses = [(await ask(f"wrong-{number}", "192.0.2.1")).status_code for number in range(FREE_GUESSES + 1)]
        right_elsewhere = await ask("plain", "192.0.2.2")
        refused = await ask("plain", "192.0.2.1")

    assert statuses == [401] * FREE_GUESSES + [429]
    assert right_elsewhere.status_code == 200
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1


async def test_the_status_is_no_way_around_the_limit() -> None:
    async with client(app()) as http:
        for number in range(FREE_GUESSES + 1):
            await http.get("/readyz", headers={"authorization": f"Bearer wrong-{number}"})
        refused = await http.post("/v1/echo", headers={"authorization": "Bearer wrong-again"})

    assert refused.status_code == 429


async def test_without_a_key_the_status_shows_no_inner_address() -> None:
    def lost(report: object) -> FakeEngine:
        raise EngineUnavailable("cannot reach http://127.0.0.1:35090")

    chain = Chain([Seat("local", lost), Seat.of("a", FakeEngine())])
    await chain.seats[0].keep_loading()
    async with client(create_service(EchoSettings(), chain, [], keys=KeyOptions(api_keys=("plain",)))) as http:
        closed = await http.get("/readyz")
        wrong = await http.get("/readyz", headers={"authorization": "Bearer wrong"})
        opened = await http.get("/readyz", headers={"authorization": "Bearer plain"})

    assert closed.status_code == wrong.status_code == opened.status_code == 200
    assert "127.0.0.1" not in closed.text + wrong.text
    assert closed.json()["engines"][0] == {"name": "local", "state": "unavailable"}
    assert "127.0.0.1" in opened.text


@pytest.mark.parametrize("entries", [("kitchen:",), ("a:1", "a:2"), ("key2:x", "plain")])
def test_a_key_that_cannot_be_told_apart_or_is_empty_is_refused(entries: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match="API_KEYS"):
        KeyOptions(api_keys=entries)


async def test_a_changed_file_of_keys_counts_without_a_restart_and_a_bad_one_opens_no_door(tmp_path: Path) -> None:
    file, clock = tmp_path / "keys", Clock()
    file.write_text("kitchen:one\n")
    environ = {"API_KEYS_FILE": str(file)}
    keys = Keys(Response(), read(KeyOptions, environ), lambda: read(KeyOptions, environ), clock=clock)
    assert keys.owner("Bearer one", "") == "kitchen"

    file.write_text("kitchen:two\nbedroom:three\n")
    clock.now += 2
    assert keys.owner("Bearer three", "") == "bedroom"
    file.write_text("# the house\n\nkitchen:two  # by the window\n#bedroom:three\n")
    clock.now += 2
    assert keys.owner("Bearer two", "") == "kitchen"
    for gone in ("three", "#bedroom:three", "# the house"):
        with pytest.raises(Unauthorized):
            keys.owner(f"Bearer {gone}", "")

    file.write_text("kitchen:two\nbedroom:three\n")
    clock.now += 2
    assert keys.owner("Bearer three", "") == "bedroom"
    for content in ("", "bedroom:\n", "# nobody yet\n"):
        file.write_text(content)
        clock.now += 2
        assert keys.owner("Bearer three", "") == "bedroom"
    file.unlink()
    clock.now += 2
    assert keys.owner("Bearer two", "") == "kitchen"
