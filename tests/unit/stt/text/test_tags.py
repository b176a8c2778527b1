import pytest

from stt.text.tags import LONGEST_TAG, Cleaner, cleaned

TAGGED = "<|zh|><|HAPPY|><|Speech|><|woitn|>你好😊小熊"


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
