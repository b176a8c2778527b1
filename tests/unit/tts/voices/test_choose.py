from collections.abc import Sequence

import pytest

from chassis.errors import Declined
from chassis.settings import SettingError
from tts.voices.choose import Voice, choose, prefer
from tts.voices.language_tags import normal
from tts.voices.names import OPENAI

XIAOXIAO, XIAOYI, YUNXI = Voice("xx", "zh-CN", "female"), Voice("xy", "zh-CN", "female"), Voice("yx", "zh-CN", "male")
TAIWAN, CANTON = Voice("tw", "zh-TW", "female"), Voice("hk", "zh-HK", "female")
JENNY, GUY = Voice("jenny", "en-US", "female"), Voice("guy", "en-US", "male")
AVA = Voice("ava", "en-US", "female", polyglot=True)
KNOWN = [XIAOXIAO, XIAOYI, YUNXI, TAIWAN, CANTON, JENNY, GUY]


def chosen(asked: str, text: str, known: Sequence[Voice] = KNOWN, default: str = "en") -> Voice:
    native = next((voice for voice in known if voice.name == asked), None)
    return choose(known, native, asked, text, default)


@pytest.mark.parametrize("name", OPENAI)
def test_each_of_openais_names_has_a_voice_for_each_language(name: str) -> None:
    assert chosen(name, "Hello").language == "en-US"
    assert chosen(name, "你好").language == "zh-CN"
    assert chosen(name, "你好") == chosen(name, "再见")


def test_openais_women_and_men_stay_what_they_are_and_differ_where_they_can() -> None:
    assert (chosen("nova", "你好"), chosen("shimmer", "你好")) == (XIAOXIAO, XIAOYI)
    assert (chosen("onyx", "你好"), chosen("Echo", "Hello")) == (YUNXI, GUY)
    assert chosen("alloy", "你好") == XIAOXIAO


def test_a_native_voice_is_used_as_it_is() -> None:
    assert chosen("guy", "Hello") == GUY
    assert chosen("guy", "Hello, 小熊") == GUY
    assert chosen("yx", "Hello") == YUNXI


def test_a_native_voice_that_knows_no_letter_of_the_text_gives_way_to_one_of_its_gender() -> None:
    assert chosen("guy", "你好") == YUNXI
    assert chosen("ava", "你好", [*KNOWN, AVA]) == AVA


@pytest.mark.parametrize(
    ("asked", "text", "found"),
    [
        ("zh-CN-YunjianNeural", "Hello", YUNXI),
        ("zh-HK-WanLungNeural", "你好", CANTON),
        ("zh_tw", "你好", TAIWAN),
        ("cmn", "Hello", XIAOXIAO),
        ("yue", "你好", CANTON),
        ("en-GB-SoniaNeural", "Hello", JENNY),
        ("en-US-GuyNeural2", "你好", XIAOXIAO),
    ],
)
def test_another_engines_voice_is_found_by_its_language(asked: str, text: str, found: Voice) -> None:
    assert chosen(asked, text) == found


@pytest.mark.parametrize("asked", ["guodegang", "郭德纲", "my-voice", "zh_guodegang", "bob", "voice-2024"])
def test_a_name_nobody_knows_means_whoever_speaks_the_texts_language(asked: str) -> None:
    assert chosen(asked, "你好") == XIAOXIAO
    assert chosen(asked, "Hello") == JENNY


@pytest.mark.parametrize(
    "piece", ["25。", "10:30。", "5！", "3.14。", "25℃。", "1，2，3。", "（3）", "3＋2＝5", "￥5", "50％！"]
)
@pytest.mark.parametrize("asked", ["alloy", "guy", "en-US-GuyNeural", "nobody"])
def test_figures_with_chinese_punctuation_are_chinese_whoever_was_asked_for(piece: str, asked: str) -> None:
    assert chosen(asked, piece).language == "zh-CN"


def test_figures_alone_are_in_the_language_of_the_voice_then_of_the_piece_before_then_of_the_house() -> None:
    def language(asked: str, hint: str | None, default: str = "en") -> str:
        native = next((voice for voice in KNOWN if voice.name == asked), None)
        return choose(KNOWN, native, asked, "25", default, hint).language

    assert language("xx", "en") == "zh-CN"
    assert language("zh-CN-YunjianNeural", "en") == "zh-CN"
    assert language("alloy", "zh") == "zh-CN"
    assert language("alloy", "en", default="zh") == "en-US"
    assert language("alloy", None, default="zh") == "zh-CN"


def test_letters_decide_before_what_was_said_last() -> None:
    assert choose(KNOWN, None, "alloy", "Hello", "en", "zh").language == "en-US"


def test_a_japanese_voice_keeps_figures_with_wide_punctuation() -> None:
    nanami = Voice("nanami", "ja-JP", "female")
    assert choose([*KNOWN, nanami], nanami, "nanami", "25。", "en") == nanami


def test_a_text_without_telling_letters_is_in_the_language_of_the_house() -> None:
    assert chosen("alloy", "2024", default="zh") == XIAOXIAO


def test_a_language_without_a_voice_is_declined_with_the_list_of_those_that_exist() -> None:
    with pytest.raises(Declined, match=r"'th'.*xx, xy, yx, tw, hk, jenny, guy") as declined:
        chosen("alloy", "สวัสดี")
    assert declined.value.body["param"] == "voice"


def test_a_long_list_is_cut_and_says_where_all_of_it_is() -> None:
    with pytest.raises(Declined, match="60 more, listed at /v1/audio/voices"):
        chosen("alloy", "สวัสดี", [Voice(f"v{number}", "en-US") for number in range(100)])


def test_preferred_voices_come_first_and_must_exist() -> None:
    named = {voice.name: voice for voice in KNOWN}.get

    assert prefer(["yx", "guy"], KNOWN, named)[:3] == [YUNXI, GUY, XIAOXIAO]
    assert len(prefer(["yx"], KNOWN, named)) == len(KNOWN)
    with pytest.raises(SettingError, match=r"'nobody'.*There are: xx"):
        prefer(["nobody"], KNOWN, named)


def test_language_tags_have_one_form() -> None:
    assert [normal(tag) for tag in ("cmn", "en-us", "en_GB", "de", "no", "es-419")] == [
        "zh-CN",
        "en-US",
        "en-GB",
        "de",
        "nb",
        "es-419",
    ]


def test_voices_learnt_of_later_change_nobodys_voice() -> None:
    later = [*KNOWN, Voice("zz", "zh-CN", "female", late=True), Voice("zy", "zh-CN", "male", late=True)]

    for name in OPENAI:
        assert chosen(name, "你好", later) == chosen(name, "你好")
    assert chosen("zz", "你好", later).name == "zz"


@pytest.mark.parametrize(
    ("asked", "gender"),
    [("zh-CN-YunjianNeural", "male"), ("zh-CN-XiaoyiNeural", "female"), ("zm_yunxi", "male"), ("中文女", "female")],
)
def test_another_engines_voice_means_the_nearest_in_language_and_gender(asked: str, gender: str) -> None:
    voice = chosen(asked, "2024")

    assert (voice.language, voice.gender) == ("zh-CN", gender)
