import pytest

from llm.engines.companion.arithmetic import number, solve
from llm.own_language import Language


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("3+4", "en", "3 plus 4 is 7."),
        ("What is 12 times 3?", "en", "12 times 3 is 36."),
        ("what is twelve times three", "en", "12 times 3 is 36."),
        ("how much is forty-two minus fifty", "en", "42 minus 50 is minus 8."),
        ("what is two and two", "en", "2 plus 2 is 4."),
        ("7 divided by 2", "en", "7 divided by 2 is 3, and 1 is left over."),
        ("8 / 2", "en", "8 divided by 2 is 4."),
        ("5 / 0", "en", "Nobody can divide by zero"),
        ("三加五等于几", "zh", "3加5等于8。"),
        ("十五减七是多少？", "zh", "15减7等于8。"),
        ("一百二十三乘以两", "zh", "123乘2等于246。"),
        ("12×12=?", "zh", "12乘12等于144。"),
        ("十除以三", "zh", "10除以3等于3，还剩1。"),
        ("3减5", "zh", "3减5等于负2。"),
        ("五除以零", "zh", "零不能做除数"),
    ],
)
def test_a_sum_is_done(text: str, language: Language, answer: str) -> None:
    said = solve(text, language)

    assert said is not None
    assert said.startswith(answer)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "I have two dogs and three cats",
        "2024-01-02",
        "我有三个苹果",
        "a+b",
        "3.5+2",
        "3+2.5",
        "2+2+2",
        "三加四加五",
    ],
)
def test_what_is_no_sum_is_left_alone(text: str) -> None:
    assert solve(text, "en") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10),
        ("二十", 20),
        ("一百零五", 105),
        ("两千", 2000),
        ("twenty one", 21),
        ("nineteen", 19),
        ("一二三", None),
    ],
)
def test_numbers_are_read_in_both_languages(text: str, value: int | None) -> None:
    assert number(text) == value
