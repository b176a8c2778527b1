import pytest

from stt.admission import Full, Pace


def test_who_finds_a_place_free_is_never_refused() -> None:
    pace = Pace(places=2, most=10, seconds=1.0)

    pace.enter(1000.0)
    pace.enter(1000.0)
    with pytest.raises(Full) as refusal:
        pace.enter(1.0)

    assert refusal.value.seconds == 1001.0


def test_who_would_be_heard_too_late_is_refused_and_told_how_late() -> None:
    pace = Pace(most=10, seconds=1.5)

    places = [pace.enter(), pace.enter()]
    with pytest.raises(Full) as refusal:
        pace.enter(patience_seconds=4.0)
    assert refusal.value.seconds == 4.5
    pace.leave(places[0])

    pace.enter(patience_seconds=4.0)


def test_a_long_recording_takes_one_place_and_the_others_go_on() -> None:
    pace = Pace(places=2, most=10, seconds=0.5)

    pace.enter(600.0)
    for _ in range(2):
        pace.enter(3.0)  # one after the other, at the second place
    with pytest.raises(Full) as refusal:
        pace.enter(3.0)

    assert refusal.value.seconds == 4.5


def test_no_more_are_taken_than_may_be_in_hand_however_fast_they_are() -> None:
    pace = Pace(most=2)

    places = [pace.enter(), pace.enter()]
    with pytest.raises(Full):
        pace.enter()
    pace.leave(places[1])

    pace.enter()
    assert len(pace) == 2


def test_the_pace_is_learned_up_and_down() -> None:
    pace = Pace(most=10, seconds=0.0)
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
    pace = Pace(most=10, seconds=0.1, clock=lambda: now)
    for _ in range(50):
        pace.learn(5.0)
    assert pace.seconds > 4.9

    now = 10.0

    assert pace.seconds < 0.2


def test_a_start_measured_on_a_busy_machine_is_forgotten_for_good() -> None:
    now = 0.0
    pace = Pace(most=10, seconds=5.0, clock=lambda: now)
    for _ in range(50):
        pace.learn(0.1)

    now = 60.0

    assert pace.seconds < 0.2
