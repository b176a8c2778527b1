import pytest

from tts.speakable import clean, speakable


@pytest.mark.parametrize("text", ["Hi", "你", "7", "١", "½", "[[hello]]", "e\u0301"])
def test_letters_and_digits_can_be_said(text: str) -> None:
    assert speakable(text)


@pytest.mark.parametrize("text", ["", "…", "。！？", "🐻🎉", "👩‍👩‍👧", " \n\t", "***", "(^_^)", "---", "\u200b"])
def test_punctuation_and_emoji_alone_can_not(text: str) -> None:
    assert not speakable(text)


def test_what_only_machines_read_is_dropped_and_nothing_else() -> None:
    assert clean("\x00Hel\u200blo\x07 \ufffe你好\ue000\r\nthere\u2028now ") == "Hello   你好 \nthere\nnow"


def test_tabs_lines_accents_and_joiners_stay() -> None:
    text = "a\tb\nno\u0301 می‌خواهم 👩‍👧"

    assert clean(text) == text
