"""A hunch: slight signs of a text, each with a weight, and a limit for each side."""

from pathlib import Path

import pytest

from chassis.guard.hunches import Hunches, signs

TABLE = """\
\thunch\tself-harm\tabuse
=asked\t1000\t500\t500
=answered\t3000\t500\t500
gone\t2000\t1500\t0
belt\t2500\t0\t400
@parent\t1000\t0\t900
bear\t-4000\t0\t0
"""


@pytest.mark.parametrize(
    ("plain", "groups", "side", "kind"),
    [
        ("gone", (), "asked", "self-harm"),  # three signs, two of them unknown: 2000 / sqrt(3)
        ("belt", (), "asked", "hunch"),
        ("belt", (), "answered", None),
        ("gone belt bear", (), "asked", None),
        ("belt", ("parent", "#7"), "asked", "abuse"),
        ("", (), "asked", None),
        ("window", (), "asked", None),
    ],
)
def test_weights_decide_and_the_likeliest_crisis_is_named(
    plain: str, groups: tuple[str, ...], side: str, kind: str | None, tmp_path: Path
) -> None:
    (tmp_path / "hunches.tsv").write_text(TABLE, "utf-8")

    assert Hunches(tmp_path / "hunches.tsv").kind_of(plain, groups, side) == kind


def test_signs_are_words_pairs_beginnings_characters_and_named_groups() -> None:
    assert signs(" my dragons ", ("knife", "#3")) == {
        "my",
        "^ my",
        "my dragons",
        "dragons $",
        "dragons",
        "drago*",
        "@knife",
    }
    assert signs("龙火") == {"龙", "火", "^龙", "龙火", "火$", "^龙火", "龙火$"}
    assert signs("?!", ("knife",)) == set()


def test_sounds_of_somebody_who_thinks_are_no_signs() -> None:
    assert signs(" um my uhh dragons ") == signs(" my dragons ")
    assert signs(" 嗯龙呃火 ") == signs(" 龙火 ")
