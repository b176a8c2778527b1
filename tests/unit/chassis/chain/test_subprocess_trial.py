import pytest

from chassis.chain.subprocess_trial import failure


def test_what_comes_to_a_good_end_has_no_failure() -> None:
    assert failure("import sys; assert sys.argv[1] == 'a'", "a", seconds=30) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import os; os._exit(255)", "status 255"),
        ("import os; os.abort()", "status -6"),
        ("print('much'); raise ValueError('no such model')", "ValueError: no such model"),
        ("raise SystemExit('x' * 1000)", "x" * 300),
    ],
)
def test_however_it_ends_it_says_why_and_ends_nothing_else(script: str, why: str) -> None:
    assert failure(script, seconds=30) == why


def test_what_never_ends_is_ended() -> None:
    assert failure("import time; time.sleep(60)", seconds=0.2) == "not done within 0.2 s"
