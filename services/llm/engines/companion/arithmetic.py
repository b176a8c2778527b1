"""Solve sums in words and signs: `3 + 4`, `what is twelve times three`, `十五减七等于几`."""

import re

from llm.own_language import Language

LARGEST = 10**9
ENGLISH = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    word: 20 + 10 * step
    for step, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
}
CHINESE = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000}
SIGNS = {
    "+": ("+", "plus", "and", "加上", "加"),
    "-": ("-", "−", "minus", "take away", "减去", "减"),
    "*": ("*", "×", "x", "times", "multiplied by", "乘以", "乘"),
    "/": ("/", "÷", "divided by", "除以"),
}
_SIGN = "|".join(sorted((re.escape(word) for words in SIGNS.values() for word in words), key=len, reverse=True))
_EN_WORD = "|".join(sorted(ENGLISH, key=len, reverse=True))
_NUMBER = rf"\d{{1,9}}|[{''.join(CHINESE)}{''.join(UNITS)}]{{1,8}}|\b(?:{_EN_WORD})(?:[ -](?:{_EN_WORD}))?\b"
_SUM = re.compile(rf"(?<![\d.])({_NUMBER})\s*({_SIGN})\s*({_NUMBER})", re.IGNORECASE)
_GOES_ON = re.compile(rf"\.?\d|\s*(?:{_SIGN})\s*(?:{_NUMBER})", re.IGNORECASE)
"""The rest of a fraction, a date or a longer sum, which the companion leaves alone."""


def solve(text: str, language: Language) -> str | None:
    """Return the answer to the first sum in `text` as a sentence; None if `text` has no sum."""
    found = _SUM.search(text)
    if found is None or _GOES_ON.match(text, found.end()):
        return None
    one, other = number(found[1]), number(found[3])
    sign = next(sign for sign, words in SIGNS.items() if found[2].lower() in words)
    if one is None or other is None or (found[2].lower() == "and" and not re.search(r"what|how much", text, re.I)):
        return None
    result = _result(one, sign, other, language)
    return result if len(result) > 20 else f"{result}{_praise(language)}"


def _result(one: int, sign: str, other: int, language: Language) -> str:
    zh = language == "zh"
    name = {"+": ("加", "plus"), "-": ("减", "minus"), "*": ("乘", "times"), "/": ("除以", "divided by")}[sign]
    asked = f"{one}{name[0]}{other}" if zh else f"{one} {name[1]} {other}"
    if sign == "/":
        if other == 0:
            return (
                "零不能做除数哦，没有人能分给零个朋友。" if zh else "Nobody can divide by zero, not even a calculator."
            )
        quotient, rest = divmod(one, other)
        if rest:
            return f"{asked}等于{quotient}，还剩{rest}。" if zh else f"{asked} is {quotient}, and {rest} is left over."
        return f"{asked}等于{quotient}。" if zh else f"{asked} is {quotient}."
    value = {"+": one + other, "-": one - other, "*": one * other}[sign]
    shown = str(value) if value >= 0 else f"{'负' if zh else 'minus '}{-value}"
    return f"{asked}等于{shown}。" if zh else f"{asked} is {shown}."


def _praise(language: Language) -> str:
    return "你会算了吗？" if language == "zh" else " Well asked!"


def number(text: str) -> int | None:
    """Read `42`, `forty-two` or `四十二`; return None for anything else."""
    text = text.lower()
    if text.isdecimal():
        return int(text)
    if text[0] in CHINESE or text[0] in UNITS:
        return _chinese(text)
    tens, *ones = re.split(r"[ -]", text)
    if not ones:
        return ENGLISH[tens]
    if ENGLISH[tens] < 20 or not 0 < ENGLISH[ones[0]] < 10:
        return None
    return ENGLISH[tens] + ENGLISH[ones[0]]


def _chinese(text: str) -> int | None:
    total, digit = 0, None
    for char in text:
        if char in UNITS:
            total, digit = total + (1 if digit is None else digit) * UNITS[char], None
        elif digit in (None, 0):
            digit = CHINESE[char]
        else:
            return None  # digits read out one by one
    return total + (digit or 0)
