import asyncio
from pathlib import Path

import pytest

from chassis.errors import Declined
from chassis.settings import SettingError
from tts.engines.espeak import LONGEST_DATA_PATH, Espeak, EspeakOptions, _near, words
from tts.voices.choose import Voice, choose
from unit.tts.fakes import Heard, ask, gathered, service


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    return Espeak.load("espeak", lambda doing, part: None)


def voice(espeak: Espeak, name: str) -> Voice:
    found = espeak.voice(name)
    assert found is not None
    return found


async def said(espeak: Espeak, text: str, name: str = "en-us", speed: float = 1.0) -> float:
    """Seconds of sound."""
    return len(await gathered(espeak.speak(text, voice(espeak, name), speed))) / espeak.sound.bytes_per_second


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("en-us", "Hello little bear."),
        ("cmn", "你好，小熊。"),
        ("yue", "你好"),
        ("ja", "こんにちは"),
        ("ko", "안녕하세요"),
        ("ru", "Привет"),
        ("ar", "مرحبا"),
        ("hi", "नमस्ते"),
        ("de+f3", "Guten Tag"),
    ],
)
async def test_many_languages_are_spoken(espeak: Espeak, name: str, text: str) -> None:
    assert 0.3 < await said(espeak, text, name) < 3


async def test_what_is_said_is_not_silence(espeak: Espeak) -> None:
    sound = await gathered(espeak.speak("Hello little bear.", voice(espeak, "en-us"), 1.0))

    assert max(memoryview(sound).cast("h")) > 5_000


async def test_the_first_sound_comes_before_the_clause_is_complete(espeak: Espeak) -> None:
    pieces = [piece async for piece in espeak.speak("Hello little bear, how are you?", voice(espeak, "en-us"), 1.0)]

    assert len(pieces) == 2
    assert len(pieces[0]) < len(pieces[1])


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.5, 2.0])
async def test_speed_is_its_own(espeak: Espeak, speed: float) -> None:
    text = "Once upon a time there was a little bear who lived in the forest with his friends."

    assert await said(espeak, text, speed=speed) == pytest.approx(await said(espeak, text) / speed, rel=0.1)


def test_its_voices_have_names_languages_and_genders(espeak: Espeak) -> None:
    assert voice(espeak, "CMN") == Voice("cmn", "zh-CN", "male")
    assert voice(espeak, "yue").language == "zh-HK"
    assert voice(espeak, "en-us+F3") == Voice("en-us+f3", "en-US", "female")
    assert voice(espeak, "de+whisper").name == "de+whisper"
    assert espeak.voice("guodegang") is espeak.voice("en-us+nobody") is espeak.voice("") is None
    assert len({known.language for known in espeak.voices}) > 100
    assert all(espeak.voice(known.name) == known for known in espeak.voices)


async def test_every_voice_it_lists_speaks(espeak: Espeak) -> None:
    for voice in espeak.voices:
        assert await said(espeak, "1", voice.name), voice.name


def test_openais_names_find_its_plain_voices(espeak: Espeak) -> None:
    def found(asked: str, text: str) -> str:
        return choose(espeak.voices, espeak.voice(asked), asked, text, "en").name

    assert found("alloy", "Hello") == "en-us"
    assert found("nova", "你好") == "cmn+f3"
    assert found("zh-CN-YunjianNeural", "Hello") == "cmn"
    assert found("fr-FR-HenriNeural", "Bonjour") == "fr-fr"
    assert found("es-MX-DaliaNeural", "Hola") == "es+f3"
    assert found("guodegang", "Привет") == "ru"


def test_the_operator_may_prefer_others() -> None:
    espeak = Espeak(EspeakOptions(voices=("en-gb", "yue")))

    assert choose(espeak.voices, None, "alloy", "Hello", "en").name == "en-gb"
    assert choose(espeak.voices, None, "alloy", "你好", "en").name == "yue"
    with pytest.raises(SettingError, match="'parrot'"):
        Espeak(EspeakOptions(voices=("parrot",)))


def test_kanji_are_declined_and_kana_are_not(espeak: Espeak) -> None:
    espeak.accept("こんにちは", voice(espeak, "ja"))
    with pytest.raises(Declined, match="kana only"):
        espeak.accept("日本語を話す", voice(espeak, "ja"))


@pytest.mark.parametrize("char", "熊雄兄穷窘")
async def test_syllables_in_iong_are_said_and_not_spelled(espeak: Espeak, char: str) -> None:
    assert await said(espeak, char, "cmn") < 0.7  # three English letters take longer


def test_only_our_own_phonemes_are_read_as_such(espeak: Espeak) -> None:
    assert words("小熊[[h@l'oU]]", voice(espeak, "cmn"))[0].decode() == "小[[S;jong35]][ [h@l'oU]]"
    assert words("[[h@l'oU]]", voice(espeak, "en-us"))[0] == b"[[h@l'oU]]"


async def test_text_that_looks_like_markup_is_read_and_not_obeyed(espeak: Espeak) -> None:
    assert await said(espeak, '<break time="9s"/> Hi.') < 6


async def test_what_it_cannot_say_is_no_failure(espeak: Espeak) -> None:
    assert await said(espeak, "\u200d") < 1


async def test_many_at_once_do_not_disturb_each_other(espeak: Espeak) -> None:
    texts = [("en-us", "Hello little bear."), ("cmn", "你好，小熊。"), ("de", "Guten Tag, kleiner Bär.")] * 10
    alone = {name: await said(espeak, text, name) for name, text in texts[:3]}

    together = await asyncio.gather(*(said(espeak, text, name) for name, text in texts))

    for (name, _), seconds in zip(texts, together, strict=True):
        assert seconds == pytest.approx(alone[name], abs=0.05)


async def test_one_who_leaves_early_stops_it_and_the_next_is_served(espeak: Espeak) -> None:
    spoken = espeak.speak("One two three four five. " * 100, voice(espeak, "en-us"), 1.0)
    await anext(spoken)
    await spoken.aclose()

    assert await said(espeak, "Hello") < 1


def test_a_long_way_to_its_data_is_shortened(tmp_path: Path) -> None:
    far = tmp_path / ("x" * LONGEST_DATA_PATH)
    far.mkdir()
    (far / "phontab").touch()

    near = _near(far)

    assert len(str(near)) <= LONGEST_DATA_PATH
    assert (near / "phontab").exists()
    assert _near(tmp_path) == tmp_path


@pytest.mark.parametrize("text", ["Hello little bear, how are you?", "你好，小熊！今天天气怎么样？"])
async def test_its_mp3_is_as_long_as_its_pcm(text: str) -> None:
    app = service(espeak=Espeak())
    mp3, flac = [Heard((await ask(app, input=text, response_format=codec)).content) for codec in ("mp3", "flac")]

    assert mp3.seconds == pytest.approx(flac.seconds, rel=0.01, abs=0.03)  # a frame of mp3 is 26 ms
