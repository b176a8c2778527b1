"""Real models, made on the spot, asked through short windows: what they say, of which sound, and when."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from chassis.threads import Stop
from fixtures.whisper_model import make, tone
from stt.engines.whisper.decoding import Decoding, Utterance, between_timestamps
from stt.engines.whisper.features import BUCKETS, Spectrum, fitting, wider
from stt.engines.whisper.judging import is_loop, unrepeated
from stt.engines.whisper.windows import Again, Windows
from stt.hearing import RATE, Heard, Pcm
from stt.sound.speech import Speech

TONES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen")
SAYS = ("hello", "little", "bear")


@cache
def model(kind: str = "tones", language: str = "en") -> WhisperModel:
    """One that tells tones apart, or that always says `SAYS`, or the words that `kind` consists of."""
    folder = Path(mkdtemp(prefix="whisper-"))
    if kind == "tones":
        make(folder, tones=" ".join(TONES), language=language)
    else:
        make(folder, say=" ".join(SAYS) if kind == "say" else kind, language=language)
    return WhisperModel(str(folder), device="cpu", cpu_threads=1, num_workers=2)


def everything(pcm: Pcm, stop: Stop | None = None) -> Speech | None:
    """A tone is no speech; here it must be heard all the same."""
    return Speech(pcm, ((0, len(pcm)),)) if len(pcm) else None


def windows(
    kind: str = "tones", *, find: Callable[[Pcm, Stop], Speech | None] = everything, **options: object
) -> Windows:
    return Windows(model(kind), find=find, **options)  # type: ignore[arg-type]


def prepared(to: Windows, utterance: Utterance) -> Decoding:
    decoding = to.prepare(utterance)
    assert isinstance(decoding, Decoding)
    return decoding


def texts(answers: Sequence[Heard | Again]) -> list[str]:
    return [
        "".join(part.text for part in answer.segments).strip() if isinstance(answer, Heard) else "?"
        for answer in answers
    ]


def test_a_short_window_hears_what_the_padded_one_hears() -> None:
    known = windows("say")
    pcm = tone(2, 2.0)
    [short] = known.decode([prepared(known, Utterance(pcm=pcm, language="en"))])
    padded, _ = model("say").transcribe(pcm, language="en", beam_size=1)

    assert texts([short]) == ["".join(part.text for part in padded).strip()] == [" ".join(SAYS)]


def test_each_of_a_batch_gets_its_own_words_language_and_length() -> None:
    hearing = windows()
    languages = ["en", "zh", "de", "fr", None, "ja", None, "ko"]
    seconds = [0.5 + n * 0.3 for n in range(8)]
    decodings = [
        prepared(hearing, Utterance(pcm=tone(n, seconds[n]), language=languages[n], prompt="abc"[n % 3]))
        for n in range(8)
    ]
    assert len({decoding.key for decoding in decodings}) == 1

    answers = hearing.decode(decodings)

    assert texts(answers) == list(TONES)
    for answer, language, length in zip(answers, languages, seconds, strict=True):
        assert isinstance(answer, Heard)
        assert answer.language == (language or "en")
        assert answer.segments[-1].end == pytest.approx(length, abs=0.011)


def test_the_languages_of_a_batch_are_found_each_in_its_own_sound() -> None:
    codes = ["en", "zh", "de", "fr", "es", "it", "ja", "ko"]
    polyglot = Windows(model("tones", " ".join(codes)), find=everything)
    stated = {2: "pl", 5: "nl"}
    decodings = [prepared(polyglot, Utterance(pcm=tone(n, 1.0 + n / 4), language=stated.get(n))) for n in range(8)]

    answers = polyglot.decode(decodings)

    assert [answer.language for answer in answers if isinstance(answer, Heard)] == [
        stated.get(n, code) for n, code in enumerate(codes)
    ]
    assert texts(answers) == list(TONES)


def test_prompts_of_different_length_are_never_decoded_together() -> None:
    hearing = windows()
    keys = {prepared(hearing, Utterance(pcm=tone(0, 1.0), prompt=prompt)).key for prompt in (None, "a", "a b", "b a")}

    assert len(keys) == 3


def test_prompt_and_hot_words_come_before_what_is_said_and_are_cut_to_half_the_room() -> None:
    hearing = windows()
    encode = model().hf_tokenizer.encode
    hot = encode(" Momo", add_special_tokens=False).ids
    said = encode(" once upon", add_special_tokens=False).ids

    assert prepared(hearing, Utterance(pcm=tone(0, 1.0), prompt="once upon", hotwords="Momo")).previous == hot + said
    assert prepared(hearing, Utterance(pcm=tone(0, 1.0), hotwords="Momo")).previous == hot
    assert len(prepared(hearing, Utterance(pcm=tone(0, 1.0), prompt="x" * 9999)).previous) == 223
    decoding = prepared(hearing, Utterance(pcm=tone(3, 1.0), prompt="x" * 9999, hotwords="y" * 9999, language="en"))
    assert texts(hearing.decode([decoding])) == ["dog"], "the longest prompt leaves room for the answer"


def test_words_of_a_batch_lie_in_their_own_sound() -> None:
    offset = 2 * RATE
    hearing = windows("say", find=lambda pcm, stop: Speech(pcm[offset:], ((offset, len(pcm)),)))
    lengths = [1.0, 2.5]
    decodings = [
        prepared(
            hearing,
            Utterance(pcm=np.concatenate([np.zeros(offset, np.float32), tone(n, s)]), language=code, words=True),
        )
        for n, (s, code) in enumerate(zip(lengths, ("en", "zh"), strict=True))
    ]

    for answer, length in zip(hearing.decode(decodings), lengths, strict=True):
        assert isinstance(answer, Heard)
        words = [word for part in answer.segments for word in part.words]
        assert [word.word for word in words] == list(SAYS)
        assert all(2.0 <= word.start <= word.end <= 2.0 + length for word in words)
        assert [word.start for word in words] == sorted(word.start for word in words)


def test_the_language_is_found_by_the_same_pass_of_the_encoder() -> None:
    chinese = Windows(model("say", "zh"), find=everything)
    decoding = prepared(chinese, Utterance(pcm=tone(0, 1.0)))
    [answer] = chinese.decode([decoding])

    assert isinstance(answer, Heard)
    assert answer.language == "zh"


def test_only_the_operators_languages_are_detected() -> None:
    limited = Windows(model("say", "zh"), find=everything, languages=("de", "en"))
    decoding = prepared(limited, Utterance(pcm=tone(0, 1.0)))
    [answer] = limited.decode([decoding])

    assert (answer.language if isinstance(answer, Heard) else answer.decoding.language) in ("de", "en")


def test_the_callers_candidates_are_those_that_are_detected() -> None:
    wide = Windows(model("say", "zh"), find=everything)
    decoding = prepared(wide, Utterance(pcm=tone(0, 1.0), candidates=("de", "en")))
    [answer] = wide.decode([decoding])

    assert (answer.language if isinstance(answer, Heard) else answer.decoding.language) in ("de", "en")


def test_what_does_not_end_is_heard_again_padded() -> None:
    speaker = windows("a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff gg hh ii jj kk")
    decoding = prepared(speaker, Utterance(pcm=tone(0, 0.1), language="en"))
    [answer] = speaker.decode([decoding])

    assert isinstance(answer, Again), "nobody says so much in a tenth of a second"
    while isinstance(answer, Again):
        [answer] = speaker.retry([answer.decoding])
    assert texts([answer])[0].startswith("a b c")


def test_what_looks_wrong_is_heard_again_without_the_prompt_that_may_be_why() -> None:
    speaker = windows("a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff gg hh ii jj kk")
    decoding = prepared(speaker, Utterance(pcm=tone(0, 0.1), language="en", prompt="ok. Let's begin.", hotwords="Momo"))
    [answer] = speaker.decode([decoding])

    assert isinstance(answer, Again)
    assert decoding.previous
    assert answer.decoding.previous == []


def test_nobody_speaking_is_known_without_the_model() -> None:
    heard = windows(find=lambda pcm, stop: None, languages=("zh",)).prepare(Utterance(pcm=np.zeros(RATE, np.float32)))

    assert heard == Heard(language="zh")


def test_a_window_fits_the_speech_and_three_seconds_more() -> None:
    assert fitting(0.1) == fitting(3.0) == 600
    assert fitting(3.01) == 700
    assert fitting(25.0) == 3000
    assert fitting(0.1, prompted=True) == fitting(7.0, prompted=True) == 1000, "after a prompt short windows repeat"
    assert fitting(7.01, prompted=True) == 1250
    assert all(bucket % 2 == 0 for bucket in BUCKETS)
    assert all(wider(bucket) > bucket for bucket in BUCKETS[:-1])


def test_the_spectrum_is_that_of_faster_whisper_on_the_same_sound_and_silence() -> None:
    pcm = np.random.default_rng(0).normal(0, 0.1, 20_001).astype(np.float32)
    silent: NDArray[np.float32] = np.zeros(600 * 160, np.float32)
    silent[: len(pcm)] = pcm

    theirs = model().feature_extractor(silent, padding=0)[:, :600]

    np.testing.assert_allclose(Spectrum(model().feature_extractor.mel_filters).of(pcm, 600), theirs, atol=1e-5)


def test_pieces_lie_between_their_timestamps() -> None:
    begin = 1000
    found = between_timestamps([1000, 1, 2, 1050, 1060, 3, 1100, 4], begin, 3.0)

    assert [(round(a, 2), round(b, 2), piece) for a, b, piece in found] == [
        (0.0, 1.0, [1, 2]),
        (1.2, 2.0, [3]),
        (2.0, 3.0, [4]),
    ]


def test_only_repetition_that_nobody_could_speak_is_a_loop() -> None:
    assert is_loop(" What is your name? What is your name?", 1.5)
    assert is_loop("扎自己的脚扎自己的脚", 1.0)
    assert is_loop(" and then and then and then and then we go and then and then and then and then", 2.0)
    assert not is_loop(" Stop, stop!", 1.3)
    assert not is_loop("哈哈哈", 1.0)
    assert not is_loop(" What is your name?", 0.5), "fast, but said once"
    assert not is_loop(" Tell me a story." * 8, 9.0), "a child that says it eight times"
    assert not is_loop("", 1.0)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        (" What is your name? What is your name? What is", "whatisyourname"),
        ("哈哈,讲个故事。讲个故事。讲个故事。", "哈哈讲个故事"),
        (" Good night. Tell me a story. Tell me a story.", "goodnighttellmeastory"),
        (" What is your name?", "whatisyourname"),
        ("", ""),
    ],
)
def test_a_text_is_counted_up_to_where_it_only_repeats_itself(text: str, once: str) -> None:
    assert unrepeated(text) == len(once)


def test_a_caller_without_time_for_another_look_gets_a_loop_once() -> None:
    speaker = windows("hello little bear hello little bear hello little bear hello")
    [answer] = speaker.decode([prepared(speaker, Utterance(pcm=tone(0, 0.5), language="en", words=True))])

    assert isinstance(answer, Again)
    heard = answer.best()
    assert texts([heard]) == ["hello little bear"]
    assert [word.word for word in heard.segments[0].words] == ["hello", "little", "bear"]
