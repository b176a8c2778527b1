import json

import pytest

from chassis.errors import EngineBusy, EngineFailed, EngineUnpaid
from contract.test_vendors_tts import PROVIDERS, TEXT, failure, speaking, spoken

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "minimax-tts")


async def test_the_last_event_which_repeats_all_is_not_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        sound = await spoken(engine)

    assert len(sound) / 48_000 == pytest.approx(0.06 * len(TEXT), abs=0.01)
    assert server.seen[0].query == {"GroupId": "group-7"}
    assert json.loads(server.seen[0].body)["stream"] is True


async def test_a_last_event_that_is_the_only_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(monkeypatch, PROVIDER, "only the end") as (engine, _):
        assert len(await spoken(engine)) / 48_000 == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("tokens", EngineBusy),
        ("in an event", EngineUnpaid),
        ("internal", EngineFailed),
        ("no end", EngineFailed),
        ("no digits", EngineFailed),
    ],
)
async def test_an_error_inside_a_200_is_an_error(
    monkeypatch: pytest.MonkeyPatch, key: str, kind: type[EngineFailed]
) -> None:
    assert isinstance(await failure(monkeypatch, PROVIDER, key), kind)


@pytest.mark.parametrize(
    "base", ["https://api.minimax.io/v1", "https://api.minimax.io/", "https://api.minimax.io/v1/t2a_v2"]
)
async def test_an_address_may_be_written_in_full(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv("MINIMAX_TTS_API_BASE", base)
    async with speaking(monkeypatch, PROVIDER) as (engine, server):
        await spoken(engine)

    assert server.seen[0].path == "/x/v1/t2a_v2"
