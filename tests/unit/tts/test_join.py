"""Clauses joined: order, look-ahead, and the silence between them."""

import asyncio
from array import array
from itertools import pairwise
from time import monotonic

import pytest

from chassis.errors import EngineFailed
from tts.audio.pcm import RATE, Sound, silence
from tts.join import Edges, Joined, pause_seconds
from tts.text.clauses import Lengths, clauses
from unit.tts.fakes import ENGLISH, FakeEngine, ask, gathered, hum, service

STORY = "Once there was a little bear who lived in the forest and loved honey. " * 12


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / RATE


async def until(reached: int, engine: FakeEngine) -> None:
    async with asyncio.timeout(30):
        while len(engine.said) < reached:
            await asyncio.sleep(0)


@pytest.mark.parametrize("size", [7_000, 480, 100_000])
def test_silence_around_a_clause_is_trimmed_whatever_the_pieces(size: int) -> None:
    made, edges = silence(0.5) + hum(1.0) + silence(0.2) + hum(0.5) + silence(0.8), Edges(RATE)

    heard = b"".join(edges.feed(made[at : at + size]) for at in range(0, len(made), size)) + edges.finish(0.1)

    assert seconds(heard) == pytest.approx(0.02 + 1.0 + 0.2 + 0.5 + 0.1, abs=0.03)
    assert heard[-960:] == bytes(960)


def test_the_last_clause_keeps_its_own_end() -> None:
    edges = Edges(RATE)

    assert seconds(edges.feed(hum(1.0) + silence(0.8)) + edges.finish(None)) == pytest.approx(1.8, abs=0.01)


def test_the_last_clause_ends_in_silence_whatever_its_engine_does() -> None:
    edges = Edges(RATE)

    assert seconds(edges.feed(hum(1.0)) + edges.finish(None)) == pytest.approx(1.09, abs=0.01)


@pytest.mark.parametrize("pause", [None, 0.25])
def test_a_clause_that_begins_and_ends_in_mid_wave_does_not_click(pause: float | None) -> None:
    edges = Edges(RATE)
    loud = array("h", [9_000]) * RATE

    heard = array("h", edges.feed(loud.tobytes()) + edges.finish(pause))

    assert heard[0] == 0
    assert max(abs(b - a) for a, b in pairwise([*heard, 0])) < 200
    assert max(heard) == 9_000


def test_a_clause_that_is_silent_leaves_nothing() -> None:
    edges = Edges(RATE)

    assert edges.feed(silence(0.8)) + edges.finish(0.25) == b""


def test_a_sound_that_swells_from_silence_is_not_cut_off() -> None:
    swelling = b"".join((i // 8).to_bytes(2, "little", signed=True) for i in range(RATE // 4))
    edges = Edges(RATE)

    heard = edges.feed(silence(0.3) + swelling) + edges.finish(None)

    assert len(heard) >= len(swelling) - 2 * 160 * 8 + 2 * int(0.02 * RATE)


@pytest.mark.parametrize(
    ("text", "pause"),
    [("Hi.", 0.25), ("“你好！”", 0.25), ("首先，", 0.12), ("well,", 0.12), ("and then", 0.04), ("…", 0.25), ("", 0.04)],
)
def test_a_pause_is_as_long_as_its_mark_says(text: str, pause: float) -> None:
    assert pause_seconds(text) == pause


async def test_clauses_come_in_order_though_the_later_ones_are_made_sooner() -> None:
    class Hasty(FakeEngine):
        async def speak(self, text, voice, speed):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.05 if text == "1" else 0)
            yield hum(0.1, hertz=100.0 * int(text))

    engine = Hasty()
    engine.ahead = 3
    answer = Joined(engine, "12345", ENGLISH, 1.0)

    heard = await gathered(answer.pieces())

    expected = [hum(0.1, hertz=100.0 * number) for number in range(1, 6)]
    places = [heard.find(sound[960:-960]) for sound in expected]
    assert places == sorted(places)
    assert -1 not in places


async def test_the_next_is_made_while_one_plays_and_no_more_than_that() -> None:
    engine = FakeEngine(hum(0.1))
    engine.ahead = 2
    pieces = Joined(engine, map(str, range(9)), ENGLISH, 1.0).pieces()

    await anext(pieces)
    await until(3, engine)
    for _ in range(20):
        await asyncio.sleep(0)
    assert [said[0] for said in engine.said] == ["0", "1", "2"]

    await pieces.aclose()
    assert len(engine.said) == 3


async def test_nothing_is_begun_before_the_first_is_heard() -> None:
    engine = FakeEngine(error=EngineFailed("broke"))

    with pytest.raises(EngineFailed):
        await gathered(Joined(engine, "1234", ENGLISH, 1.0).pieces())

    assert len(engine.said) == 1


async def test_never_more_at_once_than_the_engine_likes() -> None:
    engine = FakeEngine(hum(0.05), seconds=0.01)
    engine.ahead = 2

    await gathered(Joined(engine, map(str, range(12)), ENGLISH, 1.0).pieces())

    assert 2 <= engine.most_under_way <= 3
    assert len(engine.said) == 12


async def test_a_later_clause_that_fails_is_heard_of_in_its_turn() -> None:
    class Hoarse(FakeEngine):
        async def speak(self, text, voice, speed):  # type: ignore[no-untyped-def]
            if text == "3":
                raise EngineFailed("hoarse")
            yield hum(0.5)

    pieces = Joined(Hoarse(), "1345", ENGLISH, 1.0).pieces()

    assert seconds(await anext(pieces)) == pytest.approx(0.5, abs=0.05)
    with pytest.raises(EngineFailed, match="hoarse"):
        await gathered(pieces)


async def test_whoever_leaves_stops_all_that_is_being_made() -> None:
    engine = FakeEngine(hum(0.5), hum(0.5), go=asyncio.Event())
    engine.ahead = 2
    pieces = Joined(engine, "123456", ENGLISH, 1.0).pieces()
    await anext(pieces)
    await until(3, engine)

    await pieces.aclose()

    assert engine.under_way == 0


async def test_twelve_sentences_begin_to_sound_as_soon_as_one() -> None:
    """With an engine that takes a while for a clause, however short."""

    async def before_the_first_byte(text: str) -> list[str]:
        engine = FakeEngine(hum(2.0), seconds=0.01)
        pieces = Joined(engine, clauses(text), ENGLISH, 1.0).pieces()
        await anext(pieces)
        made = [said[0] for said in engine.said]
        await pieces.aclose()
        return made

    assert await before_the_first_byte(STORY) == await before_the_first_byte(STORY[:70])
    assert len(await before_the_first_byte(STORY)) == 1


async def test_there_is_no_gap_in_a_story_from_a_slow_engine() -> None:
    """Each clause is at hand before the one before it has been played, which takes very much longer."""
    engine, played, began = FakeEngine(hum(5.0), seconds=0.1), 0.0, monotonic()

    async for piece in Joined(engine, clauses(STORY), ENGLISH, 1.0).pieces():
        began = monotonic() if not played else began
        assert not played or monotonic() - began <= played
        played += seconds(piece)

    assert played > 4


async def test_a_long_text_is_one_stream_of_sound() -> None:
    engine = FakeEngine(hum(0.3), sound=Sound("pcm", RATE, 2 * RATE), lengths=Lengths(first=60, most=60))

    response = await ask(service(fake=engine), input=STORY, response_format="pcm")

    assert seconds(response.content) == pytest.approx(len(engine.said) * 0.3 + (len(engine.said) - 1) * 0.14, abs=1.5)
