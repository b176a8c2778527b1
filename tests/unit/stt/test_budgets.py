"""Budgets of keys for what they have heard."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from chassis.errors import EngineFailed
from chassis.server.auth import KeyOptions
from chassis.settings import read
from fixtures import sounds
from stt.app import assemble
from stt.engines import Engine
from stt.settings import Settings
from unit.stt.fakes import HELLO, FakeEngine, ask, chain_of, service

SECONDS = 2.5
SPEECH = sounds.wav(sounds.tone(SECONDS))


def client(app: Starlette, key: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stt", headers=headers)


async def hear(app: Starlette, key: str) -> httpx.Response:
    async with client(app, key) as http:
        return await http.post("/v1/audio/transcriptions", files={"file": ("a.wav", SPEECH)})


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_seconds_are_counted_and_a_spent_day_is_a_429_in_openais_words(stream: str) -> None:
    app = service(FakeEngine(*HELLO), key_seconds="6/day")
    statuses = [(await ask(app, SPEECH, stream=stream)).status_code for _ in range(2)]
    refused = await ask(app, SPEECH, stream=stream)

    assert statuses == [200, 200]
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "insufficient_quota"
    assert "seconds of sound (6 per 1 day)" in refused.json()["error"]["message"]
    assert 0 < int(refused.headers["retry-after"]) <= 90_000  # until midnight; a day may have 25 hours
    assert refused.headers["x-should-retry"] == "false"


async def test_requests_of_a_minute_are_counted() -> None:
    app = service(FakeEngine(*HELLO), key_requests="1/minute")

    assert (await ask(app)).status_code == 200
    refused = await ask(app)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_what_no_engine_made_out_costs_no_seconds() -> None:
    engine = FakeEngine(error=EngineFailed("it broke off"))
    app = service(engine, key_seconds="1/day")

    assert [(await ask(app, SPEECH)).status_code for _ in range(3)] == [502] * 3


async def test_a_key_that_comes_with_the_file_has_the_budget_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    file.write_text("bear:one\n")
    monkeypatch.setenv("API_KEYS_FILE", str(file))
    monkeypatch.setattr("chassis.server.auth.LOOK_SECONDS", 0.0)
    engine: Engine = FakeEngine(*HELLO)
    app = assemble(Settings(key_seconds="1/day, fox: 4/day"), chain_of(a=engine), read(KeyOptions))

    assert [(await hear(app, "one")).status_code for _ in range(2)] == [200, 429]
    file.write_text("bear:one\nfox:two\n")
    assert [(await hear(app, "two")).status_code for _ in range(3)] == [200, 200, 429]
    assert (await hear(app, "one")).status_code == 429


async def test_a_key_is_shown_how_much_of_its_sound_was_heard() -> None:
    app = assemble(Settings(), chain_of(a=FakeEngine(*HELLO)), KeyOptions(api_keys=("mole:three",)))
    await hear(app, "three")
    async with client(app, "three") as http:
        counts = (await http.get("/usage")).json()["counts"]

    assert {"name": "talkbox_key_sound_seconds_total", "value": int(SECONDS)} in counts
