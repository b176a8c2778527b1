import numpy as np
import pytest

from stt.engines.openai.answers import Answered, AnsweredSegment
from stt.engines.openai.answers import segments as segments_of
from stt.hearing import RATE, Word
from stt.sound.speech import Speech
from stt.text.tags import LONGEST_TAG, Cleaner, cleaned, guessed, language_of

TAGGED = "<|zh|><|HAPPY|><|Speech|><|woitn|>你好😊小熊"
LATER = Speech(np.zeros(4 * RATE, np.float32), ((10 * RATE, 12 * RATE), (20 * RATE, 22 * RATE)))


def test_tags_and_their_pictures_go_and_the_first_that_names_a_language_tells_it() -> None:
    assert cleaned(TAGGED + "<|en|>") == ("你好小熊", "zh")


@pytest.mark.parametrize("cut", range(1, len(TAGGED)))
def test_wherever_a_stream_is_cut_the_same_is_left(cut: int) -> None:
    cleaner = Cleaner()

    text = cleaner.feed(TAGGED[:cut]) + cleaner.feed(TAGGED[cut:]) + cleaner.flush()

    assert (text, cleaner.language) == ("你好小熊", "zh")


@pytest.mark.parametrize("text", ["3 < 4", "a <b> c", "<||>", "|>", "ends with <", "<|never ended"])
def test_what_only_resembles_a_tag_is_kept(text: str) -> None:
    assert cleaned(text) == (text, None)


def test_what_resembles_a_tag_is_not_held_back_for_longer_than_a_tag_is() -> None:
    cleaner = Cleaner()

    assert cleaner.feed("<|") == ""
    assert cleaner.feed("x" * LONGEST_TAG) == "<|" + "x" * LONGEST_TAG


@pytest.mark.parametrize(
    ("name", "code"),
    [("zh", "zh"), ("Chinese", "zh"), ("english", "en"), ("HAPPY", None), ("", None), ("auto", None), (None, None)],
)
def test_what_a_server_calls_a_language_is_its_code_or_nothing(name: str | None, code: str | None) -> None:
    assert language_of(name) == code


@pytest.mark.parametrize(
    ("text", "language"), [("", "en"), ("Bär", "en"), ("bear 熊", "zh"), ("東京へ", "ja"), ("漢字와", "ko")]
)
def test_kana_and_hangul_say_more_than_the_characters_beside_them(text: str, language: str) -> None:
    assert guessed(text) == language


def test_words_that_came_apart_belong_to_the_segment_in_which_they_begin_and_late_ones_to_the_last() -> None:
    answered = Answered(
        "good bear",
        segments=(
            AnsweredSegment(" good ", 0.0, 2.0),
            AnsweredSegment(" <|en|> ", 2.0, 2.5),
            AnsweredSegment(" bear", 2.5, 3.0),
        ),
        words=(Word(" good", 0.5, 2.0), Word("bear", 2.5, 3.0), Word("!", 9.0, 9.5)),
    )

    good, bear = segments_of(answered, LATER, words=True)

    assert (good.text, good.start, good.end) == (" good", 10.0, 12.0)
    assert (bear.text, bear.start, bear.end) == (" bear", 20.5, 21.0)
    assert good.words == (Word("good", 10.5, 12.0),)
    assert bear.words == (Word("bear", 20.5, 21.0), Word("!", 22.0, 22.0))


def test_what_a_server_leaves_out_has_a_value_and_words_that_are_not_wanted_are_left_out() -> None:
    [segment] = segments_of(Answered("小熊", words=(Word("小熊", 0.0, 1.0),)), LATER, words=False)

    assert (segment.start, segment.end, segment.text) == (10.0, 22.0, "小熊")
    assert (segment.tokens, segment.temperature, segment.avg_logprob) == ((), 0.0, 0.0)
    assert (segment.compression_ratio, segment.no_speech_prob, segment.words) == (1.0, 0.0, ())
