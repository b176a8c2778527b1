"""Budgets of keys for what they have spoken."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import EngineFailed
from chassis.server.auth import KeyOptions
from chassis.settings import read
from tts.app import assemble
from tts.cache.cache import Cache
from tts.cache.settings import CacheOptions
from tts.engines import Engine
from tts.settings import Settings
from unit.tts.fakes import HELLO, FakeEngine

LENGTH = len(str(HELLO["input"]))
ALL = KeyOptions(api_keys=("bear:one", "fox:two"))


def service(engine: Engine, keys: KeyOptions = ALL, **settings: Any) -> Starlette:
    chain = Chain([Seat.of("fake", engine)], first_byte_seconds=1.0)
    return assemble(Settings(**settings), chain, Cache(CacheOptions()), keys)


def client(app: Starlette, key: str = "one") -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts", headers=headers)


async def say(app: Starlette, key: str = "one", **changes: Any) -> httpx.Response:
    async with client(app, key) as http:
        return await http.post("/v1/audio/speech", json=HELLO | changes)


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
async def test_characters_are_counted_kept_or_made_and_a_spent_day_is_a_429_in_openais_words(
    stream_format: str,
) -> None:
    app = service(FakeEngine(), key_characters=f"{LENGTH + 1}/day")
    statuses = [(await say(app, stream_format=stream_format)).status_code for _ in range(2)]
    refused = await say(app, stream_format=stream_format)

    assert statuses == [200, 200]
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "insufficient_quota"
    assert "its characters" in refused.json()["error"]["message"]
    assert 0 < int(refused.headers["retry-after"]) <= 90_000  # until midnight; a day may have 25 hours
    assert refused.headers["x-should-retry"] == "false"
    assert (await say(app, "two")).status_code == 200


async def test_requests_of_a_minute_are_counted() -> None:
    app = service(FakeEngine(), key_requests="1/minute, fox: off")

    assert (await say(app)).status_code == 200
    refused = await say(app)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert [(await say(app, "two")).status_code for _ in range(3)] == [200] * 3


async def test_what_no_engine_spoke_costs_no_characters() -> None:
    app = service(FakeEngine(error=EngineFailed("it broke off")), key_characters="1/day")

    assert [(await say(app)).status_code for _ in range(3)] == [502] * 3


async def test_a_piece_ahead_costs_nothing_and_is_not_made_for_a_key_with_nothing_left() -> None:
    engine = FakeEngine()
    app = service(engine, key_characters=f"{2 * LENGTH}/day")

    async def tell(text: str) -> None:
        async with client(app) as http:
            assert (await http.post("/v1/audio/speech/ahead", json={"input": text})).status_code == 204

    assert (await say(app)).status_code == 200
    await tell("And then he slept.")
    assert engine.said[-1][0] == "And then he slept."
    assert (await say(app)).status_code == 200
    await tell("And then he woke up.")
    assert engine.said[-1][0] == "And then he slept."


async def test_a_key_that_comes_with_the_file_has_the_budget_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    file.write_text("bear:one\n")
    monkeypatch.setenv("API_KEYS_FILE", str(file))
    monkeypatch.setattr("chassis.server.auth.LOOK_SECONDS", 0.0)
    app = service(FakeEngine(), read(KeyOptions), key_characters=f"1/day, fox: {LENGTH + 1}/day")

    assert [(await say(app)).status_code for _ in range(2)] == [200, 429]
    file.write_text("bear:one\nfox:two\n")
    assert [(await say(app, "two")).status_code for _ in range(3)] == [200, 200, 429]
    assert (await say(app)).status_code == 429


async def test_a_key_is_shown_how_much_it_had_spoken() -> None:
    app = service(FakeEngine(), KeyOptions(api_keys=("mole:three",)))
    await say(app, "three")
    async with client(app, "three") as http:
        counts = (await http.get("/usage")).json()["counts"]

    assert {"name": "talkbox_key_characters_total", "value": LENGTH} in counts
