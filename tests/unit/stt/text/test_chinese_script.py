from typing import Any

import pytest

from stt.hearing import Heard, Hints, Script, Segment, Word
from stt.text.chinese_script import script_of, written
from unit.stt.fakes import FakeEngine, ask, service


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("zh-Hans", "t2s"),
        ("zh-CN", "t2s"),
        ("zh_CN", "t2s"),
        ("cmn-Hans-CN", "t2s"),
        ("zh-Hans-HK", "t2s"),
        ("简体中文", "t2s"),
        ("Chinese (Simplified)", "t2s"),
        ("zh-Hant", "s2t"),
        ("繁體", "s2t"),
        ("zh-TW", "s2tw"),
        ("ZH-HANT-TW", "s2tw"),
        ("zh-HK", "s2hk"),
        ("yue-Hant-HK", "s2hk"),
        ("简体", "t2s"),
        ("普通话", "t2s"),
        ("中文（繁体）", "s2t"),
        ("中文(台灣)", "s2tw"),
        ("zh", None),
        ("Chinese", None),
        ("en-HK", None),
        ("ja", None),
        ("", None),
    ],
)
def test_a_language_may_say_how_chinese_is_written(name: str, script: Script | None) -> None:
    assert script_of(name) == script


def chinese(text: str, *words: str) -> Segment:
    return Segment(start=0.0, end=2.0, text=text, words=tuple(Word(word, 0.1, 0.2) for word in words))


def test_words_are_written_as_they_stand_in_their_sentence() -> None:
    [segment] = written(
        Heard(language="zh", segments=(chinese("后天皇后洗头发", "后", "天", "皇", "后", "洗", "头", "发"),)),
        Hints(script="s2t"),
    ).segments

    assert segment.text == "後天皇后洗頭髮"
    assert [word.word for word in segment.words] == list("後天皇后洗頭髮")
    assert segment.words[0] == Word("後", 0.1, 0.2)


def test_a_word_that_is_not_in_the_text_is_written_so_by_itself() -> None:
    [segment] = written(Heard(language="yue", segments=(chinese(" 你好", "这个"),)), Hints(script="s2hk")).segments

    assert segment.words[0].word == "這個"


@pytest.mark.parametrize("script", ["t2s", "s2t", None])
def test_japanese_keeps_its_own_characters(script: Script | None) -> None:
    heard = Heard(language="ja", segments=(chinese("国際電話と發電"),))

    assert written(heard, Hints(script=script)) is heard


HEARD = chinese("這個頭髮很漂亮", "這個", "頭髮")


@pytest.mark.parametrize(
    ("settings", "fields", "text"),
    [
        ({}, {}, "这个头发很漂亮"),
        ({}, {"language": "zh"}, "这个头发很漂亮"),
        ({}, {"language": "yue"}, "這個頭髮很漂亮"),
        ({}, {"language": "中文（繁體）"}, "這個頭髮很漂亮"),
        ({}, {"language": "zh-Hans"}, "这个头发很漂亮"),
        ({}, {"languages": ["en", "zh-CN"]}, "这个头发很漂亮"),
        ({"language": "zh-Hans"}, {}, "这个头发很漂亮"),
        ({"language": "zh-Hans"}, {"language": "zh"}, "这个头发很漂亮"),
        ({"language": "zh-Hans"}, {"language": "zh-TW"}, "這個頭髮很漂亮"),
        ({"languages": ("en", "zh-Hans")}, {}, "这个头发很漂亮"),
    ],
)
async def test_who_calls_says_how_it_is_written_and_else_who_installed_it(
    settings: dict[str, Any], fields: dict[str, Any], text: str
) -> None:
    engine = FakeEngine(HEARD, language="zh")

    assert (await ask(service(engine, **settings), **fields)).json()["text"] == text
    assert engine.closed == 1


@pytest.mark.parametrize("format", ["srt", "vtt", "text", "verbose_json"])
async def test_every_format_is_written_so(format: str) -> None:
    app = service(FakeEngine(HEARD, language="zh"))

    answer = (await ask(app, language="zh-Hans", response_format=format)).text

    assert "这个头发" in answer
    assert "這" not in answer


async def test_what_is_streamed_is_written_so() -> None:
    answer = await ask(service(FakeEngine(HEARD, language="zh")), language="zh-Hans", stream="true")

    assert "\\u8fd9\\u4e2a\\u5934\\u53d1" in answer.text
    assert "\\u9019" not in answer.text
