import pytest

from tts.voices.names import Told, microsoft, told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zh-CN-YunjianNeural", Told("zh-CN", "male")),
        ("zh-CN-liaoning-XiaobeiNeural", Told("zh-CN-liaoning", "female")),
        ("en-US-EmmaMultilingualNeural", Told("en-US", "female")),
        ("zh-CN-NobodyNeural", Told("zh-CN", None)),
        ("ZH-CN-xiaoxiaoneural", Told("zh-CN", "female")),
        ("zh-cn-yunjianneural", Told("zh-CN", "male")),
        ("ZH-CN-LIAONING-XIAOBEINEURAL", Told("zh-CN-liaoning", "female")),
        ("en-us-nobodyneural", Told("en-US", None)),
        ("AF_HEART", Told("en-US", "female")),
        ("af_heart", Told("en-US", "female")),
        ("zm_yunxi", Told("zh-CN", "male")),
        ("粤语女", Told("zh-HK", "female")),
        ("alloy", None),
        ("guodegang", None),
        ("xf_nobody", None),
        ("", None),
    ],
)
def test_a_name_tells_what_it_tells(name: str, said: Told | None) -> None:
    assert told(name) == said


def test_microsofts_voices_are_in_the_order_of_preference() -> None:
    assert list(microsoft())[:2] == ["zh-CN-XiaoxiaoNeural", "zh-CN-XiaoyiNeural"]
    assert len(microsoft()) > 150
