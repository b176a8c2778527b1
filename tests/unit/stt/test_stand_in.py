"""A language that an engine does not hear is never answered by it."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import Declined, EngineFailed, EngineUnavailable, TooBusy
from fixtures import sounds
from stt.engines import Engine
from stt.hearing import RATE, Heard, Hints, Pcm
from unit.stt.fakes import HELLO, FakeEngine, ask, chain_of, service

ASSUMED = "x-talkbox-assumed-language"


def english(**changes: Any) -> FakeEngine:
    return FakeEngine(HELLO[1], hears=("en",), **changes)


class Slow(FakeEngine):
    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        await asyncio.sleep(0.3)
        async for heard in super().transcribe(pcm, hints):
            yield heard


def slow_chain(first: Engine, second: Engine) -> Chain[Engine]:
    seats = [Seat.of("a", first), Seat.of("b", second)]
    return Chain(seats, first_byte_seconds=0.2, last_engine_seconds=2)


def without_the_first(second: Engine, **first: Any) -> Chain[Engine]:
    def unavailable(report: object) -> Engine:
        raise EngineUnavailable("no network", **first)

    return Chain([Seat("a", unavailable), Seat.of("b", second)])


async def test_chinese_that_whisper_is_slow_at_was_answered_in_english_words() -> None:
    stand_in = english()

    response = await ask(service(chain=slow_chain(Slow(*HELLO, language="zh"), stand_in)))

    assert response.headers["x-talkbox-engine"] == "a"
    assert ASSUMED not in response.headers
    assert stand_in.asked == []


async def test_where_english_is_stated_the_stand_in_answers_for_a_slow_engine() -> None:
    app = service(chain=slow_chain(Slow(*HELLO), english()))

    response = await ask(app, language="en")

    assert response.headers["x-talkbox-engine"] == "b"
    assert ASSUMED not in response.headers


async def test_where_english_is_set_the_stand_in_answers_too() -> None:
    for setting in ({"language": "en"}, {"languages": ("en",)}):
        app = service(chain=slow_chain(Slow(*HELLO), english()), **setting)
        assert (await ask(app)).headers["x-talkbox-engine"] == "b"


async def test_a_full_engine_is_come_back_to_and_not_guessed_for() -> None:
    stand_in = english()

    response = await ask(service(FakeEngine(error=TooBusy("full", retry_after=2)), stand_in))

    assert (response.status_code, response.headers["retry-after"]) == (429, "2")
    assert stand_in.asked == []


async def test_an_engine_that_stays_silent_is_not_guessed_for() -> None:
    stand_in = english()
    chain: Chain[Engine] = Chain(
        [Seat[Engine].of("a", FakeEngine(silent=True)), Seat.of("b", stand_in)],
        first_byte_seconds=0.1,
        last_engine_seconds=0.1,
    )

    assert (await ask(service(chain=chain))).status_code == 504
    assert stand_in.asked == []


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_where_no_better_engine_can_be_had_english_is_assumed_and_a_header_says_so(stream: str) -> None:
    chain = without_the_first(english(), retry_seconds=60)
    chain.start()
    await asyncio.sleep(0.05)
    try:
        response = await ask(service(chain=chain), stream=stream)
    finally:
        await chain.aclose()

    assert (response.headers["x-talkbox-engine"], response.headers[ASSUMED]) == ("b", "en")


async def test_an_engine_that_has_just_failed_holds_nobody_back() -> None:
    response = await ask(service(FakeEngine(error=EngineFailed("broke off")), english()))

    assert (response.headers["x-talkbox-engine"], response.headers[ASSUMED]) == ("b", "en")


async def test_an_engine_that_is_asked_for_by_name_assumes_its_language() -> None:
    response = await ask(service(FakeEngine(*HELLO), english()), model="b")

    assert (response.headers["x-talkbox-engine"], response.headers[ASSUMED]) == ("b", "en")


async def test_an_engine_of_one_language_ahead_of_others_is_passed_over() -> None:
    first = FakeEngine(*HELLO, hears=("zh",))

    unstated = await ask(service(first, FakeEngine(HELLO[1])))
    stated = await ask(service(first, FakeEngine(HELLO[1])), language="zh")

    assert unstated.headers["x-talkbox-engine"] == "b"
    assert stated.headers["x-talkbox-engine"] == "a"


async def test_a_recording_that_does_not_sound_like_the_only_language_is_declined_with_a_remedy() -> None:
    stand_in = english(error=Declined("this does not sound like English", param="language"))

    response = await ask(service(chain=chain_of(a=stand_in)))

    assert response.status_code == 400
    assert "does not sound like English" in response.json()["error"]["message"]


class Sphinxlike(FakeEngine):
    """Needs time by the length of the sound, as PocketSphinx does."""

    stands_in = True

    def needs(self, seconds: float) -> float:
        return max(0.1, 0.06 * seconds)

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        await asyncio.sleep(0.7 * self.needs(len(pcm) / RATE))
        async for heard in super().transcribe(pcm, hints):
            yield heard


async def test_behind_an_engine_that_hangs_the_stand_in_answers_in_time_or_not_at_all() -> None:
    chain: Chain[Engine] = Chain(
        [Seat[Engine].of("a", FakeEngine(silent=True)), Seat.of("b", Sphinxlike(*HELLO, hears=("en",)))],
        first_byte_seconds=0.4,
        last_engine_seconds=600,
    )
    app = service(chain=chain)
    began = monotonic()

    short, longer, long = await asyncio.gather(
        *(ask(app, sounds.wav(sounds.tone(seconds)), language="en") for seconds in (1, 3, 20))
    )

    assert {response.headers.get("x-talkbox-engine") for response in (short, longer)} == {"b"}
    assert (long.status_code, long.headers["retry-after"]) == (504, "2")
    assert monotonic() - began < 30
