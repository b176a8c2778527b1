import asyncio
import threading
from collections.abc import AsyncIterator
from math import inf
from time import monotonic

import pytest
from prometheus_client import REGISTRY

from chassis.chain.admission import Admission
from chassis.chain.answer import Answer
from chassis.chain.attempt import asked_until
from chassis.chain.chain import Chain
from chassis.chain.seat import (
    FAILURES_BEFORE_REST,
    FIRST_REST_SECONDS,
    LEAST_HEDGE_SECONDS,
    LEAST_REMEMBERED,
    Report,
    Seat,
)
from chassis.chain.shares import Budget, Shares
from chassis.errors import (
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    NotReady,
    TooBusy,
)
from chassis.settings import SettingError
from unit.chassis.fakes import FakeEngine, chain_of, loading, speak


async def all_of(answer: Answer[bytes, FakeEngine]) -> list[bytes]:
    pieces = [piece async for piece in answer]
    await answer.aclose()
    return pieces


async def test_the_first_ready_engine_answers_whole() -> None:
    answer = await chain_of(a=FakeEngine(b"1", b"2", b"3"), b=FakeEngine()).answer("tts-1", speak)

    assert answer.engine == "a"
    assert await all_of(answer) == [b"1", b"2", b"3"]


async def test_an_engine_that_fails_gives_way_to_the_next() -> None:
    answer = await chain_of(a=FakeEngine(error=EngineFailed("broke")), b=FakeEngine(b"b")).answer("tts-1", speak)

    assert answer.engine == "b"
    assert await all_of(answer) == [b"b"]


async def test_an_engine_with_a_bug_gives_way_to_the_next() -> None:
    answer = await chain_of(a=FakeEngine(error=KeyError("x")), b=FakeEngine()).answer("tts-1", speak)

    assert answer.engine == "b"


async def test_a_silent_engine_gives_way_within_the_budget_and_is_closed() -> None:
    silent = FakeEngine(silent=True)

    async with asyncio.timeout(30):
        answer = await chain_of(0.4, a=silent, b=FakeEngine()).answer("tts-1", speak)

    assert answer.engine == "b"
    assert silent.closed == 1


async def test_an_engine_is_told_how_long_it_is_waited_for() -> None:
    told: list[float] = []

    class Curious(FakeEngine):
        async def speak(self, model: str | None = None):  # type: ignore[no-untyped-def]
            told.append(asked_until.get() - monotonic())
            yield b"1"

    curious: FakeEngine = Curious()
    await chain_of(60.0, a=curious, b=FakeEngine(first_byte_seconds=10.0)).answer("tts-1", speak)

    assert 30.0 < told[0] <= 50.0
    assert asked_until.get() == inf


async def test_the_budget_begins_when_the_request_was_there() -> None:
    async with asyncio.timeout(30):
        chain = chain_of(60.0, a=FakeEngine(silent=True), b=FakeEngine())
        answer = await chain.answer("tts-1", speak, came=monotonic() - 59.0)

    assert answer.engine == "b"


async def test_the_last_engine_has_longer_than_the_budget() -> None:
    class Slow(FakeEngine):
        async def speak(self, model: str | None = None):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.3)
            yield b"late"

    chain = Chain([Seat.of("a", Slow())], first_byte_seconds=0.1, last_engine_seconds=5)

    assert await all_of(await chain.answer("tts-1", speak)) == [b"late"]


async def test_no_time_is_kept_for_an_engine_that_would_decline() -> None:
    class Slow(FakeEngine):
        async def speak(self, model: str | None = None):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.3)
            yield b"late"

    slow: FakeEngine = Slow()
    unwilling = FakeEngine(first_byte_seconds=3.9)
    chain: Chain[FakeEngine] = Chain(
        [Seat.of("a", slow), Seat.of("b", unwilling)], first_byte_seconds=4.0, last_engine_seconds=5
    )

    answer = await chain.answer("tts-1", speak, needs=lambda engine: 0.1 if engine is slow else None)

    assert answer.engine == "a"


class StandIn(FakeEngine):
    stands_in = True


def behind_a_silent_one(stand_in: FakeEngine) -> Chain[FakeEngine]:
    """A chain with a tenth of a toy's patience; the last engine of others would have for ever."""
    seats = [Seat.of("a", FakeEngine(silent=True)), Seat.of("b", stand_in)]
    return Chain(seats, first_byte_seconds=0.4, last_engine_seconds=600)


async def test_who_stands_in_for_a_silent_engine_has_the_rest_of_the_budget() -> None:
    answer = await behind_a_silent_one(StandIn(b"b")).answer("any", speak)
    assert await all_of(answer) == [b"b"]

    async with asyncio.timeout(30):
        with pytest.raises(EngineTimeout):
            await behind_a_silent_one(StandIn(silent=True)).answer("any", speak)


async def test_who_stands_in_leaves_time_for_those_behind_it() -> None:
    better, first, second = (
        Seat.of(name, engine)
        for name, engine in (
            ("a", FakeEngine(silent=True)),
            ("b", StandIn(silent=True)),
            ("c", StandIn(first_byte_seconds=1.0)),
        )
    )
    shares = Shares(Budget(4.0, 600, 0), [better, first, second], monotonic(), 0.0, lambda engine: 1.0)

    assert shares.of(first, [second]) <= shares.of(first, []) - 1.0


async def test_who_stands_in_is_not_asked_for_what_it_cannot_do_in_time() -> None:
    stand_in = StandIn(first_byte_seconds=7.5)

    with pytest.raises(EngineTimeout) as raised:
        await behind_a_silent_one(stand_in).answer("any", speak)

    assert stand_in.asked == 0
    assert raised.value.headers["retry-after"] == "8"


async def test_a_better_engine_is_not_cut_short_for_a_stand_in_that_needs_most_of_the_budget() -> None:
    class Slow(FakeEngine):
        async def speak(self, model: str | None = None) -> AsyncIterator[bytes]:
            await asyncio.sleep(0.6)
            yield b"late"

    stand_in: FakeEngine = StandIn(first_byte_seconds=1.5)
    chain: Chain[FakeEngine] = Chain([Seat.of("a", Slow()), Seat.of("b", stand_in)], first_byte_seconds=2.0)

    assert (await chain.answer("any", speak)).engine == "a"


async def test_where_no_better_engine_can_be_had_a_stand_in_has_as_long_as_any_last_one() -> None:
    class Slow(StandIn):
        async def speak(self, model: str | None = None) -> AsyncIterator[bytes]:
            await asyncio.sleep(0.3)
            yield b"late"

    def fail(report: Report) -> FakeEngine:
        raise EngineUnavailable("no network")

    for others in ([], [loading("a", fail)]):
        seats: list[Seat[FakeEngine]] = [*others, Seat.of("b", Slow(first_byte_seconds=5.0))]
        chain = Chain(seats, first_byte_seconds=0.1)
        chain.start()
        try:
            assert await all_of(await chain.answer("any", speak, skip_loading=False)) == [b"late"]
        finally:
            await chain.aclose()


async def test_when_all_are_silent_the_answer_is_a_timeout_that_names_them() -> None:
    chain = chain_of(0.2, a=FakeEngine(silent=True), b=FakeEngine(silent=True))

    with pytest.raises(EngineTimeout) as raised:
        await chain.answer("tts-1", speak)

    assert "a: no answer" in raised.value.body["message"]  # type: ignore[operator]
    assert "b: no answer" in raised.value.body["message"]  # type: ignore[operator]


async def test_a_mistake_of_the_caller_is_shown_to_no_other_engine() -> None:
    second = FakeEngine()

    with pytest.raises(BadRequest):
        await chain_of(a=FakeEngine(error=BadRequest("no such voice")), b=second).answer("tts-1", speak)

    assert second.asked == 0


async def test_who_declines_is_not_blamed_and_the_next_one_answers() -> None:
    chain = chain_of(a=FakeEngine(error=Declined("only English")), b=FakeEngine())

    for _ in range(FAILURES_BEFORE_REST + 1):
        answer = await chain.answer("tts-1", speak)
        await answer.aclose()

    assert answer.engine == "b"
    assert chain.seats[0].state.state == "ready"


async def test_when_all_decline_it_is_the_callers_mistake() -> None:
    with pytest.raises(BadRequest, match="only English"):
        await chain_of(a=FakeEngine(error=Declined("only English"))).answer("tts-1", speak)


async def test_an_engine_that_breaks_off_after_its_first_piece_is_not_replaced() -> None:
    second = FakeEngine()
    answer = await chain_of(a=FakeEngine(error=EngineFailed("cut"), after=1), b=second).answer("tts-1", speak)

    with pytest.raises(EngineFailed):
        await all_of(answer)

    assert second.asked == 0


async def test_an_engine_that_keeps_failing_rests_and_is_not_asked() -> None:
    failing = FakeEngine(error=EngineFailed("down"))
    chain = chain_of(a=failing, b=FakeEngine())

    for _ in range(FAILURES_BEFORE_REST + 5):
        await (await chain.answer("tts-1", speak)).aclose()

    assert failing.asked == FAILURES_BEFORE_REST
    assert chain.seats[0].state.state == "resting"


async def test_an_engine_that_breaks_off_in_mid_stream_every_time_rests_too() -> None:
    chain = chain_of(a=FakeEngine(error=EngineFailed("cut"), after=1))

    for _ in range(FAILURES_BEFORE_REST):
        answer = await chain.answer("tts-1", speak)
        with pytest.raises(EngineFailed):
            await all_of(answer)

    assert chain.seats[0].state.state == "resting"


async def test_after_its_rest_one_trial_decides() -> None:
    engine = FakeEngine(error=EngineFailed("down", rest_seconds=0.05))
    chain = chain_of(a=engine)
    with pytest.raises(EngineFailed):
        await chain.answer("tts-1", speak)
    with pytest.raises(NotReady):
        await chain.answer("tts-1", speak)
    engine.error = None
    await asyncio.sleep(0.06)

    assert chain.seats[0].begin()
    assert not chain.seats[0].begin(), "only one trial at a time"
    chain.seats[0].let_off()

    assert await all_of(await chain.answer("tts-1", speak)) == [b"one", b"two"]
    assert chain.seats[0].state.state == "ready"


async def test_many_who_fail_together_cost_an_engine_one_rest_only() -> None:
    engine = FakeEngine(error=EngineFailed("broke"))
    chain = chain_of(a=engine, b=FakeEngine())

    await asyncio.gather(*(chain.answer("tts-1", speak) for _ in range(20)))

    state = chain.seats[0].state
    assert state.state == "resting"
    assert state.seconds is not None
    assert state.seconds <= FIRST_REST_SECONDS


async def test_an_engine_that_says_how_long_rests_at_once() -> None:
    chain = chain_of(a=FakeEngine(error=EngineBusy("slow down", rest_seconds=30)), b=FakeEngine())
    await (await chain.answer("tts-1", speak)).aclose()

    state = chain.seats[0].state

    assert state.state == "resting"
    assert state.seconds == pytest.approx(30, abs=1)


async def test_a_resting_engine_alone_is_503_that_no_client_retries_by_itself() -> None:
    chain = chain_of(a=FakeEngine(error=EngineFailed("no key", rest_seconds=20)))
    with pytest.raises(EngineFailed):
        await chain.answer("tts-1", speak)

    with pytest.raises(NotReady, match="no key") as raised:
        await chain.answer("tts-1", speak)

    assert raised.value.headers == {"x-should-retry": "false"}


async def test_what_the_living_engines_declined_is_a_400_although_another_is_away() -> None:
    away = EngineFailed("down", rest_seconds=20)
    chain = chain_of(a=FakeEngine(error=away), b=FakeEngine(error=Declined("b understands text only")))
    with pytest.raises(EngineFailed):
        await chain.answer("a", speak)

    with pytest.raises(Declined, match="text only") as raised:
        await chain.answer("x", speak)

    assert raised.value.status == 400


async def test_a_failure_that_cannot_heal_says_so_unless_another_one_can() -> None:
    refused, hung = EngineRefused("key refused"), EngineTimeout("silent")
    with pytest.raises(EngineRefused) as alone:
        await chain_of(a=FakeEngine(error=refused)).answer("x", speak)
    assert alone.value.headers == {"x-should-retry": "false"}

    with pytest.raises(EngineRefused) as beside:
        await chain_of(a=FakeEngine(error=refused), b=FakeEngine(error=hung)).answer("x", speak)
    assert beside.value.headers == {}


@pytest.mark.parametrize(
    ("model", "engine", "submodel"),
    [
        ("b", "b", None),
        ("b/small", "b", "small"),
        ("b/x/y", "b", "x/y"),
        ("tts-1", "a", None),
        ("Qwen/Qwen2.5", "a", None),
    ],
)
async def test_the_model_picks_an_engine_or_the_chain(model: str, engine: str, submodel: str | None) -> None:
    engines = {"a": FakeEngine(), "b": FakeEngine()}
    chain = Chain([Seat.of(name, fake) for name, fake in engines.items()])

    answer = await chain.answer(model, speak)

    assert answer.engine == engine
    assert engines[engine].models == [submodel]


async def test_a_picked_engine_is_not_replaced_when_it_fails() -> None:
    second = FakeEngine()

    with pytest.raises(EngineFailed):
        await chain_of(a=FakeEngine(error=EngineFailed("down")), b=second).answer("a", speak)

    assert second.asked == 0


class Door:
    """A load that waits until it is let through."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine, self.opened = engine, threading.Event()

    def load(self, report: Report) -> FakeEngine:
        report("downloading", 0.25)
        self.opened.wait(10)
        return self.engine


async def test_while_the_best_engine_loads_a_request_that_may_skip_it_does() -> None:
    door = Door(FakeEngine())
    chain = Chain([loading("a", door.load), Seat.of("b", FakeEngine())])
    chain.start()

    answer = await chain.answer("x", speak, skip_loading=True)

    door.opened.set()
    assert answer.engine == "b"


async def test_a_request_that_may_not_skip_waits_for_the_engine_that_is_loading() -> None:
    door = Door(FakeEngine(b"a"))
    chain = Chain([loading("a", door.load), Seat.of("b", FakeEngine())])
    chain.start()
    answering = asyncio.create_task(chain.answer("x", speak, skip_loading=False))
    await asyncio.sleep(0.01)
    assert not answering.done()

    door.opened.set()

    assert (await answering).engine == "a"


async def test_if_it_is_not_loaded_within_the_budget_the_answer_is_503_with_the_progress() -> None:
    door, second = Door(FakeEngine()), FakeEngine()
    chain = Chain([loading("a", door.load), Seat.of("b", second)], first_byte_seconds=0.1)
    chain.start()

    with pytest.raises(NotReady, match="downloading, 25%") as raised:
        await chain.answer("x", speak, skip_loading=False)

    door.opened.set()
    assert "retry-after" in raised.value.headers
    assert second.asked == 0


async def test_an_engine_that_cannot_be_loaded_says_why_and_the_next_one_answers() -> None:
    def fail(report: Report) -> FakeEngine:
        raise EngineUnavailable("Set OPENAI_API_KEY.")

    chain = Chain([loading("a", fail), Seat.of("b", FakeEngine())])
    chain.start()

    answer = await chain.answer("x", speak, skip_loading=False)

    assert answer.engine == "b"
    assert chain.seats[0].state.state == "unavailable"
    assert chain.seats[0].state.detail == "Set OPENAI_API_KEY."


@pytest.mark.parametrize("error", [EngineUnavailable("no network", retry_seconds=0.01), OSError("no network")])
async def test_loading_is_tried_again_where_that_may_help(error: Exception) -> None:
    tries = []

    def load(report: Report) -> FakeEngine:
        tries.append(1)
        if len(tries) < 3 and isinstance(error, EngineUnavailable):
            raise error
        return FakeEngine()

    chain = Chain([loading("a", load)])
    chain.start()
    async with asyncio.timeout(30):
        while chain.seats[0].engine is None:
            await asyncio.sleep(0.005)

    assert chain.ready


async def test_a_setting_that_cannot_be_used_is_not_tried_again() -> None:
    def load(report: Report) -> FakeEngine:
        raise SettingError("WHISPER_DEVICE: cannot use 'gpu'.")

    seat = loading("a", load)
    async with asyncio.timeout(30):
        await seat.keep_loading()

    assert seat.state.detail == "WHISPER_DEVICE: cannot use 'gpu'."


async def test_a_place_is_free_again_when_the_answer_is_closed() -> None:
    chain = Chain([Seat.of("a", FakeEngine())], admission=Admission(1, 0, 1))
    answer = await chain.answer("x", speak)
    with pytest.raises(TooBusy):
        await chain.answer("x", speak)

    await answer.aclose()
    await answer.aclose()

    assert await all_of(await chain.answer("x", speak)) == [b"one", b"two"]
    assert chain.admission.running == 0


async def test_a_place_is_free_again_when_nobody_answered() -> None:
    chain = Chain([Seat.of("a", FakeEngine(error=EngineFailed("down")))], admission=Admission(1, 0, 1))

    for _ in range(2):
        with pytest.raises(EngineFailed):
            await chain.answer("x", speak)

    assert chain.admission.running == 0


async def test_a_caller_who_leaves_before_the_first_piece_ends_the_work() -> None:
    engine = FakeEngine(silent=True)
    chain = Chain([Seat.of("a", engine)], admission=Admission(1, 0, 1))
    asking = asyncio.create_task(chain.answer("x", speak))
    while not engine.asked:
        await asyncio.sleep(0)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert engine.closed == 1
    assert chain.admission.running == 0


def racing(hedge_seconds: float = 0.05, **engines: FakeEngine) -> Chain[FakeEngine]:
    seats = [Seat.of(name, engine) for name, engine in engines.items()]
    return Chain(seats, first_byte_seconds=4.0, last_engine_seconds=4.0, hedge_seconds=hedge_seconds)


async def test_who_is_silent_is_joined_by_the_next_and_the_first_to_speak_answers() -> None:
    silent, next_one, third = FakeEngine(silent=True), FakeEngine(b"b"), FakeEngine()
    chain = racing(a=silent, b=next_one, c=third)

    async with asyncio.timeout(30):
        answer = await chain.answer("any", speak)

    assert (answer.engine, await all_of(answer)) == ("b", [b"b"])
    assert (silent.asked, silent.closed, third.asked) == (1, 1, 0)
    assert chain.seats[0].state.state == "ready"  # who was only slower has not failed


async def test_who_speaks_in_time_is_not_joined() -> None:
    quick, next_one = FakeEngine(b"a"), FakeEngine()

    answer = await racing(5.0, a=quick, b=next_one).answer("any", speak)

    assert await all_of(answer) == [b"a"]
    assert next_one.asked == 0


async def test_whoever_speaks_is_heard_while_the_next_is_loading() -> None:
    class Slow(FakeEngine):
        async def speak(self, model: str | None = None):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.2)
            yield b"a"

    chain = racing(a=Slow())
    chain.seats.append(Seat("b", lambda _: FakeEngine()))  # never settled

    async with asyncio.timeout(30):
        answer = await chain.answer("any", speak)

    assert await all_of(answer) == [b"a"]


async def test_who_only_stands_in_is_not_asked_while_a_better_one_may_speak() -> None:
    class Slow(FakeEngine):
        async def speak(self, model: str | None = None):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.2)
            yield b"late"

    class Companion(FakeEngine):
        stands_in = True

    companion = Companion(b"c")
    answer = await racing(0.01, a=FakeEngine(silent=True), b=Slow(), c=companion).answer("any", speak)

    assert (await all_of(answer), companion.asked) == ([b"late"], 0)
    failing = racing(0.01, a=FakeEngine(error=EngineFailed("broke")), c=companion)
    assert (await failing.answer("any", speak)).engine == "c"


async def test_who_fails_in_a_race_gives_way_at_once_and_when_all_fail_each_is_named() -> None:
    chain = racing(9.0, a=FakeEngine(error=EngineFailed("broke")), b=FakeEngine(error=EngineFailed("too")))

    async with asyncio.timeout(30):
        with pytest.raises(EngineFailed) as caught:
            await chain.answer("any", speak)
    assert caught.value.body["message"] == "a: broke; b: too"
    assert chain.admission.running == 0


async def test_a_caller_who_leaves_a_race_ends_the_work_of_all() -> None:
    a, b = FakeEngine(silent=True), FakeEngine(silent=True)
    asking = asyncio.create_task(racing(0.01, a=a, b=b).answer("any", speak))
    while not b.asked:
        await asyncio.sleep(0.001)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert (a.closed, b.closed) == (1, 1)


async def test_the_callers_mistake_ends_a_race() -> None:
    chain = racing(0.01, a=FakeEngine(silent=True), b=FakeEngine(error=BadRequest("no")))

    with pytest.raises(BadRequest, match="no"):
        await chain.answer("any", speak)


async def test_an_engine_that_is_full_gives_way_and_has_not_failed() -> None:
    full = FakeEngine(error=TooBusy("full"))
    chain = chain_of(a=full, b=FakeEngine(b"b"))
    for _ in range(FAILURES_BEFORE_REST + 1):
        assert (await chain.answer("any", speak)).engine == "b"
    assert chain.seats[0].state.state == "ready"
    with pytest.raises(TooBusy, match="full"):
        await chain_of(a=full).answer("any", speak)


class Working(FakeEngine):
    """Gives nothing, while its threads take up work `ahead` seconds after the present."""

    def __init__(self, ahead: float) -> None:
        super().__init__(silent=True)
        self.ahead = ahead

    @property
    def active_at(self) -> float:
        return monotonic() + self.ahead


async def test_an_engine_that_is_at_work_when_time_is_up_is_too_busy_and_does_not_rest() -> None:
    chain = chain_of(0.1, a=Working(0.0), b=FakeEngine(b"b", first_byte_seconds=0.01))
    for _ in range(FAILURES_BEFORE_REST + 1):
        assert (await chain.answer("any", speak)).engine == "b"
    assert chain.seats[0].state.state == "ready"

    with pytest.raises(TooBusy, match=r"a was not done in 0\.\d s") as busy:
        await chain_of(0.1, a=Working(0.0)).answer("any", speak)
    assert busy.value.headers["retry-after"] == "1"


async def test_an_engine_whose_threads_are_stuck_has_failed_and_rests() -> None:
    chain = chain_of(0.1, a=Working(-60.0), b=FakeEngine(b"b", first_byte_seconds=0.01))
    for _ in range(FAILURES_BEFORE_REST):
        assert (await chain.answer("any", speak)).engine == "b"

    assert chain.seats[0].state.state == "resting"


class Coughing(FakeEngine):
    """Hangs, and so do its first `ill` canaries."""

    def __init__(self, ill: int) -> None:
        super().__init__(silent=True)
        self.ill, self.canaries = ill, 0

    async def canary(self) -> None:
        self.canaries += 1
        if self.canaries <= self.ill:
            raise EngineFailed("not yet")


async def test_an_engine_with_a_canary_that_hangs_costs_one_caller_its_silence_and_not_three() -> None:
    hanging = Coughing(ill=9)
    chain = chain_of(0.4, a=hanging, b=FakeEngine(b"b"))

    answers = [await all_of(await chain.answer("tts-1", speak)) for _ in range(3)]
    await chain.aclose()

    assert answers == [[b"b"]] * 3
    assert hanging.asked == 1
    assert chain.seats[0].state.state == "resting"


async def test_another_engine_is_not_rested_for_one_silence() -> None:
    chain = chain_of(0.4, a=FakeEngine(silent=True), b=FakeEngine(b"b"))

    assert await all_of(await chain.answer("tts-1", speak)) == [b"b"]

    assert chain.seats[0].state.state == "ready"


async def test_a_canary_and_no_caller_brings_a_resting_engine_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.chain.seat.FIRST_REST_SECONDS", 0.02)
    first = Coughing(ill=2)
    chain = chain_of(0.4, a=first, b=FakeEngine(b"b"))
    await all_of(await chain.answer("tts-1", speak))
    first.silent = False
    async with asyncio.timeout(30):
        while chain.seats[0].state.state != "ready":
            assert await all_of(await chain.answer("tts-1", speak)) == [b"b"]
            await asyncio.sleep(0.005)

    assert first.canaries == 3
    assert first.asked == 1
    assert await all_of(await chain.answer("tts-1", speak)) == [b"one", b"two"]


async def test_the_gauges_of_the_queue_and_of_readiness_go_down_again() -> None:
    def value(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(name, labels)

    admission = Admission(1, 5, 5.0)
    before = value("talkbox_queued", **{"for": "place"}) or 0.0
    since = await admission.enter()
    waiting = [asyncio.create_task(admission.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    assert value("talkbox_queued", **{"for": "place"}) == before + 2
    waiting[0].cancel()
    admission.leave(since)
    await asyncio.wait(waiting)
    assert value("talkbox_queued", **{"for": "place"}) == before

    chain = chain_of(gone=FakeEngine(error=EngineFailed("broke")), left=FakeEngine())
    assert value("talkbox_engine_ready", engine="gone") == 1
    for _ in range(3):
        await all_of(await chain.answer("tts-1", speak))
    assert value("talkbox_engine_ready", engine="gone") == 0


async def test_the_places_that_are_taken_are_counted_until_the_answer_is_closed() -> None:
    def taken() -> float:
        return REGISTRY.get_sample_value("talkbox_places_taken") or 0.0

    chain, before = chain_of(first=FakeEngine()), taken()
    answer = await chain.answer("tts-1", speak)
    assert taken() == before + 1
    await answer.aclose()
    await answer.aclose()
    assert taken() == before

    with pytest.raises(EngineFailed):
        await chain_of(gone=FakeEngine(error=EngineFailed("broke"))).answer("tts-1", speak)
    assert taken() == before


async def test_a_reader_who_takes_nothing_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.chain.answer.READER_SECONDS", 0.02)
    chain = chain_of(a=FakeEngine(b"1", b"2", b"3"))
    chain.admission = admission = Admission(1, 1, 5.0)
    slow = await chain.answer("tts-1", speak)
    assert await anext(slow) == b"1"

    other = await chain.answer("tts-1", speak)
    assert admission.running == 1

    assert await anext(slow) == b"2"  # a place is there for whoever has begun
    assert admission.running == 2
    assert await all_of(other) == [b"1", b"2", b"3"]
    assert await all_of(slow) == [b"3"]
    assert admission.running == 0


async def test_a_reader_who_leaves_while_its_place_is_lent_frees_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.chain.answer.READER_SECONDS", 0.02)
    chain = chain_of(a=FakeEngine(b"1", b"2", b"3"))
    chain.admission = admission = Admission(1, 1, 5.0)
    slow, other = await chain.answer("tts-1", speak), await chain.answer("tts-1", speak)

    await slow.aclose()

    assert admission.running == 1
    await other.aclose()
    assert admission.running == 0


class Paced(FakeEngine):
    """Waits `seconds` before its first piece."""

    seconds = 0.0

    async def speak(self, model: str | None = None) -> AsyncIterator[bytes]:
        await asyncio.sleep(self.seconds)
        async for piece in super().speak(model):
            yield piece


async def test_who_is_slower_than_usual_is_joined_once_it_is_known_what_is_usual() -> None:
    first, next_one = Paced(b"a"), FakeEngine(b"b")
    seats = [Seat[FakeEngine].of("a", first), Seat[FakeEngine].of("b", next_one)]
    chain = Chain(seats, hedge_seconds="auto")
    first.seconds = 0.3
    assert (await chain.answer("any", speak)).engine == "a"  # slow, but nobody knows what is usual
    first.seconds = 0.0
    for _ in range(LEAST_REMEMBERED * 2):
        assert (await chain.answer("any", speak)).engine == "a"
    assert next_one.asked == 0

    first.seconds = 60.0
    async with asyncio.timeout(30):
        assert (await chain.answer("any", speak)).engine == "b"


async def test_what_is_usual_for_a_whole_answer_is_learnt_apart() -> None:
    first, next_one = Paced(b"a"), FakeEngine(b"b")
    seats = [Seat[FakeEngine].of("a", first), Seat[FakeEngine].of("b", next_one)]
    chain = Chain(seats, hedge_seconds="auto")
    for _ in range(LEAST_REMEMBERED):
        await chain.answer("any", speak)
    first.seconds = 4 * LEAST_HEDGE_SECONDS
    assert (await chain.answer("any", speak, extra_seconds=9.0)).engine == "a"
    assert next_one.asked == 0
    assert (await chain.answer("any", speak)).engine == "b"

    for _ in range(LEAST_REMEMBERED):
        seats[0].spoke(0.0, is_long=True)
    assert (await chain.answer("any", speak, extra_seconds=9.0)).engine == "b"


async def test_the_usual_time_is_that_of_95_in_100_answers_and_never_too_short_to_tell() -> None:
    seat = Seat.of("a", FakeEngine())
    assert seat.usual_seconds() is None
    for hundredth in range(100):
        seat.spoke(hundredth / 100)
    assert seat.usual_seconds() == pytest.approx(0.95)
    for _ in range(100):
        seat.spoke(0.0001)
    assert seat.usual_seconds() == LEAST_HEDGE_SECONDS
