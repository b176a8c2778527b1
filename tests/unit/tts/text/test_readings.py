"""Readings as agreed on: a table for each language, and one for texts that leave the language open or mix two.

To mend a reading, change its line (text, reading, source or reason, separated by tabs) and then the rule.
"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.script_language import language_of
from tts.text.figures import in_words
from tts.text.speakable import tidy

HERE = Path(__file__).parent
LEAST_LINES = 400
DIGIT = re.compile(r"[0-9]")


def table(name: str) -> list[tuple[str, str]]:
    lines = (HERE / f"readings_{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("# ")]
    assert all(len(row) == 3 and all(row) for row in rows), name
    return [(text, reading) for text, reading, _ in rows]


ZH, EN, MIXED = table("zh"), table("en"), table("mixed")


@pytest.mark.parametrize(("text", "reading"), ZH)
def test_a_chinese_voice_reads_as_a_parent_would(text: str, reading: str) -> None:
    assert in_words(tidy(text), "zh-CN") == reading


@pytest.mark.parametrize(("text", "reading"), EN)
def test_an_english_voice_reads_as_a_parent_would(text: str, reading: str) -> None:
    assert in_words(tidy(text), "en-US") == reading


@pytest.mark.parametrize(("text", "reading"), MIXED)
def test_a_text_is_read_in_its_own_language(text: str, reading: str) -> None:
    tidied = tidy(text)

    assert in_words(tidied, language_of(tidied) or "en") == reading


def test_the_tables_are_as_long_as_they_are_meant_to_be() -> None:
    assert len(ZH) + len(EN) + len(MIXED) >= LEAST_LINES


@pytest.mark.parametrize(("text", "language"), [*((t, "zh-CN") for t, _ in ZH), *((t, "en-US") for t, _ in EN)])
def test_no_figure_is_left_and_a_reading_is_read_as_it_is(text: str, language: str) -> None:
    reading = in_words(tidy(text), language)

    assert not DIGIT.search(reading)
    assert in_words(reading, language) == reading


FIGURES = "0 1 2 5 10 12 30 100 120 302 911 999 1000 1998 2024 3.14 1,000 007 12345 13800138000 ½ ² √"
figures = st.sampled_from(FIGURES.split())
signs = st.sampled_from(
    [*"+-−×÷*/=<>^~:：.,，。！%￥$€°℃()（）#&@", " ", " - ", "℃", "°C", "km", "kg", "x", "㎡", "\n"]
)
chinese = st.sampled_from(
    ["年", "月", "日", "点", "个", "人", "元", "电话", "打", "等于几", "零下", "房间", "第", "前", "比分", "熊"]
)
english = st.sampled_from(
    [" is ", "What is ", " apples ", " Room ", " call ", " in ", "May ", "Dec. ", " a.m. ", " and ", "Hmm "]
)


@given(st.lists(figures | signs | chinese, max_size=14).map("".join))
def test_whatever_stands_beside_figures_a_chinese_reading_has_none(text: str) -> None:
    assert not DIGIT.search(in_words(tidy(text), "zh-CN"))


@given(st.lists(figures | signs | english, max_size=14).map("".join))
def test_whatever_stands_beside_figures_an_english_reading_has_none(text: str) -> None:
    assert not DIGIT.search(in_words(tidy(text), "en-US"))


@given(st.lists(figures | chinese | st.sampled_from(["，", "。", " "]), max_size=20).map("".join))
def test_no_word_of_a_chinese_sentence_is_lost(text: str) -> None:
    reading = in_words(tidy(text), "zh-CN")

    assert [char for char in reading if char in "月个人熊房间第"] == [
        char for char in tidy(text) if char in "月个人熊房间第"
    ]
