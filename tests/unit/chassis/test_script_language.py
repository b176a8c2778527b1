import pytest

from chassis.script_language import detect, foreign, holds_han, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好，小熊", "zh"),
        ("我有一部 iPhone 和 a very long list of English words", "zh"),
        ("日本語を話す", "ja"),
        ("カタカナ", "ja"),
        ("今日は晴れです", "ja"),
        ("東京都庁舎の展望室は無料", "ja"),
        ("経済成長率が前年比二％", "ja"),
        ("私の猫", "ja"),
        ("犬が好き", "ja"),
        ("猫だ", "ja"),
        ("我の小熊", "zh"),
        ("鲜の每日牛奶真好喝", "zh"),
        ("你好ツ", "zh"),
        ("小熊说：「かわいい」就是可爱的意思。", "zh"),
        ("小熊說：「かわいい」就是可愛的意思。", "zh"),
        ("么么哒づ", "zh"),
        ("Hello ツ", None),
        ("π≈3.14", None),
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


def test_a_piece_without_letters_has_the_language_of_its_punctuation_then_of_the_piece_before() -> None:
    assert language_of("25。") == "zh"
    assert language_of("25！", hint="en") == "zh"
    assert language_of("25.", hint="zh") == "zh"
    assert language_of("25.") is None
    assert language_of("Привет！", hint="zh") == "ru"
    assert language_of("Hello！", hint="zh") is None


def test_a_chinese_voice_is_not_foreign_to_a_chinese_sentence_with_kana() -> None:
    assert not foreign("我の小熊", "zh-CN")


def test_kanji_are_found_among_kana() -> None:
    assert holds_han("日本語を話す")
    assert not holds_han("こんにちは")
