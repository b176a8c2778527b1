"""Figures in words: numbers, dates, times, money, units and the signs between them, in Chinese and in English.

For engines that spell what they do not know; others read figures well by themselves. Each language is a table of
rules, applied in order: first the forms that belong together (a date), then the signs, last the numbers left over.
Our own, since num2words (no Chinese, 90 ms to import), cn2an (180 ms) and inflect (3 s) know numbers only.
"""

import re
from collections.abc import Sequence

from tts.text.figure_rules import (
    DATED,
    HEAD,
    PARTS,
    TO,
    VULGAR,
    Match,
    N,
    Rule,
    _any,
    _month_and_day,
    _rule,
    _spelt,
    _whole,
)

EN_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip

EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

EN_SCALES = ("", " thousand", " million", " billion", " trillion")

EN_ORDINAL = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}

EN_ORDINAL |= {"twelve": "twelfth"}

EN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

EN_UNITS = {
    "km/h": "kilometer per hour", "mph": "mile per hour", "m/s": "meter per second", "km²": "square kilometer",
    "m²": "square meter", "m³": "cubic meter", "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter",
    "kg": "kilogram", "mg": "milligram", "g": "gram", "lb": "pound", "lbs": "pound", "oz": "ounce", "ml": "milliliter",
    "mL": "milliliter", "L": "liter", "ft": "foot", "mi": "mile", "GB": "gigabyte", "MB": "megabyte", "TB": "terabyte",
    "KB": "kilobyte", "kB": "kilobyte", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "kW": "kilowatt", "W": "watt", "V": "volt", "mAh": "milliamp hour", "kWh": "kilowatt hour", "hrs": "hour",
    "hr": "hour",
    "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "ms": "millisecond", "kcal": "kilocalorie",
    "dB": "decibel", "cm²": "square centimeter", "cm³": "cubic centimeter",
    "€": "euro", "$": "dollar", "£": "pound", "¢": "cent",
}  # fmt: skip

EN_PLURALS = {
    "foot": "feet",
    "hertz": "hertz",
    "kilohertz": "kilohertz",
    "megahertz": "megahertz",
    "gigahertz": "gigahertz",
}

EN_MONEY = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "pence"),
    "¥": ("yuan", ""),
    "￥": ("yuan", ""),
}

EN_SIGNS = {
    "+": "plus",
    "−": "minus",
    "×": "times",
    "*": "times",
    "÷": "divided by",
    "=": "equals",
    "＜": "is less than",
}

EN_SIGNS |= {"＞": "is greater than", "≤": "is at most", "≥": "is at least", "≠": "is not", "±": "plus or minus"}

EN_SIGNS |= {"≈": "is about"}

EN_MAGNITUDE = {"k": "thousand", "K": "thousand", "M": "million", "bn": "billion", "B": "billion"}

MONTH = "|".join(f"{month}|{month[:3]}" if len(month) > 3 else month for month in EN_MONTHS) + "|Sept"


def en_digits(digits: str) -> str:
    return " ".join(EN_SMALL[int(digit)] for digit in digits if digit.isdigit())


def en_cardinal(digits: str) -> str:
    if _spelt(digits):
        return en_digits(digits)
    groups = [digits[max(0, end - 3) : end] for end in range(len(digits), 0, -3)]
    parts = [
        _en_below_thousand(int(group)) + scale
        for group, scale in reversed(list(zip(groups, EN_SCALES, strict=False)))
        if int(group)
    ]
    return " ".join(parts) or "zero"


def _en_below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{EN_SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        words.append(
            EN_SMALL[rest] if rest < 20 else EN_TENS[rest // 10] + (f"-{EN_SMALL[rest % 10]}" if rest % 10 else "")
        )
    return " ".join(words)


def en_number(figures: str) -> str:
    whole, rest = _whole(figures)
    return en_cardinal(whole) + (f" point {en_digits(rest)}" if rest else "")


def en_ordinal(digits: str) -> str:
    words = en_cardinal(str(int(digits)))
    head, last = words[: -len(re.split("[ -]", words)[-1])], re.split("[ -]", words)[-1]
    return head + (EN_ORDINAL.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"))


def en_year(digits: str) -> str:
    """1998 is nineteen ninety-eight, 1905 nineteen oh five, 2000 two thousand."""
    first, last = digits[:2], int(digits[2:])
    if digits[1:3] == "00":
        return en_cardinal(digits)
    tail = "hundred" if not last else f"oh {EN_SMALL[last]}" if last < 10 else en_cardinal(str(last))
    return f"{en_cardinal(first)} {tail}"


def _plural(words: str) -> str:
    first, space, rest = words.partition(" per ")
    return (EN_PLURALS.get(first) or f"{first}s") + space + rest


def _en_amount(figures: str, unit: str) -> str:
    return f"{en_number(figures)} {unit if figures == '1' else _plural(unit)}"


def _en_money(m: Match) -> str:
    unit, small = EN_MONEY[m[1]]
    units = unit if unit == "yuan" else _plural(unit)
    if m[3]:
        return f"{en_number(m[2])} {EN_MAGNITUDE.get(m[3], m[3])} {units}"
    whole, rest = _whole(m[2])
    if len(rest) != 2 or not small:
        return f"{en_number(m[2])} {unit if m[2] == '1' else units}"
    words = f"{en_cardinal(whole)} {unit if whole == '1' else units}"
    cents = small if small == "pence" or rest == "01" else f"{small}s"
    return words if rest == "00" else f"{words} and {en_cardinal(str(int(rest)))} {cents}"


def _en_time(m: Match) -> str:
    hour, minute, second, half = str(int(m[1])), m[2], m[3], m[4]
    words = en_cardinal(hour)
    if minute != "00":
        words += f" oh {EN_SMALL[int(minute)]}" if minute[0] == "0" else f" {en_cardinal(minute)}"
    elif not second and not half:
        words += " o'clock" if int(hour) <= 12 else " hundred"
    words += f" and {en_cardinal(str(int(second)))} seconds" if second else ""
    return words + (f" {half.upper()}M" if half else "")


def _en_iso_date(m: Match) -> str:
    if not (1 <= int(m[2]) <= 12 and 1 <= int(m[3]) <= 31):
        return m[0]
    return f"{EN_MONTHS[int(m[2]) - 1]} {en_ordinal(m[3])}, {en_year(m[1])}"


def _en_written_date(m: Match) -> str:
    month, day = _month_and_day(m)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return m[0]
    return f"{EN_MONTHS[int(month) - 1]} {en_ordinal(day)}, {en_year(m[4])}"


def _en_fraction(m: Match) -> str:
    whole, part, of = m[1], int(m[2]), int(m[3])
    if not 0 < part < of:
        return m[0]
    return (f"{en_cardinal(whole)} and " if whole else "") + _en_parts(part, of)


def _en_parts(part: int, of: int) -> str:
    if of > 20 and of != 100:
        return f"{en_cardinal(str(part))} over {en_cardinal(str(of))}"
    name = {2: "half", 4: "quarter"}.get(of) or en_ordinal(str(of))
    plural = {"half": "halves"}.get(name, f"{name}s")
    return f"{en_cardinal(str(part))} {name if part == 1 else plural}"


EN: Sequence[Rule] = (
    _rule(rf"{HEAD}([12][0-9]{{3}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){DATED}", _en_iso_date),
    _rule(rf"{HEAD}([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([12][0-9]{{3}}){DATED}", _en_written_date),
    _rule(
        rf"\b({MONTH})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?(?=$|[^\w:.]|[.:]\D)", lambda m: f"{m[1]} {en_ordinal(m[2])}"
    ),
    _rule(
        rf"\b(?:[Tt]he )?([0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? ({MONTH})\b",
        lambda m: f"the {en_ordinal(m[1])} of {m[2]}",
    ),
    _rule(rf"(:[0-5][0-9]|[0-9]\s?[apAP]\.?[mM]\.?){TO}(?=[0-9]{{1,2}}(?::[0-5][0-9]|\s?[apAP]\.?[mM]\b))", r"\1 to "),
    _rule(
        r"(?<![0-9:.])([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])(?:\s?([apAP])\.?[mM]\b)?", _en_time
    ),
    _rule(r"(?<![0-9:.])([0-9]{1,3}):([0-9]{1,3})(?![0-9:])", r"\1 to \2"),
    _rule(rf"{HEAD}([0-9]{{1,2}})\s?([apAP])\.?[mM]\b", lambda m: f"{en_cardinal(m[1])} {m[2].upper()}M"),
    _rule(
        r"(?<![\w.,-])(?:(?:\+?[0-9]{1,3}[- .])?\(?[0-9]{3}\)?[- .][0-9]{3}[- .][0-9]{4}|[0-9]{3}-[0-9]{4})(?![\w-])",
        lambda m: ", ".join(map(en_digits, re.findall("[0-9]+", m[0]))),
    ),
    _rule(rf"(?<=[0-9])\s*[-−]\s*(?=(?:{N})\s*=)", " minus "),
    _rule(rf"{HEAD}(?<![A-Za-z]-)(?<!-)({N}(?:%|℃|°[CF]?)?)\s*[-–—~～]+\s*(?=[$€£¥]?(?:{N})(?![0-9-]))", r"\1 to "),
    _rule(r"(?<=[0-9])\s*([+×*÷=＜＞≤≥≠±≈])\s*(?=[0-9(-])", lambda m: f" {EN_SIGNS[m[1]]} "),
    _rule(r"(?<![\w)%-])[-−](?=[0-9$€£])", "minus "),
    _rule(rf"(?:\bUS)?([$€£¥￥])\s?({N})(?:\s?(thousand|million|billion|trillion|k|K|M|bn|B)\b)?", _en_money),
    _rule(rf"{HEAD}({N})\s?[%％]", lambda m: f"{en_number(m[1])} percent"),
    _rule(rf"{HEAD}({N})\s?(?:℃|°\s?C\b)", lambda m: f"{_en_amount(m[1], 'degree')} Celsius"),
    _rule(rf"{HEAD}({N})\s?(?:℉|°\s?F\b)", lambda m: f"{_en_amount(m[1], 'degree')} Fahrenheit"),
    _rule(rf"{HEAD}({N})\s?°", lambda m: _en_amount(m[1], "degree")),
    _rule(
        rf"(?<![A-Za-z0-9.,])({N})\s?({_any(EN_UNITS)})(?![A-Za-z0-9²³/])",
        lambda m: _en_amount(m[1], EN_UNITS[m[2]]),
    ),
    _rule(rf"{HEAD}([0-9]{{1,9}})(?:st|nd|rd|th)\b", lambda m: en_ordinal(m[1]), re.IGNORECASE),
    _rule(rf"{HEAD}((?:1[0-9]|20)[0-9]0)'?s\b", lambda m: _decade(en_year(m[1]))),
    _rule(r"(?<![\w.,])['’]?([2-9]0)'?s\b", lambda m: _decade(en_cardinal(m[1]))),
    _rule(
        rf"(?:{HEAD}([0-9]+)\s?)?({PARTS})",
        lambda m: (f"{en_cardinal(m[1])} and " if m[1] else "") + _en_parts(*VULGAR[m[2]]),
    ),
    _rule(r"(?<![0-9/.A-Za-z])(?:([0-9]{1,3}) )?([0-9]{1,3})/([0-9]{1,3})(?![0-9/])", _en_fraction),
    _rule(
        rf"(\b(?i:in|since|from|until|till|by|before|after|year|of|{MONTH})|(?:st|nd|rd|th),)"
        r" ([12][0-9]{3})(?![0-9,.]?[0-9])",
        lambda m: f"{m[1]} {en_year(m[2])}",
    ),
    _rule(r"(?<![\w.,-])(1[1-9][0-9]{2})(?![\w,.-]*[0-9])", lambda m: en_year(m[1])),
    _rule(r"(?<=[A-Za-z])-?(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", " "),
    _rule(r"(?<=[0-9])/(?=[0-9])", " "),
    _rule(rf"{HEAD}[0-9]+(?:\.[0-9]+){{2,}}", lambda m: " point ".join(map(en_cardinal, m[0].split(".")))),
    _rule(r"\b[Nn]o\.? ?(?=[0-9])|[#№] ?(?=[0-9])", "number "),
    _rule(
        r"(?<![0-9.])(?![0-9]*0000(?![0-9]))[0-9]{10,}(?![0-9.])|(?<![0-9.])(?<![0-9],)0[0-9]+(?![0-9.])",
        lambda m: en_digits(m[0]),
    ),
    _rule(N, lambda m: en_number(m[0])),
    _rule(r"(?<=\w)@(?=\w)", " at "),
    _rule(r"(?<=[A-Za-z])\.(?=[A-Za-z]{2})", " dot "),
    _rule(r"\s?&\s?", " and "),
)


def _decade(words: str) -> str:
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"
