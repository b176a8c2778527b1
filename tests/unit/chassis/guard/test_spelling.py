"""English as children spell it is read by its sound, and words that are words are left alone."""

import pytest

from chassis.guard.spelling import EnglishSpelling

LISTED = ("knife", "bleach", "scissors", "scratch", "password", "answer", "suicide", "steal", "climbing")
KNOWN = ("blue", "chair")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("nife", "knife"),
        ("bleech", "bleach"),
        ("blee ch", "bleach"),
        ("sissors", "scissors"),
        ("scrach", "scratch"),
        ("pasword", "password"),
        ("anser", "answer"),
        ("suiside", "suicide"),
        ("climing", "climbing"),
        ("u shud", "you should"),
        ("steel", "steel"),
        ("blue chair", "blue chair"),
        ("刀", "刀"),
    ],
)
def test_a_word_that_is_none_is_read_by_its_sound(said: str, meant: str) -> None:
    assert EnglishSpelling(LISTED, KNOWN.__contains__).meant(said.split()) == meant.split()
