"""As many answers are let in as the processors here can speak without a pause that is too long."""

import asyncio
import random
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from chassis.errors import TooBusy
from tts.admission import PATIENCE_SECONDS, Occupancy, SpeakingPace
from unit.tts.fakes import FakeEngine, ask, hum, service


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def let_in(pace: SpeakingPace, most: int = 1000) -> int:
    """How many are let in at a time, of so many."""
    with ExitStack() as stack:
        for number in range(most):
            try:
                stack.enter_context(pace.speaking())
            except TooBusy:
                return number
    return most


def test_as_many_are_let_in_as_leave_no_pause_that_is_too_long() -> None:
    assert let_in(SpeakingPace(places=2, seconds=0.25)) == 2 * PATIENCE_SECONDS / 0.25
    assert let_in(SpeakingPace(places=2, seconds=60.0)) == 2, "who finds a processor free is always let in"


def test_the_pace_is_learned_from_pieces_made_beside_others() -> None:
    clock = Clock()
    pace = SpeakingPace(places=1, seconds=0.01, clock=clock)
    with pace.speaking() as turn, pace.speaking(), pace.speaking(), pace.speaking():
        clock.now += 2.0
        turn.made()

    assert pace.seconds == pytest.approx(0.5), "two seconds for one of four that shared a processor"
    assert let_in(pace) == 2


def test_a_slow_piece_is_forgotten_and_what_is_usual_is_not() -> None:
    clock = Clock()
    pace = SpeakingPace(places=1, seconds=0.1, clock=clock)
    with pace.speaking() as turn:
        clock.now += 4.0
        turn.made()
    assert pace.seconds == pytest.approx(4.0)

    clock.now += 60.0

    assert pace.seconds == pytest.approx(0.1 + 0.1 * 3.9)


def test_a_piece_that_is_not_done_counts_as_soon_as_it_takes_longer_than_usual() -> None:
    clock = Clock()
    pace = SpeakingPace(places=1, seconds=0.01, clock=clock)
    with pace.speaking(), pace.speaking():
        clock.now += 4.0
        assert pace.seconds == pytest.approx(2.0), "two share a processor"
        assert let_in(pace) == 0

    assert pace.seconds == pytest.approx(2.0), "given up, it took at least so long"


class Machine:
    """Makes pieces of sound on processors that other programs slow down now and then, by a clock of its own."""

    def __init__(self, places: int, seconds: float, pieces: int, seed: int) -> None:
        self.clock, self.places, self.seconds, self.pieces = Clock(), places, seconds, pieces
        self.pace = SpeakingPace(places=places, clock=self.clock)
        self.served, self.served_late, self.possible = 0, 0, 0.0
        self._answers: list[Story] = []
        self._random = random.Random(seed)

    def flood(self, seconds: float, times: float) -> None:
        """Ask for so many times as many answers as can be given."""
        step, asked, speed = 0.02, 0.0, 1.0
        while self.clock.now < seconds:
            if self._random.random() < step:
                speed = self._random.uniform(0.4, 1.0)
            asked += times * step * self.places / (self.seconds * self.pieces)
            while asked >= 1:
                asked -= 1
                self._ask()
            self.possible += speed * step * self.places / (self.seconds * self.pieces)
            self._work(speed * step * min(1.0, self.places / max(1, len(self._answers))), step)

    def piece_seconds(self) -> float:
        return self.seconds * self._random.uniform(0.5, 1.5)

    def _ask(self) -> None:
        speaking = self.pace.speaking()
        with suppress(TooBusy):
            self._answers.append(Story(speaking, speaking.__enter__(), self.pieces, self.piece_seconds()))

    def _work(self, seconds: float, step: float) -> None:
        self.clock.now += step
        for answer in list(self._answers):
            answer.left -= seconds
            answer.silence += step
            answer.longest_silence = max(answer.longest_silence, answer.silence)
            if answer.left <= 0:
                self._made(answer)

    def _made(self, answer: "Story") -> None:
        answer.turn.made()
        answer.turn.pause()
        answer.pieces, answer.silence, answer.left = answer.pieces - 1, 0.0, self.piece_seconds()
        if answer.pieces:
            return answer.turn.go_on()
        answer.speaking.__exit__(None, None, None)
        self._answers.remove(answer)
        self.served += 1
        self.served_late += answer.longest_silence > 5
        return None


@dataclass
class Story:
    """An answer that is being spoken, and the work left at its next piece."""

    speaking: AbstractContextManager[Occupancy]
    turn: Occupancy
    pieces: int
    left: float
    silence: float = 0.0
    longest_silence: float = 0.0


@pytest.mark.parametrize(
    ("places", "seconds", "pieces"), [(1, 0.1, 4), (1, 0.4, 4), (1, 0.8, 1), (1, 0.7, 2), (2, 0.7, 2), (2, 1.0, 1)]
)
def test_three_times_too_many_cost_hardly_an_answer_and_hardly_anybody_waits(
    places: int, seconds: float, pieces: int
) -> None:
    machine = Machine(places, seconds, pieces, seed=1)
    machine.flood(240.0, times=3)

    assert machine.served - machine.served_late >= 0.9 * machine.possible
    assert machine.served_late <= 0.01 * machine.served


def test_who_waits_for_a_slow_reader_takes_nobodys_place() -> None:
    pace = SpeakingPace(places=1, seconds=2.0)
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
    monkeypatch.setattr("tts.admission.cores", lambda: 1)
    app = service(only=kind(hum(0.1), seconds=0.2))

    await ask(app)  # what a piece takes is known from now on
    statuses = await talked_to(app, 40)

    assert (429 in statuses) == refused
    assert statuses.count(200) >= 5
    if refused:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as http:
            assert 'talkbox_refusals_total{reason="pace"}' in (await http.get("/metrics")).text
