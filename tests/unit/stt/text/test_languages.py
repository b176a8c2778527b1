import pytest

from stt.text.languages import UnknownLanguage, code_of, guessed, known_code, name_of


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh_Hans_CN", "zh"),
        ("cmn", "zh"),
        ("cmn-Hans-CN", "zh"),
        ("Chinese", "zh"),
        ("Mandarin", "zh"),
        ("中文", "zh"),
        ("yue", "yue"),
        ("EN", "en"),
        ("en-US", "en"),
        ("eng", "en"),
        (" English ", "en"),
        ("pt-BR", "pt"),
        ("iw", "he"),
        ("nb", "no"),
        ("fil", "tl"),
        ("haitian creole", "ht"),
        ("", None),
        ("auto", None),
        *(
            (name, "zh")
            for name in ("普通话", "国语", "汉语", "中文（普通话）", "中文 (简体)", "Mandarin Chinese", "zh_CN")
        ),
        *((name, "yue") for name in ("粤语", "广东话", "中文（粤语）", "zh-yue", "yue-Hant-HK")),
        *((name, "en") for name in ("英语", "英文", "英语（美国）", "en_GB.UTF-8", "ENGLISH (US)", '"en"', " 'en' ")),
        *((name, "ja") for name in ("日语", "日文", "日本語", "ja-JP")),
        ("Deutsch", "de"),
        ("français", "fr"),
        *(
            (name, None)
            for name in ("null", "None", "undefined", "detect", "auto-detect", "Auto Detect", "multilingual")
        ),
        *((name, None) for name in ("multilingual", "unknown", "mul", "自动检测", "自动")),
    ],
)
def test_a_language_is_known_by_every_name_that_callers_write(name: str, code: str | None) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize("name", ["xx", "klingon", "e", "12", "-", "\x00"])
def test_what_is_no_language_is_said_to_be_none(name: str) -> None:
    with pytest.raises(UnknownLanguage):
        code_of(name)


@pytest.mark.parametrize(
    ("code", "name"), [("en", "english"), ("zh", "chinese"), ("yue", "cantonese"), ("lo", "lao"), ("es", "spanish")]
)
def test_a_code_has_its_english_name(code: str, name: str) -> None:
    assert name_of(code) == name


def test_every_language_of_whisper_has_a_name_that_leads_back_to_it() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    for code in _LANGUAGE_CODES:
        assert code_of(code) == code
        assert name_of(code) != code
        assert code_of(name_of(code)) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [("zh", "zh"), ("Chinese", "zh"), ("english", "en"), ("HAPPY", None), ("", None), ("auto", None), (None, None)],
)
def test_what_a_server_calls_a_language_is_its_code_or_nothing(name: str | None, code: str | None) -> None:
    assert known_code(name) == code


@pytest.mark.parametrize(
    ("text", "language"), [("", "en"), ("Bär", "en"), ("bear 熊", "zh"), ("東京へ", "ja"), ("漢字와", "ko")]
)
def test_kana_and_hangul_say_more_than_the_characters_beside_them(text: str, language: str) -> None:
    assert guessed(text) == language
