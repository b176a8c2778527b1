import pytest

from stt.text.hallucinations import is_invented


@pytest.mark.parametrize(
    "text",
    [
        "THANK YOU.",
        "Thank-you!",
        "Bye-bye…",
        "[Music]",
        "(Applause)",
        "♪ music ♪",
        "Don't forget to like and subscribe!",
        "Ｔｈａｎｋ　ｙｏｕ",
        "《谢谢》",
        " 拜拜 ",
        "再見！",
        "优优独播剧场——YoYo Television Series Exclusive",
    ],
)
def test_case_signs_spaces_and_width_of_letters_make_no_difference(text: str) -> None:
    assert is_invented(text)


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("谢谢收看", "謝謝收看"),
        ("感谢收听", "感謝收聽"),
        ("下期再见", "下期再見"),
        ("请订阅", "請訂閱"),
        ("音乐", "音樂"),
        ("请不吝点赞", "請不吝點讚"),
        ("点赞订阅", "點贊訂閱"),
        ("字幕志愿者", "字幕志願者"),
        ("字幕组", "字幕組"),
        ("明镜与点点", "明鏡與點點"),
        ("作词 李宗盛", "作詞 李宗盛"),
    ],
)
def test_a_sentence_is_known_in_both_scripts(simplified: str, traditional: str) -> None:
    assert is_invented(simplified)
    assert is_invented(traditional)


@pytest.mark.parametrize(
    "text",
    ["This was subtitles by somebody at the end", "今天的节目就到这里 字幕由某人提供", "作曲 编曲 李宗盛 演唱"],
)
def test_a_credit_is_known_within_a_longer_sentence(text: str) -> None:
    assert is_invented(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you, bear",
        "Thank you thank you",
        "Play some music",
        "you too",
        "谢谢小熊",
        "再见小熊",
        "放一点音乐",
        "这部电影有字幕吗",
        "我喜欢李宗盛的歌",
        "请给我点赞",
    ],
)
def test_one_of_the_words_in_a_sentence_of_ones_own_is_no_sign(text: str) -> None:
    assert not is_invented(text)


@pytest.mark.parametrize("text", ["", "   ", "...", "♪♪♪", "？！"])
def test_signs_alone_are_not_on_the_list(text: str) -> None:
    assert not is_invented(text)
