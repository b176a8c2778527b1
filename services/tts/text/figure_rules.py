"""Figures in words: numbers, dates, times, money, units and the signs between them, in Chinese and in English.

For engines that spell what they do not know; others read figures well by themselves. Each language is a table of
rules, applied in order: first the forms that belong together (a date), then the signs, last the numbers left over.
Our own, since num2words (no Chinese, 90 ms to import), cn2an (180 ms) and inflect (3 s) know numbers only.
"""

import re
from collections.abc import Callable, Iterable

Match = re.Match[str]

Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]

N = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"

HEAD, TAIL = r"(?<![0-9.,])", r"(?![0-9])"

DATED = r"(?![0-9/-]|\.[0-9])"
"""After a date; the full stop of its sentence may follow."""

TO = r"\s*[-–—~～]+\s*"

LONGEST = 15
"""Digits of a number; longer ones are read digit by digit."""


def _rule(pattern: str, words: str | Callable[[Match], str], flags: int = 0) -> Rule:
    return re.compile(pattern, flags), words


def _any(names: Iterable[str]) -> str:
    """One of them, the longest that fits."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _whole(figures: str) -> tuple[str, str]:
    """Digits before and after the decimal point."""
    whole, _, rest = figures.replace(",", "").partition(".")
    return whole, rest


def _spelt(digits: str) -> bool:
    """Whether it is a name made of digits rather than an amount: 007, or a very long one."""
    return len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0")


def _month_and_day(m: Match) -> tuple[str, str]:
    """12/25/2024 as Americans write it, unless only 25/12/2024 makes sense; 25.12.2024 as Europeans do."""
    return (m[3], m[1]) if m[2] == "." or int(m[1]) > 12 else (m[1], m[3])


VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5)}

VULGAR |= {"⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}

PARTS = f"[{''.join(VULGAR)}]"
