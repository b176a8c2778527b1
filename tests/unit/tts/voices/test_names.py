import pytest

from tts.voices.names import VoiceTraits, microsoft, voice_traits


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zh-CN-YunjianNeural", VoiceTraits("zh-CN", "male")),
        ("zh-CN-liaoning-XiaobeiNeural", VoiceTraits("zh-CN-liaoning", "female")),
        ("en-US-EmmaMultilingualNeural", VoiceTraits("en-US", "female")),
        ("zh-CN-NobodyNeural", VoiceTraits("zh-CN", None)),
        ("ZH-CN-xiaoxiaoneural", VoiceTraits("zh-CN", "female")),
        ("zh-cn-yunjianneural", VoiceTraits("zh-CN", "male")),
        ("ZH-CN-LIAONING-XIAOBEINEURAL", VoiceTraits("zh-CN-liaoning", "female")),
        ("en-us-nobodyneural", VoiceTraits("en-US", None)),
        ("AF_HEART", VoiceTraits("en-US", "female")),
        ("af_heart", VoiceTraits("en-US", "female")),
        ("zm_yunxi", VoiceTraits("zh-CN", "male")),
        ("粤语女", VoiceTraits("zh-HK", "female")),
        ("alloy", None),
        ("guodegang", None),
        ("xf_nobody", None),
        ("", None),
    ],
)
def test_a_name_tells_what_it_tells(name: str, said: VoiceTraits | None) -> None:
    assert voice_traits(name) == said


def test_microsofts_voices_are_in_the_order_of_preference() -> None:
    assert list(microsoft())[:2] == ["zh-CN-XiaoxiaoNeural", "zh-CN-XiaoyiNeural"]
    assert len(microsoft()) > 150
