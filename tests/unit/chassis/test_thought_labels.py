import re

from chassis.thought_labels import beginnings

NAMES = ("think", "thinking", "my thoughts", "思考")


def test_beginnings_are_all_that_the_names_begin_with_and_nothing_else() -> None:
    part = re.compile(beginnings(*NAMES))

    for name in NAMES:
        for end in range(len(name) + 1):
            assert part.fullmatch(name[:end])
    assert part.fullmatch("my_th")
    for text in ("thinko", "hink", "mythoughts", "thinkthinking", "考"):
        assert part.fullmatch(text) is None


def test_what_names_share_is_looked_at_once() -> None:
    """Every answer that begins as a label might pay for it: each of 28 labels by itself took a tenth of a request."""
    assert beginnings("ab", "ac") == "(?:a(?:b|c)?)?"
