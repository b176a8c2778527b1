"""Numbers in Chinese words: amounts, digits one by one, fractions."""

from functools import lru_cache

from tts.text.figure_rules import VULGAR, halves, is_spelt

_DIGITS = "零一二三四五六七八九"
_SCALES = ("", "万", "亿", "万亿")


def digits(figures: str, one: str = "一") -> str:
    """Return the digits one by one; on the telephone one is 幺."""
    return "".join(one if digit == "1" else _DIGITS[int(digit)] for digit in figures if digit.isdigit())


@lru_cache(1024)
def cardinal(figures: str) -> str:
    """Return an amount: 2024 is 两千零二十四."""
    if is_spelt(figures):
        return digits(figures)
    groups = [figures[max(0, end - 4) : end] for end in range(len(figures), 0, -4)]
    words, gap = "", False
    for group, scale in reversed(list(zip(groups, _SCALES, strict=False))):
        if int(group) == 0:
            gap = bool(words)
            continue
        part = _below_ten_thousand(group)
        words += ("零" if words and (gap or (len(group) == 4 and group[0] == "0")) else "") + part + scale
        gap = False
    if words[:1] == "二" and words[1:2] in ("千", "万", "亿"):
        words = f"两{words[1:]}"
    return (words.removeprefix("一") if words.startswith("一十") else words) or "零"


def _below_ten_thousand(group: str) -> str:
    words = ""
    for digit, scale in zip(group.lstrip("0").rjust(4, "0"), ("千", "百", "十", ""), strict=True):
        if digit != "0":
            words += _DIGITS[int(digit)] + scale
        elif words and words[-1] != "零":
            words += "零"
    return words.rstrip("零")


@lru_cache(1024)
def number(figures: str) -> str:
    """Return a number with or without a decimal point."""
    whole, rest = halves(figures)
    return cardinal(whole or "0") + (f"点{digits(rest)}" if rest else "")


def counted(figures: str) -> str:
    """Return a number before a measure word: two is 两."""
    return "两" if figures == "2" else number(figures)


def sixtieth(two: str) -> str:
    """Return minutes or seconds: 05 is 零五."""
    return f"零{_DIGITS[int(two)]}" if two[0] == "0" and two != "00" else cardinal(str(int(two)))


def part_of(part: str, whole: str) -> str:
    """Return a fraction: 1 of 3 is 三分之一."""
    return f"{'百' if whole == '100' else number(whole)}分之{number(part)}"


@lru_cache(64)
def vulgar(whole: str | None, sign: str) -> str:
    """Return 1½ as 一又二分之一."""
    part, of = VULGAR[sign]
    return (f"{number(whole)}又" if whole else "") + part_of(str(part), str(of))


def part_of_version(figures: str) -> str:
    """Return a number between the points of a version; a long one, such as that of a build, digit by digit."""
    return cardinal(figures) if len(figures) < 5 else digits(figures)
