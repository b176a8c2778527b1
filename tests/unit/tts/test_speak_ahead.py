"""Pieces that are spoken before anybody asks for them."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import EngineFailed
from fixtures.serving import served
from tts.app import assemble
from tts.cache.cache import Cache
from tts.cache.settings import CacheOptions
from tts.engines import Engine
from tts.settings import Settings
from unit.tts.fakes import FakeEngine

PIECE = "And then he slept."
KEYS = {"house": "one", "guest": "two"}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", ",".join(f"{name}:{key}" for name, key in KEYS.items()))


def service(settings: Settings | None = None, admission: Admission | None = None, **engines: Engine) -> Starlette:
    seats = [Seat.of(name, engine) for name, engine in engines.items()]
    return assemble(settings or Settings(), Chain(seats, admission=admission), Cache(CacheOptions()))


def client(app: Starlette, key: str = "house") -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {KEYS[key]}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts", headers=headers)


async def ask(http: httpx.AsyncClient, text: str, **more: Any) -> httpx.Response:
    return await http.post("/v1/audio/speech", json={"model": "tts-1", "voice": "anna", "input": text, **more})


async def tell(http: httpx.AsyncClient, text: str = PIECE) -> None:
    assert (await http.post("/v1/audio/speech/ahead", json={"input": text})).status_code == 204


def texts(engine: FakeEngine) -> list[str]:
    return [text for text, _, _ in engine.said]


async def test_a_piece_is_there_in_the_voice_that_the_key_heard_last() -> None:
    engine = FakeEngine()
    async with client(service(fake=engine)) as http:
        await ask(http, "The bear ate.", speed=1.5, response_format="wav")
        await tell(http)
        assert engine.said[-1] == (PIECE, "anna", 1.5)
        answer = await ask(http, PIECE, speed=1.5, response_format="wav")

    assert answer.headers["x-talkbox-cache"] == "hit"
    assert texts(engine) == ["The bear ate.", PIECE]


async def test_nothing_is_spoken_for_a_key_whose_voice_is_not_known() -> None:
    engine = FakeEngine()
    app = service(fake=engine)
    async with client(app, "house") as house, client(app, "guest") as guest:
        await tell(house)
        await ask(house, "The bear ate.")
        await tell(guest)

    assert texts(engine) == ["The bear ate."]


async def test_it_needs_a_key_and_a_body_as_everything_does() -> None:
    app = service(fake=FakeEngine())
    async with client(app) as http:
        assert (await http.post("/v1/audio/speech/ahead", json={})).status_code == 400
        http.headers["authorization"] = "Bearer wrong"
        assert (await http.post("/v1/audio/speech/ahead", json={"input": PIECE})).status_code == 401


class Billed(FakeEngine):
    billed = True


@pytest.mark.parametrize(("speak_ahead", "said"), [("own", False), ("all", True)])
async def test_an_engine_that_may_cost_money_speaks_ahead_only_if_told(speak_ahead: Any, said: bool) -> None:
    engine = Billed()
    async with client(service(Settings(speak_ahead=speak_ahead), fake=engine)) as http:
        await ask(http, "The bear ate.")
        await tell(http)

    assert (PIECE in texts(engine)) is said


async def test_an_engine_that_costs_money_does_not_stand_in_ahead_either() -> None:
    own, billed = FakeEngine(), Billed()
    async with client(service(own=own, billed=billed)) as http:
        await ask(http, "The bear ate.")
        own.error = EngineFailed("it broke")
        await tell(http)

    assert PIECE in texts(own)
    assert texts(billed) == []


async def test_it_can_be_switched_off() -> None:
    engine = FakeEngine()
    async with client(service(Settings(speak_ahead="off"), fake=engine)) as http:
        await ask(http, "The bear ate.")
        await tell(http)

    assert texts(engine) == ["The bear ate."]


@pytest.mark.parametrize("text", ["🐻", "...", "x" * 4097])
async def test_what_nobody_can_say_is_left_out(text: str) -> None:
    engine = FakeEngine()
    async with client(service(fake=engine)) as http:
        await ask(http, "The bear ate.")
        await tell(http, text)

    assert texts(engine) == ["The bear ate."]


async def test_requests_come_before_pieces_that_nobody_has_asked_for() -> None:
    engine = FakeEngine()
    async with client(service(admission=Admission(4, 8, 2.0), fake=engine)) as http:
        await ask(http, "The bear ate.")
        engine.seconds = 0.2
        asked = [asyncio.create_task(ask(http, text)) for text in ("One, he said.", "Two, he said.")]
        while len(engine.said) < 3:
            await asyncio.sleep(0.001)
        await tell(http)
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200, 200]

    assert PIECE not in texts(engine)


async def test_a_caller_who_comes_meanwhile_shares_the_piece() -> None:
    engine = FakeEngine()
    async with client(service(fake=engine)) as http:
        await ask(http, "The bear ate.")
        engine.seconds = 0.1
        ahead = asyncio.create_task(tell(http))
        while PIECE not in texts(engine):
            await asyncio.sleep(0.001)
        answer = await ask(http, PIECE)
        await ahead

    assert answer.headers["x-talkbox-cache"] == "shared"
    assert texts(engine).count(PIECE) == 1


async def test_a_caller_who_comes_meanwhile_does_not_suffer_from_its_failure() -> None:
    own, billed = FakeEngine(), Billed()
    async with client(service(own=own, billed=billed)) as http:
        await ask(http, "The bear ate.")
        own.seconds, own.error = 0.1, EngineFailed("it broke")
        ahead = asyncio.create_task(tell(http))
        while PIECE not in texts(own):
            await asyncio.sleep(0.001)
        answer = await ask(http, PIECE)
        await ahead

    assert (answer.status_code, answer.headers["x-talkbox-engine"]) == (200, "billed")


async def test_a_turn_that_is_over_ends_the_work() -> None:
    engine = FakeEngine()
    with served(service(fake=engine)) as base:
        async with httpx.AsyncClient(base_url=base, headers={"authorization": "Bearer one"}) as http:
            await ask(http, "The bear ate.")
            engine.seconds = 30.0
            with pytest.raises(httpx.ReadTimeout):
                await http.post("/v1/audio/speech/ahead", json={"input": PIECE}, timeout=0.3)
        until = asyncio.get_running_loop().time() + 5
        while engine.under_way and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.01)

    assert PIECE in texts(engine)
    assert engine.under_way == 0
