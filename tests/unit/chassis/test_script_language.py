import pytest

from chassis.script_language import detect, foreign, holds_han


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好，小熊", "zh"),
        ("我有一部 iPhone 和 a very long list of English words", "zh"),
        ("日本語を話す", "ja"),
        ("カタカナ", "ja"),
        ("안녕하세요 大韓", "ko"),
        ("Привет, мир", "ru"),
        ("Привіт, як ти", "uk"),
        ("مرحبا", "ar"),
        ("سلام چطوری", "fa"),
        ("שלום", "he"),
        ("สวัสดี", "th"),
        ("नमस्ते", "hi"),
        ("γειά σου", "el"),
        ("გამარჯობა", "ka"),
        ("Hello", None),
        ("Straße, déjà vu", None),
        ("the letter β in an English sentence", None),
        ("2024!", None),
        ("", None),
    ],
)
def test_letters_tell_the_language(text: str, language: str | None) -> None:
    assert detect(text) == language


def test_a_voice_is_foreign_to_a_text_of_which_it_knows_no_letter() -> None:
    assert foreign("你好", "en-US")
    assert foreign("Привет", "zh-CN")
    assert not foreign("OK 你好", "en-US")
    assert not foreign("Hello", "zh-CN")
    assert not foreign("東京", "ja-JP")
    assert not foreign("Привіт", "uk-UA")
    assert not foreign("123", "en-US")


def test_kanji_are_found_among_kana() -> None:
    assert holds_han("日本語を話す")
    assert not holds_han("こんにちは")
