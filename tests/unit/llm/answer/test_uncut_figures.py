import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.answer.markdown import Plain, plain
from llm.answer.uncut_figures import UncutFigures

FOLOTOY_CUTS = re.compile("[，！。？,!.?]")


def streamed(text: str, size: int) -> str:
    plainly = Plain()
    return "".join(plainly.add(text[at : at + size]) for at in range(0, len(text), size)) + plainly.rest()


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("圆周率是3.14。", "圆周率是3．14。"),
        ("It costs $3.50, not $1,234,567.", "It costs $3．50, not $1234567."),
        ("**37.5**℃", "37．5℃"),
        ("Python 3.11.4", "Python 3．11．4"),
        ("有3.", "有3."),
        ("I have 3. You have 4.", "I have 3. You have 4."),
        ("3,2,1,开始", "3,2,1,开始"),
        ("1,23 and 12345,678", "1,23 and 12345,678"),
        ("1. 苹果\n2. 香蕉", "1. 苹果\n2. 香蕉"),
        ("3\n4", "3\n4"),
        ("Mr. Bear", "Mr. Bear"),
    ],
)
def test_a_figure_has_no_sign_at_which_folotoy_server_cuts(text: str, said: str, size: int) -> None:
    assert streamed(text, size) == said == plain(text)


def test_a_price_arrives_in_one_piece() -> None:
    pieces = FOLOTOY_CUTS.split(plain("苹果3.5元，香蕉1,200元。"))

    assert pieces == ["苹果3．5元", "香蕉1200元", ""]


def test_words_are_not_kept_waiting() -> None:
    figures = UncutFigures()

    assert figures.add("Hello, little bear.") == "Hello, little bear."
    assert figures.add(" It is 3") == " It is "
    assert figures.add(" o'clock.") == "3 o'clock."


@given(st.text("0123.,a *[\n", max_size=20), st.integers(1, 5))
def test_how_a_text_is_cut_makes_no_difference(text: str, size: int) -> None:
    assert streamed(text, size) == plain(text)
