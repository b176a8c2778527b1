import pytest

from chassis.upstream.keys import KeyRing


def test_keys_are_used_in_turn() -> None:
    ring = KeyRing(["a", "b", "c"])

    assert [ring.take() for _ in range(5)] == ["a", "b", "c", "a", "b"]


def test_one_that_rests_is_passed_by_and_the_others_are_not() -> None:
    ring = KeyRing(["a", "b", "c"])

    ring.rest("b", 60)

    assert [ring.take() for _ in range(4)] == ["a", "c", "a", "c"]
    assert ring.resting == 1


def test_a_request_tries_each_key_once() -> None:
    ring = KeyRing(["a", "b"])

    first = ring.take()
    assert first == "a"
    assert ring.take(frozenset({"a"})) == "b"
    assert ring.take(frozenset({"a", "b"})) is None


def test_when_all_rest_the_first_to_wake_is_tried() -> None:
    ring = KeyRing(["a", "b"])
    ring.rest("a", 60)
    ring.rest("b", 5)

    assert ring.take() == "b"
    assert ring.seconds == pytest.approx(5, abs=1)


def test_a_rest_ends() -> None:
    ring = KeyRing(["a"])

    ring.rest("a", 1e-9)

    assert ring.resting == 0
    assert ring.seconds == 0


def test_without_a_key_there_is_one_way_of_asking() -> None:
    assert KeyRing([]).take() == ""
