"""Loudness: the measure, what is known of a voice, the limiter, and what a caller hears of it."""

import math
from array import array
from itertools import pairwise

import pytest

from tts.audio.loudness import CEILING_DB, ENGINES_LUFS, USUAL, Levels, Limiter, Meter
from tts.audio.pcm import RATE, Sound, pcm, silence
from tts.engines.espeak import Espeak
from tts.settings import Settings
from unit.tts.fakes import ENGLISH, SENTENCES, FakeEngine, Heard, ask, encoded, gathered, hum, service

CEILING = round(32_767 * 10 ** (CEILING_DB / 20))

MP3 = Sound("mp3", 24_000, 8_000)
K_WEIGHTING = (
    ([1.53512485958697, -2.69169618940638, 1.19839281085285], [-1.69065929318241, 0.73248077421585]),
    ([1.0, -2.0, 1.0], [-1.99004745483398, 0.99007225036621]),
)
"""ITU-R BS.1770's two filters, for 48 000 samples a second."""


def sine(hertz: float, volume: float, seconds: float = 2.0, rate: int = RATE) -> bytes:
    samples = range(round(seconds * rate))
    return array("h", [round(32_767 * volume * math.sin(2 * math.pi * hertz * at / rate)) for at in samples]).tobytes()


def louder(sound: bytes, gain: float) -> bytes:
    return array("h", [round(sample * gain) for sample in array("h", sound)]).tobytes()


def peak(sound: bytes) -> int:
    return max(map(abs, array("h", sound)))


def measured(sound: bytes, rate: int = RATE, piece_bytes: int = 7_001) -> float:
    meter = Meter(rate)
    for at in range(0, len(sound), piece_bytes):
        meter.feed(sound[at : at + piece_bytes])
    heard = meter.heard()
    assert heard is not None
    return heard[0]


def by_the_book(sound: bytes) -> float:
    """LUFS as ITU-R BS.1770 says, of PCM at 24 000 samples a second: doubled, filtered, in gated blocks of 0.4 s."""
    plain = [sample / 32_768 for sample in array("h", sound)]
    samples = [value for a, b in zip(plain, [*plain[1:], 0.0], strict=True) for value in (a, (a + b) / 2)]
    for (b0, b1, b2), (a1, a2) in K_WEIGHTING:
        x1 = x2 = y1 = y2 = 0.0
        for at, x in enumerate(samples):
            y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            samples[at], x1, x2, y1, y2 = y, x, x1, y, y1
    blocks = [samples[at : at + 19_200] for at in range(0, len(samples) - 19_200, 4_800)]
    powers = [sum(x * x for x in block) / 19_200 for block in blocks]
    audible = [power for power in powers if -0.691 + 10 * math.log10(power + 1e-12) > -70]
    counted = [power for power in audible if power > sum(audible) / len(audible) / 10]
    return -0.691 + 10 * math.log10(sum(counted) / len(counted))


@pytest.mark.parametrize(("voice", "text"), [("en-us", "Hello little bear, how are you?"), ("cmn+f3", "你好，小熊！")])
async def test_speech_is_measured_as_the_standard_measures_it(voice: str, text: str) -> None:
    espeak = Espeak()
    named = espeak.voice(voice)
    assert named is not None
    spoken = await gathered(espeak.speak(text, named, 1.0))
    await espeak.aclose()

    # espeak's rate is not 24 000; played at that rate it is speech as well, of somebody a little smaller
    assert measured(spoken) == pytest.approx(by_the_book(spoken), abs=0.5)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_a_kilohertz_is_as_loud_as_the_standard_says_at_any_rate(rate: int) -> None:
    assert measured(sine(997, 1.0, rate=rate), rate) == pytest.approx(-3.01, abs=0.7)
    assert measured(sine(997, 0.1, rate=rate), rate) == pytest.approx(-23.01, abs=0.7)


def test_pauses_do_not_make_speech_less_loud() -> None:
    assert measured(hum(3.0) + silence(3.0) + hum(3.0)) == pytest.approx(measured(hum(2.0)), abs=0.7)


def test_silence_has_no_loudness() -> None:
    meter = Meter(RATE)
    meter.feed(silence(1.0))

    assert meter.heard() is None
    assert Meter(RATE).heard() is None


def test_a_voice_that_nobody_has_heard_is_taken_for_what_engines_are() -> None:
    assert Levels(USUAL).gain("anna", Meter(RATE)) == pytest.approx(10 ** ((USUAL - ENGINES_LUFS) / 20))


def test_a_voice_is_known_once_it_was_heard() -> None:
    levels, quiet = Levels(-16.0), louder(hum(8.0), 0.4)
    meter = Meter(RATE)
    meter.feed(quiet)

    levels.learn("anna", meter)

    assert measured(louder(quiet, levels.gain("anna", Meter(RATE)))) == pytest.approx(-16.0, abs=1.0)
    assert levels.gain("anna", Meter(RATE)) == pytest.approx(levels.gain("anna", meter), rel=0.1)
    assert levels.gain("emma", Meter(RATE)) == pytest.approx(10 ** (4 / 20))


def test_what_is_nearly_silent_is_not_made_a_roar() -> None:
    meter = Meter(RATE)
    meter.feed(louder(hum(60.0), 0.005))

    assert Levels(-16.0).gain("anna", meter) <= 6.0


@pytest.mark.parametrize("piece_bytes", [2, 130, 4_801 * 2, 10**6])
def test_the_limiter_keeps_below_its_ceiling_and_loses_nothing(piece_bytes: int) -> None:
    sound = hum(0.2) + sine(440, 0.9, 0.3) + louder(hum(0.5), 0.3)
    limiter = Limiter(RATE)
    limiter.gain = 2.0

    pieces = [limiter.feed(sound[at : at + piece_bytes]) for at in range(0, len(sound), piece_bytes)]
    limited = b"".join(pieces) + limiter.finish()

    assert len(limited) == len(sound)
    assert 0.95 * CEILING < peak(limited) <= CEILING
    assert limited[:9_000] == louder(sound[:9_000], 2.0)
    assert limited[-9_000:] == louder(sound[-9_000:], 2.0)


def test_the_limiter_turns_down_without_a_click() -> None:
    limiter = Limiter(RATE)
    limiter.gain = 3.0

    limited = array("h", limiter.feed(sine(200, 0.25, 0.5) + sine(200, 0.6, 0.5)) + limiter.finish())

    steps = [abs(b - a) for a, b in pairwise(limited)]
    assert max(steps) < 1.3 * 2 * math.pi * 200 / RATE * CEILING


async def heard_at(settings: Settings, engine: FakeEngine, **changes: object) -> bytes:
    response = await ask(service(settings, fake=engine), response_format="pcm", **changes)
    assert response.status_code == 200
    return response.content


async def test_engines_come_out_equally_loud() -> None:
    spoken = {}
    for volume in (0.5, 1.0, 3.0):
        engine = FakeEngine(louder(hum(4.0), volume), lengths=SENTENCES)
        app = service(Settings(loudness=-16.0), fake=engine)
        for text in ("One.", "Two. Three. Four. Five."):
            spoken[volume] = (await ask(app, input=text, response_format="pcm")).content

    assert [measured(sound) for sound in spoken.values()] == pytest.approx([-16.0] * 3, abs=1.0)
    assert all(peak(sound) <= CEILING for sound in spoken.values())


async def test_a_clause_that_stands_out_is_brought_nearer_to_the_others() -> None:
    class Moody(FakeEngine):
        async def speak(self, text, voice, speed):  # type: ignore[no-untyped-def]
            yield louder(hum(4.0), 0.5 if text == "Three." else 1.0)

    sound = await heard_at(Settings(loudness=-18.0), Moody(lengths=SENTENCES), input="One. Two. Three. Four.")

    clauses = [sound[at : at + 2 * RATE * 3] for at in range(RATE, len(sound) - 6 * RATE, round(2 * RATE * 4.25))]
    one, two, three, _ = [measured(clause) for clause in clauses]
    assert one == pytest.approx(two, abs=0.7)
    assert two - 4.0 < three < two - 1.0  # it was 6 dB below


async def test_a_clause_is_amplified_the_same_from_beginning_to_end() -> None:
    quiet, loud = louder(hum(1.0), 0.2), hum(1.0)

    sound = await heard_at(Settings(loudness=-18.0), FakeEngine(quiet, loud, quiet))

    first, last = sound[RATE : 2 * RATE], sound[-2 * RATE : -RATE]
    assert peak(first) == pytest.approx(peak(last), rel=0.01)


async def test_all_is_left_as_loud_as_it_is_where_the_operator_says_so() -> None:
    sound = await heard_at(Settings(loudness="off"), FakeEngine(hum(1.0)))

    assert sound[1_000:40_000] == hum(1.0)[1_000:40_000]


async def test_an_engines_own_mp3_is_untouched_unless_a_loudness_is_asked_for() -> None:
    made = encoded(louder(hum(4.0), 0.4))

    by_itself = await ask(service(Settings(), fake=FakeEngine(made, sound=MP3)))
    evened = await ask(service(Settings(loudness=-16.0), fake=FakeEngine(made, sound=MP3)))

    assert by_itself.content == made
    assert measured(Heard(evened.content).samples.tobytes()) == pytest.approx(-16.0, abs=2.0)
    assert Heard(evened.content).seconds == pytest.approx(Heard(made).seconds, abs=0.15)


async def test_several_clauses_of_mp3_are_as_loud_as_one() -> None:
    made = encoded(louder(hum(2.0), 0.4))
    engine = FakeEngine(made, sound=MP3, lengths=SENTENCES)

    answer = await ask(service(Settings(), fake=engine), input="One. Two. Three.")

    assert Heard(answer.content).loudest == pytest.approx(Heard(made).loudest, rel=0.1)


async def test_each_voice_is_known_apart() -> None:
    class Choir(FakeEngine):
        async def speak(self, text, voice, speed):  # type: ignore[no-untyped-def]
            yield hum(0.3) if voice == ENGLISH else louder(hum(0.3), 0.3)
            yield hum(4.0) if voice == ENGLISH else louder(hum(4.0), 0.3)

    app = service(Settings(loudness=-18.0), fake=Choir())
    sounds = [
        (await ask(app, voice=voice, response_format="pcm")).content
        for voice in ["anna", "xiaoxiao", "anna", "xiaoxiao"]
    ]

    assert [measured(sound) for sound in sounds[2:]] == pytest.approx([-18.0, -18.0], abs=1.0)


def test_pcm_is_evened_and_mp3_is_not_by_default() -> None:
    assert Levels("auto").leave(MP3)
    assert not Levels("auto").leave(pcm(RATE))
    assert not Levels(-16.0).leave(MP3)
    assert Levels("off").leave(pcm(RATE))
