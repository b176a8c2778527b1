from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.clauses import cut, size

TEXTS = st.text(st.sampled_from("ab 你好，。！?.,&<\n'é🐻👩\u200d\u0301") | st.characters(codec="utf-8"), max_size=400)


@given(TEXTS, st.integers(1, 200), st.integers(40, 400))
def test_the_pieces_joined_are_the_text_and_none_is_too_large(text: str, least: int, most: int) -> None:
    pieces = cut(text, min(least, most), most)

    assert "".join(pieces) == text
    assert all(0 < size(piece) <= most for piece in pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("你好。小熊！今天好吗？", ["你好。", "小熊！", "今天好吗？"]),
        ("“走吧！”他说。", ["“走吧！”", "他说。"]),
        ("It costs 3.14 at example.com today.", ["It costs 3.14 at example.com today."]),
        (
            "Mr. Bear met Dr. Fox, e.g. at noon. Then J. Hare.",
            ["Mr. Bear met Dr. Fox, e.g. at noon. ", "Then J. Hare."],
        ),
        ("one\ntwo", ["one\n", "two"]),
        ("No. I said no. Go", ["No. ", "I said no. ", "Go"]),
        ("", []),
    ],
)
def test_sentences_are_cut_where_they_end(text: str, pieces: list[str]) -> None:
    assert cut(text, 1, 300) == pieces


def test_sentences_are_gathered_up_to_a_size() -> None:
    assert cut("One. Two. Three. Four.", 8, 100) == ["One. Two. ", "Three. Four."]


def test_a_long_sentence_is_cut_at_a_comma_rather_than_in_a_word() -> None:
    assert cut("a word and another, then three more words", 1, 30) == ["a word and another, then ", "three more words"]
    assert cut("很久很久以前，有一只小熊住在森林里", 1, 30) == ["很久很久以前，", "有一只小熊住在森林里"]


def test_escaped_characters_count_as_what_they_become() -> None:
    assert size("a&<你") == 1 + 5 + 4 + 3
    assert all(len(piece) <= 8 for piece in cut("&" * 100, 1, 40))


def test_an_accent_stays_with_its_letter_and_an_emoji_whole() -> None:
    assert all(not piece.startswith(("\u0301", "\u200d")) for piece in cut("e\u0301" * 100 + "👩\u200d👧" * 50, 1, 41))


def test_a_whole_request_of_dots_is_cut_in_no_time() -> None:
    began = perf_counter()

    cut("a" + "." * 4094 + "b", 1, 300)

    assert perf_counter() - began < 1
