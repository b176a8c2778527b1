import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

import pytest
from prometheus_client import REGISTRY

from stt.admission import Full, HearingPace, Place

TOY_SECONDS = 5.0


def test_who_comes_alone_is_never_refused() -> None:
    pace = HearingPace(places=2, most=10, seconds=1.0)

    pace.enter(1000.0)
    with pytest.raises(Full) as refusal:
        pace.enter(4.5)  # at a free place, though too slowly

    assert refusal.value.seconds == 4.5


def test_who_would_be_heard_too_late_is_refused_and_told_how_late() -> None:
    pace = HearingPace(most=10, seconds=1.5)

    places = [pace.enter(), pace.enter()]
    with pytest.raises(Full) as refusal:
        pace.enter(patience_seconds=4.0)
    assert refusal.value.seconds == 4.5
    pace.leave(places[0])

    pace.enter(patience_seconds=4.0)


def test_a_long_recording_takes_one_place_and_the_others_go_on() -> None:
    pace = HearingPace(places=2, most=10, seconds=0.5)

    pace.enter(600.0)
    for _ in range(2):
        pace.enter(3.0, patience_seconds=3.0)  # one after the other, at the second place
    with pytest.raises(Full) as refusal:
        pace.enter(3.0)

    assert refusal.value.seconds == 4.5


def test_no_more_are_taken_than_may_be_in_hand_however_fast_they_are() -> None:
    pace = HearingPace(most=2)

    places = [pace.enter(), pace.enter()]
    with pytest.raises(Full):
        pace.enter()
    pace.leave(places[1])

    pace.enter()
    assert len(pace) == 2


def test_the_pace_is_learned_up_and_down() -> None:
    pace = HearingPace(most=10, seconds=0.0)
    for _ in range(20):
        pace.learn(3.0)
    pace.enter()
    with pytest.raises(Full):
        pace.enter()
    for _ in range(20):
        pace.learn(0.1)

    pace.enter()


def test_a_slow_while_is_forgotten_in_ten_seconds_though_nobody_is_let_in_to_show_better() -> None:
    now = 0.0
    pace = HearingPace(most=10, seconds=0.1, clock=lambda: now)
    for _ in range(50):
        pace.learn(5.0)
    assert pace.seconds > 4.9

    now = 10.0

    assert pace.seconds < 0.2


def test_a_start_measured_on_a_busy_machine_is_forgotten_for_good() -> None:
    now = 0.0
    pace = HearingPace(most=10, seconds=5.0, clock=lambda: now)
    for _ in range(50):
        pace.learn(0.1)

    now = 60.0

    assert pace.seconds < 0.2


def test_while_somebody_is_in_hand_nothing_is_forgotten() -> None:
    now = 0.0
    pace = HearingPace(most=10, seconds=0.1, clock=lambda: now)
    pace.enter()
    for _ in range(50):
        pace.learn(5.0)

    now = 10.0

    assert pace.seconds > 4.9


def test_a_step_that_is_not_done_yet_counts_as_soon_as_it_is_late() -> None:
    now = 0.0
    pace = HearingPace(most=10, seconds=1.0, clock=lambda: now)
    place = pace.enter()
    with pace.step(1.0):
        now = 0.9
        assert pace.done() == 2.0
        now = 3.0
        assert pace.done() == 6.0
    pace.leave(place)

    assert pace.done() == 1.0


def test_a_step_that_was_broken_off_shows_the_least_that_it_takes() -> None:
    now = 0.0
    pace = HearingPace(most=10, seconds=1.0, clock=lambda: now)
    for seconds, least in ((0.1, 1.0), (11.0, 4.0)):
        with suppress(InterruptedError), pace.step(1.0):
            now += seconds
            raise InterruptedError

        assert pace.seconds == pytest.approx(least)


def test_who_waits_is_told_how_much_longer_that_makes_sense() -> None:
    now = 0.0
    pace = HearingPace(most=10, seconds=1.0, clock=lambda: now)
    assert pace.left(pace.enter()) == float("inf")
    second = pace.enter(patience_seconds=2.0)
    assert pace.left(second) == 1.0

    now = 1.1

    assert pace.left(second) < 0


@dataclass(eq=False)
class Caller:
    came: float
    place: Place
    began: float = 0.0
    step: ExitStack = field(default_factory=ExitStack)


class House:
    """Toys that ask whenever they like, and processes that hear them: `slower` says how much slower, and when."""

    work, seconds = 3.0, 0.4

    def __init__(self, dice: random.Random, a_second: float, slower: Callable[[float], float]) -> None:
        self.dice, self.a_second, self.slower, self.now = dice, a_second, slower, 0.0
        self.pace = HearingPace(places=2, most=6, seconds=self.seconds, clock=lambda: self.now)
        self.free, self.waiting = self.pace.places, deque[Caller]()
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.took: list[tuple[float, float]] = []
        """When each of those came who were heard, and how long it took."""

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), what))

    def run(self, seconds: float) -> None:
        self.after(0.0, self.come)
        while self.events and self.events[0][0] < seconds:
            self.now, _, what = heapq.heappop(self.events)
            what()

    def come(self) -> None:
        self.after(self.dice.expovariate(self.a_second), self.come)
        try:
            caller = Caller(self.now, self.pace.enter(self.work))
        except Full:
            return
        self.waiting.append(caller)
        if (left := self.pace.left(caller.place)) < 1000:
            self.after(left, partial(self.refuse, caller))
        self.next()

    def refuse(self, caller: Caller) -> None:
        if caller in self.waiting:
            self.waiting.remove(caller)
            self.pace.leave(caller.place)

    def next(self) -> None:
        while self.free and self.waiting:
            caller = self.waiting[0]
            if self.pace.left(caller.place) < 0:
                self.refuse(caller)
                continue
            self.free -= 1
            self.waiting.popleft()
            caller.began = self.now
            self.pace.begin(caller.place)
            caller.step.enter_context(self.pace.step(self.work))
            usual = self.work * self.seconds * self.dice.uniform(0.8, 1.2)
            self.after(usual * self.slower(self.now), partial(self.heard, caller))

    def heard(self, caller: Caller) -> None:
        self.free += 1
        caller.step.close()
        self.pace.learn((self.now - caller.began) / self.work)
        self.pace.leave(caller.place)
        self.took.append((caller.came, self.now - caller.came))
        self.next()


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_let_in_and_heard_too_late_though_others_take_the_processors(seed: int) -> None:
    """Three times as many toys as can be heard; from one minute to the next everything takes three times as long."""
    house = House(random.Random(seed), 5.0, lambda now: 3.0 if 60 <= now < 120 else 1.0)
    house.run(180.0)

    late = [came for came, took in house.took if took > TOY_SECONDS]
    assert all(55 < came < 62 for came in late), "only who came before it was known"
    assert len(late) <= 2 * house.pace.places
    by_minute = [sum(begin <= came < begin + 60 for came, _ in house.took) for begin in (0, 60, 120)]
    assert by_minute[0] > 80
    assert by_minute[1] > 20, "a third"
    assert by_minute[2] > 80, "and as many as before"


@pytest.mark.parametrize("slower", [0.5, 1.0, 2.0, 2.5])
def test_three_times_too_many_cost_hardly_a_recording(slower: float) -> None:
    """A slow machine, too, has the next recording at hand when a process becomes free."""
    seconds, answer_seconds = 600.0, House.work * House.seconds * slower
    house = House(random.Random(1), 3 * 2 / answer_seconds, lambda now: slower)
    house.run(seconds)

    late = sum(took > TOY_SECONDS for _, took in house.took)
    assert len(house.took) - late >= 0.9 * seconds * 2 / answer_seconds
    assert late <= 0.01 * len(house.took)


def test_who_comes_later_need_not_wait_for_what_is_done_already() -> None:
    now = 0.0
    pace = HearingPace(places=1, most=9, seconds=3.0, clock=lambda: now)
    first = pace.enter()
    pace.begin(first)
    with pytest.raises(Full):
        pace.enter()

    now = 2.5
    second = pace.enter()

    assert pace.done() == 0.5 + 3.0 + 3.0
    assert pace.left(second) == 4.0 - 3.0


def queued() -> float:
    return REGISTRY.get_sample_value("talkbox_queued", {"for": "engine"}) or 0.0


def test_who_waits_is_counted_until_the_work_begins_or_the_caller_leaves() -> None:
    pace, before = HearingPace(places=1, most=9, seconds=0.1), queued()
    first, second, third = (pace.enter() for _ in range(3))
    assert queued() == before + 3
    pace.begin(first)
    assert queued() == before + 2
    pace.leave(second)
    assert queued() == before + 1
    pace.begin(third)
    for place in (first, third):
        pace.leave(place)

    assert queued() == before
