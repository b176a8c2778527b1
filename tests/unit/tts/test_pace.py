"""As many answers are let in as the processors here can speak without a pause that is too long."""

import asyncio
from contextlib import ExitStack

import httpx
import pytest
from starlette.applications import Starlette

from chassis.errors import TooBusy
from tts.pace import PATIENCE_SECONDS, Pace
from unit.tts.fakes import FakeEngine, ask, hum, service


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def let_in(pace: Pace, most: int = 1000) -> int:
    """How many are let in at a time, of so many."""
    with ExitStack() as stack:
        for number in range(most):
            try:
                stack.enter_context(pace.speaking())
            except TooBusy:
                return number
    return most


def test_as_many_are_let_in_as_leave_no_pause_that_is_too_long() -> None:
    assert let_in(Pace(places=2, seconds=0.25)) == 2 * PATIENCE_SECONDS / 0.25
    assert let_in(Pace(places=2, seconds=60.0)) == 2, "who finds a processor free is always let in"


def test_the_pace_is_learned_from_pieces_made_beside_others() -> None:
    clock = Clock()
    pace = Pace(places=1, seconds=0.01, clock=clock)
    with pace.speaking() as turn, pace.speaking(), pace.speaking(), pace.speaking():
        clock.now += 2.0
        turn.made()

    assert pace.seconds == pytest.approx(0.5), "two seconds for one of four that shared a processor"
    assert let_in(pace) == 2


def test_a_slow_piece_is_forgotten_and_what_is_usual_is_not() -> None:
    clock = Clock()
    pace = Pace(places=1, seconds=0.1, clock=clock)
    with pace.speaking() as turn:
        clock.now += 4.0
        turn.made()
    assert pace.seconds == pytest.approx(4.0)

    clock.now += 60.0

    assert pace.seconds == pytest.approx(0.1 + 0.1 * 3.9)


def test_who_waits_for_a_slow_reader_takes_nobodys_place() -> None:
    pace = Pace(places=1, seconds=2.0)
    with pace.speaking() as turn:
        assert let_in(pace) == 0
        turn.pause()
        assert let_in(pace) == 1
        turn.go_on()
        assert let_in(pace) == 0


class Local(FakeEngine):
    works_here = True


async def talked_to(app: Starlette, number: int) -> list[int]:
    return sorted([answer.status_code for answer in await asyncio.gather(*(ask(app) for _ in range(number)))])


@pytest.mark.parametrize(("kind", "refused"), [(Local, True), (FakeEngine, False)])
async def test_a_flood_is_refused_with_429_where_the_sound_is_made_here(
    kind: type[FakeEngine], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tts.pace.cores", lambda: 1)
    app = service(only=kind(hum(0.1), seconds=0.2))

    await ask(app)  # what a piece takes is known from now on
    statuses = await talked_to(app, 40)

    assert (429 in statuses) == refused
    assert statuses.count(200) >= 5
    if refused:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as http:
            assert 'talkbox_refusals_total{reason="pace"}' in (await http.get("/metrics")).text
