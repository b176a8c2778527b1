from typing import Any

import pytest

from llm.answer.usage import Counts, Tally, shown


def counted(**fields: Any) -> Tally:
    tally = Tally()
    tally.chunk({"choices": [{"index": 0, "delta": {"content": "x"}}]} | fields)
    return tally


def test_each_chunk_that_holds_something_is_about_a_token() -> None:
    tally = Tally()
    for delta in ({"role": "assistant", "content": ""}, {"content": "a"}, {"reasoning_content": "so"}, {}, None):
        tally.chunk({"choices": [{"delta": delta}]})

    assert tally.counts(lambda: 7) == Counts(7, 2)


def test_a_whole_answer_is_counted_by_its_length_unless_it_tells_more() -> None:
    untold, told = Tally(), Tally()
    untold.whole(b"x" * 400, {})
    told.whole(b"x" * 400, {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})

    assert untold.counts(lambda: 7) == Counts(7, 100)
    assert told.counts(lambda: 7) == Counts(9, 4)


def test_moonshots_usage_within_a_choice_is_usage() -> None:
    tally = Tally()
    tally.chunk({"choices": [{"delta": {}, "usage": {"prompt_tokens": 3, "completion_tokens": 2}}]})

    assert tally.told == Counts(3, 2)


@pytest.mark.parametrize("tokens", [-1, 2**63, "5", None])
def test_usage_that_cannot_be_is_no_word_of_the_upstreams(tokens: object) -> None:
    assert counted(usage={"prompt_tokens": 3, "completion_tokens": tokens}).told is None


@pytest.mark.parametrize("usage", [{"prompt_tokens": 0, "completion_tokens": 0}, "much", 5, [], {}])
def test_usage_of_nothing_at_all_is_no_word_of_the_upstreams(usage: object) -> None:
    assert counted(usage=usage).told is None


def test_the_latest_of_several_usages_is_the_sum_and_not_added_again() -> None:
    tally = Tally()
    for tokens in (1, 2, 3):
        tally.chunk({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": tokens}})

    assert tally.counts(lambda: 0) == Counts(9, 3)


def test_what_an_upstream_told_is_not_marked() -> None:
    assert shown(Counts(2, 3), estimated=False) == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
