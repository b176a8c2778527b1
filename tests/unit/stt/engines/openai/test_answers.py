import numpy as np

from stt.engines.openai.answers import Answered, AnsweredSegment
from stt.engines.openai.answers import segments as segments_of
from stt.hearing import RATE, Word
from stt.sound.speech import Speech

LATER = Speech(np.zeros(4 * RATE, np.float32), ((10 * RATE, 12 * RATE), (20 * RATE, 22 * RATE)))


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
