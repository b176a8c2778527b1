"""Numbers in English words: amounts, digits one by one, ordinals, years, fractions."""

import re
from functools import lru_cache

from tts.text.figure_rules import VULGAR, halves, is_spelt

SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", " thousand", " million", " billion", " trillion")
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}


def digits(figures: str) -> str:
    """Return the digits one by one."""
    return " ".join(SMALL[int(digit)] for digit in figures if digit.isdigit())


@lru_cache(1024)
def cardinal(figures: str) -> str:
    """Return an amount: 115 is one hundred fifteen."""
    if is_spelt(figures):
        return digits(figures)
    groups = [figures[max(0, end - 3) : end] for end in range(len(figures), 0, -3)]
    parts = [
        _below_thousand(int(group)) + scale
        for group, scale in reversed(list(zip(groups, _SCALES, strict=False)))
        if int(group)
    ]
    return " ".join(parts) or "zero"


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        words.append(SMALL[rest] if rest < 20 else _TENS[rest // 10] + (f"-{SMALL[rest % 10]}" if rest % 10 else ""))
    return " ".join(words)


@lru_cache(1024)
def number(figures: str) -> str:
    """Return a number with or without a decimal point."""
    whole, rest = halves(figures)
    return cardinal(whole) + (f" point {digits(rest)}" if rest else "")


def ordinal(figures: str) -> str:
    """Return 21 as twenty-first."""
    words = cardinal(str(int(figures)))
    last = re.split("[ -]", words)[-1]
    return words[: -len(last)] + (_ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"))


def year(figures: str) -> str:
    """Return a year: 1998 is nineteen ninety-eight, 1905 nineteen oh five, 2000 two thousand."""
    first, last = figures[:2], int(figures[2:])
    if figures[1:3] == "00":
        return cardinal(figures)
    tail = "hundred" if not last else f"oh {SMALL[last]}" if last < 10 else cardinal(str(last))
    return f"{cardinal(first)} {tail}"


def several(words: str) -> str:
    """Return nineteen ninety as nineteen nineties, six as sixes."""
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}es" if words.endswith("x") else f"{words}s"


def part_of(part: int, of: int) -> str:
    """Return a fraction: 3 of 4 is three quarters."""
    if of == 0 or part >= of or (of > 20 and of != 100):
        return f"{cardinal(str(part))} over {cardinal(str(of))}"
    name = {2: "half", 4: "quarter"}.get(of) or ordinal(str(of))
    plural = {"half": "halves"}.get(name, f"{name}s")
    return f"{cardinal(str(part))} {name if part == 1 else plural}"


@lru_cache(64)
def vulgar(whole: str | None, sign: str) -> str:
    """Return 1½ as one and one half."""
    return (f"{cardinal(whole)} and " if whole else "") + part_of(*VULGAR[sign])


def part_of_version(figures: str) -> str:
    """Return a number between the points of a version; a long one, such as that of a build, digit by digit."""
    return cardinal(figures) if len(figures) < 5 else digits(figures)
