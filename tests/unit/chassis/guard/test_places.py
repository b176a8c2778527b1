"""Words of a rule count together where they stand near each other: speech has no marks that end a sentence."""

import pytest

from chassis.guard.guard import Guard
from chassis.guard.options import GuardOptions
from chassis.guard.places import ANYWHERE, REACH, are_near, widths

RULES = Guard(GuardOptions(guard="kids")).rules


@pytest.mark.parametrize(
    ("places", "near"),
    [
        ({"a": [0], "b": [REACH]}, True),
        ({"a": [0], "b": [REACH + 1]}, False),
        ({"a": [0, 200], "b": [100, 220], "c": [150, 240]}, True),
        ({"a": [0, 300], "b": [100, 220], "c": [150, 240]}, False),
        ({"a": [0], "b": [ANYWHERE]}, True),
        ({"a": [ANYWHERE]}, True),
    ],
)
def test_terms_are_near_where_one_of_each_group_begins_within_reach(places: dict[str, list[int]], near: bool) -> None:
    assert are_near(places, places) is near


def test_a_chinese_character_is_as_wide_as_a_short_word() -> None:
    assert list(widths("abc")) == [0, 1, 2]
    assert widths("我们a" * REACH)[:4] == [0, 4, 8, 9]


@pytest.mark.parametrize(
    "said",
    [
        "how do i get to the zoo we went with my class then we had a picnic and a bird went to kill a worm and dad",
        "怎么才能去动物园呀我们班上次去的时候看见了长颈鹿还有大象然后老师说狮子会杀死斑马爸爸",
    ],
)
def test_what_a_child_says_in_one_breath_is_not_one_sentence(said: str) -> None:
    assert RULES.look(said, "asked").stopped == ()


@pytest.mark.parametrize("said", ["how do i kill my dad", "怎么杀死爸爸"])
@pytest.mark.parametrize(
    "before", ["we went to the zoo and saw an elephant and then we ate ice cream ", "我们去动物园看大象"]
)
def test_a_danger_is_found_at_the_end_of_a_long_breath(before: str, said: str) -> None:
    assert RULES.look(before + said, "asked").stopped == ("violence",)
