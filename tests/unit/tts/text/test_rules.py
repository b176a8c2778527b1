"""Tables of rules: one that is passed over would have found nothing."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts.text.faces import FACES
from tts.text.figures_en import EN
from tts.text.figures_zh import ZH
from tts.text.rules import Rule, apply, rule
from tts.text.speakable import BEFORE_FACES, HIDDEN, RULES
from tts.text.symbols import COMPARISONS, SYMBOLS

TABLES = (SYMBOLS, HIDDEN, BEFORE_FACES, COMPARISONS, FACES, RULES, EN, ZH)
PARTS = (
    *"0123456789.,:;-+*/=<>()[]{}|&#@!?%$€¥°′'\"~^_`\\ \n，。！？：；、（）《》℃½²₂√×÷−≤≈π∠ⅣＡ１①㎡😀❤\u200d\u0301٣の",
    *("Dec", "Henry", "XIV", "call ", "room ", "in ", "km", "kg", "USD", "Mr.", "hmm", "st", "x", "C", "I "),
    *(
        "年",
        "月",
        "日",
        "点",
        "个",
        "第",
        "打",
        "电话",
        "等于",
        "比分",
        "<a ",
        "</b>",
        "http://",
        "```",
        "\\frac",
        "https",
    ),
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PARTS), max_size=16).map("".join), st.sampled_from(TABLES))
def test_a_rule_whose_characters_are_missing_finds_nothing(text: str, table: Sequence[Rule]) -> None:
    expected = text
    for each in table:
        expected = each.applied(expected)

    assert apply(table, text) == expected


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("a", ["a"]),
        ("[ab]c", ["ab", "c"]),
        ("a?b*c+", ["c"]),
        ("a|b", ["ab"]),
        ("a|b?", []),
        ("(?:ab|c)", ["ac"]),
        ("(?<=a)b(?=c)", ["a", "b", "c"]),
        ("(?<!a)b(?!c)", ["b"]),
        (r"[^a]\w.b", ["b"]),
        ("[a-c]{2}d{0,3}", ["abc"]),
    ],
)
def test_what_a_pattern_cannot_match_without(pattern: str, needs: list[str]) -> None:
    assert [*rule(pattern).needs] == [frozenset(characters) for characters in needs]


def test_either_case_will_do_where_case_is_ignored() -> None:
    assert rule("k", "", re.IGNORECASE).applied("\u212a") == apply([rule("k", "", re.IGNORECASE)], "\u212a") == ""
    assert rule("(?i:k)").needs[0] >= {"k", "K"}
