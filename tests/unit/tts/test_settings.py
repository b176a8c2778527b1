import pytest

from chassis.settings import SettingError, read
from tts.audio.encoders import Mp3
from tts.settings import Settings


def test_without_a_word_edge_speaks_and_espeak_stands_by() -> None:
    assert read(Settings, {}).engines == ("edge", "espeak")


def test_the_environment_says_otherwise() -> None:
    settings = read(Settings, {"TTS_ENGINES": "flite, espeak", "TTS_LANGUAGE": "zh"})

    assert (settings.engines, settings.language) == (("flite", "espeak"), "zh")


def test_mp3_for_small_toys() -> None:
    settings = read(Settings, {"TTS_MP3_KBITS": "32", "TTS_MP3_RATE": "16000"})

    assert settings.mp3 == Mp3(32, 16_000)
    assert read(Settings, {}).mp3 == Mp3()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MP3_KBITS", "65"), ("MP3_KBITS", "320"), ("MP3_RATE", "23000"), ("LOUDNESS", "3"), ("LOUDNESS", "loud")],
)
def test_what_there_is_not_is_said(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"TTS_{variable}"):
        read(Settings, {f"TTS_{variable}": value})


@pytest.mark.parametrize(("text", "wish"), [("-16", -16.0), ("off", "off"), ("auto", "auto"), ("", "auto")])
def test_loudness_is_a_number_or_a_word(text: str, wish: object) -> None:
    assert read(Settings, {"TTS_LOUDNESS": text}).loudness == wish
