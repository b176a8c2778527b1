from chassis.settings import read
from tts.settings import Settings


def test_without_a_word_edge_speaks_and_espeak_stands_by() -> None:
    assert read(Settings, {}).engines == ("edge", "espeak")


def test_the_environment_says_otherwise() -> None:
    settings = read(Settings, {"TTS_ENGINES": "flite, espeak", "TTS_LANGUAGE": "zh"})

    assert (settings.engines, settings.language) == (("flite", "espeak"), "zh")
