import pytest
from deploy.mp3 import NoMp3, seconds_of

from fixtures import sounds


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_an_encoder_s_mp3_plays_as_long_as_its_sound(rate: int) -> None:
    mp3 = sounds.encoded("mp3", sounds.tone(2.0, rate), rate)

    assert seconds_of(mp3) == pytest.approx(2.0, abs=0.3)
    assert seconds_of(mp3 + mp3) == pytest.approx(4.0, abs=0.6)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (lambda mp3: mp3[:-10], "cut off"),
        (lambda mp3: mp3[:1000] + b"RIFF" + mp3[1000:], "begins no frame"),
        (lambda mp3: b"", "empty"),
        (lambda mp3: b"RIFF\0\0\0\0WAVE", "begins no frame"),
        (lambda mp3: b'{"error": {}}', "begins no frame"),
    ],
)
def test_what_a_toy_cannot_play_is_told(changed: "object", word: str) -> None:
    mp3 = sounds.encoded("mp3", sounds.tone(1.0, 24_000), 24_000)

    with pytest.raises(NoMp3, match=word):
        seconds_of(changed(mp3))  # type: ignore[operator]
