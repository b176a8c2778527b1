from tts.audio.pcm import pcm, silence


def test_silence_is_as_long_as_it_says_and_holds_nothing() -> None:
    assert silence(0.3) == bytes(14_400)
    assert len(silence(0.25, 16_000)) == 8_000


def test_pcm_knows_how_fast_it_flows() -> None:
    assert pcm(22_050).bytes_per_second == 44_100
