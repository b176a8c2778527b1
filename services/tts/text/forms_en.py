"""How each kind of figure is said in English: functions of a match, for the table in figures_en.py."""

import re
from collections.abc import Callable

from tts.text import words_en as words
from tts.text.figure_rules import LAST_DAY, RAISED, N, any_of, are_days, halves, is_date, month_and_day, with_century
from tts.text.numbers_en import SMALL, cardinal, digits, number, ordinal, part_of, year
from tts.text.rules import Match

_A_DATE = re.compile(rf"(?:\b(?i:{words.YEARS}|{any_of(words.MONTH_OF)})|(?:st|nd|rd|th|first|second|third),)\Z")
_THING = re.compile(r"\s(?!(?:and|or|long|tall|wide|high|deep|thick|by|is|in|of|at|to|from|per)\b)[A-Za-z]")
"""Pattern of a thing whose size is said before it in inches."""
_LOOK_BACK = 12
PLAIN_UNIT = any_of(unit for unit in words.UNITS if unit.isalpha())


def day_of_year(year_: str, month: str, day: str, otherwise: str) -> str:
    if not is_date(month, day):
        return otherwise
    return f"{words.MONTHS[int(month) - 1]} {ordinal(day)}, {year(year_)}"


def written_date(m: Match) -> str:
    """Return 12/25/2024 and 12/25/24 as a day, and 99/12/31, whose year can only come first."""
    if int(m[1]) > LAST_DAY:
        return day_of_year(with_century(m[1]), m[3], m[4], m[0])
    month, day = month_and_day(m)
    return day_of_year(with_century(m[4]), month, day, m[0])


def days_of_year(m: Match) -> str:
    """Return 2024/5/1 to 5/7 as May first to May seventh, twenty twenty-four."""
    if not (is_date(m[3], m[4]) and is_date(m[5], m[6])):
        return m[0]
    days = [f"{words.MONTHS[int(month) - 1]} {ordinal(day)}" for month, day in ((m[3], m[4]), (m[5], m[6]))]
    return f"{' to '.join(days)}, {year(m[1])}"


def short_date(m: Match) -> str:
    return f"{m[1]} {words.MONTHS[int(m[2]) - 1]} {ordinal(m[3])}" if is_date(m[2], m[3]) else m[0]


def time(m: Match) -> str:
    hour, minute, second, half = str(int(m[1])), m[2], m[3], m[4]
    said = cardinal(hour)
    if minute != "00":
        said += f" oh {SMALL[int(minute)]}" if minute[0] == "0" else f" {cardinal(minute)}"
    elif not second and not half:
        said += " o'clock" if int(hour) <= 12 else " hundred"
    said += f" and {cardinal(str(int(second)))} seconds" if second else ""
    return said + (f" {half.upper()}M" if half else "")


def telephone(m: Match) -> str:
    return ", ".join(map(digits, re.findall("[0-9]+", m[0])))


def spelt_after(m: Match) -> str:
    return m[1] + ", ".join(map(digits, re.findall("[0-9]+", m[2])))


def spelt_name(m: Match) -> str:
    return m[1] + re.sub("[0-9]+", lambda part: digits(part[0]), re.sub(r"(?<=[A-Za-z])(?=[0-9])", " ", m[2]))


def plural(unit: str) -> str:
    first, space, rest = unit.partition(" per ")
    return (words.PLURALS.get(first) or f"{first}s") + space + rest


def amount(figures: str, unit: str) -> str:
    return f"{number(figures)} {unit if figures == '1' else plural(unit)}"


def money(m: Match) -> str:
    unit, cent = words.MONEY[m[1].strip()]
    if m[3]:  # a range
        return f"{number(m[2])} to {many(m[3], m[4], unit)}"
    whole, rest = halves(m[2])
    if m[4] or len(rest) != 2 or not cent:
        return many(m[2], m[4], unit)
    said = amount(whole, unit)
    cents = f"{cardinal(str(int(rest)))} {cent if cent == 'pence' or rest == '01' else f'{cent}s'}"
    return said if rest == "00" else cents if whole == "0" else f"{said} and {cents}"


def many(figures: str, magnitude: str | None, unit: str) -> str:
    if magnitude:
        return f"{number(figures)} {words.MAGNITUDE.get(magnitude, magnitude)} {plural(unit)}"
    return amount(figures, unit)


def fraction(m: Match) -> str:
    part, of = int(m[2]), int(m[3])
    if not m[1] and part > of > 1 and part % of == 0:
        return f"{cardinal(m[2])} divided by {cardinal(m[3])}"
    return (f"{cardinal(m[1])} and " if m[1] else "") + part_of(part, of)


def fraction_of(m: Match) -> str:
    """Return 1/3 tsp as one third of a teaspoon, 2 1/2 kg as two and one half kilograms."""
    unit = words.UNITS[m[4]]
    article = "an" if unit[0] in "aeiou" or unit == "hour" else "a"
    return f"{fraction(m)} {plural(unit) if m[1] else f'of {article} {unit}'}"


def power(m: Match) -> str:
    power = (m[1] or m[2]).translate(RAISED).strip("()")
    if power == "2":
        return " squared"
    minus, rest = ("minus ", power[1:]) if power[0] == "-" else ("", power)
    return f" to the power of {minus}{cardinal(rest) if rest.isdigit() else rest}"


def two_days(m: Match) -> str:
    if not are_days(m):
        return m[0]
    days = [f"{words.MONTHS[int(month) - 1]} {ordinal(day)}" for month, day in ((m[1], m[2]), (m[3], m[4]))]
    return " to ".join(days)


def dated(m: Match) -> str:
    """Return the year after a month, a day or a word such as since."""
    return f" {year(m[1])}" if _A_DATE.search(m.string, max(0, m.start() - _LOOK_BACK), m.start()) else m[0]


def years(m: Match) -> str:
    return f"{year(m[1])} to {year(m[2])}" if m[1] < m[2] else m[0]


def season(m: Match) -> str:
    """Return 2024-25 as twenty twenty-four to twenty-five."""
    follows = (int(m[1]) + 1) % 100 == int(m[2])
    return f"{year(m[1])} to {cardinal(m[2]) if m[2][0] != '0' else f'oh {cardinal(m[2][1])}'}" if follows else m[0]


def compound(m: Match) -> str:
    """Return 1h30min as one hour thirty minutes."""
    parts = re.findall(rf"({N})({PLAIN_UNIT})", re.sub(r"(?<=h)([0-9]+)m\Z", r"\1min", m[0]))
    return " ".join(amount(figures, words.UNITS[unit]) for figures, unit in parts)


def duration(m: Match) -> str:
    """Return 1h 30m as one hour thirty minutes."""
    parts = zip(m.groups(), ("hour", "minute", "second"), strict=True)
    return " ".join(amount(figures, unit) for figures, unit in parts if figures)


def foot(m: Match) -> str:
    """Return 6' as six feet, unless the sign closes a quotation."""
    return m[0] if m.string.count("'") % 2 == 0 else amount(m[1], "foot")


def screen(m: Match) -> str:
    """Return 1920×1080 as nineteen twenty by ten eighty."""
    sides = re.findall("[0-9]+", m[0])
    said = [f"{cardinal(it[:-2])} {cardinal(it[-2:])}" if it[-2:] != "00" else cardinal(it) for it in sides]
    return " by ".join(said) + " " * m.string[m.end() : m.end() + 1].isalpha()


def move(m: Match) -> str:
    """Return a move of chess: Nxf3+ is knight takes f three check."""
    piece = words.CHESSMEN[m[1]] + (f" {m[2].rstrip('x')}" if m[2].rstrip("x") else "")
    end = {"+": " check", "#": " checkmate"}.get(m[5], "")
    return f"{piece}{' takes' if m[2].endswith('x') else ''} {m[3]} {cardinal(m[4])}{end}"


def note(m: Match) -> str:
    return f"{m[1]} {'sharp' if m[2] == '#' else 'flat'}{' minor' if m[3] else ''}"


def grade(m: Match) -> str:
    return "C plus plus" if m[1] else f"{m[2]} {'plus' if m[3] == '+' else 'minus'}"


def power_before(m: Match) -> str:
    """Return a power, with a blank before what is multiplied by it: x²y."""
    return power(m) + " " * m.string[m.end() : m.end() + 1].isalnum()


def inches(m: Match) -> str:
    """Return 12" as twelve inches, before a thing twelve inch, unless the sign closes a quotation."""
    if m.string.count('"', 0, m.end() - 1) % 2 and m[0][-1] == '"':
        return m[0]
    return f"{number(m[1])} inch" if _THING.match(m.string, m.end()) else amount(m[1], "inch")


def measure(m: Match) -> str:
    per = f" per {words.PER[m[3]]}" if m[3] else ""
    return amount(m[1], words.UNITS[m[2]]) + per


def drawn_out(m: Match) -> str:
    """Return a word whose letters are drawn out (soooo, coool) as it is written otherwise."""
    twice, once = re.sub(r"([A-Za-z])\1{2,}", r"\1\1", m[0]), re.sub(r"([A-Za-z])\1{2,}", r"\1", m[0])
    return twice if twice.lower() in words.DOUBLE.split() else once


def sound(word: str) -> Callable[[Match], str]:
    """Return what says an interjection with that word, with a capital where it has one."""
    return lambda m: word.capitalize() if m[0][0].isupper() else word


def narrow_mark(m: Match) -> str:
    """Return the sign of an English keyboard, with the blank that belongs after it."""
    mark = {"，": ",", "。": ".", "！": "!", "？": "?", "：": ":", "；": ";", "、": ",", "（": "(", "）": ")"}[m[0]]
    return mark + " " if mark in ",.!?;" and m.string[m.end() : m.end() + 1].isalnum() else mark


def arc(m: Match) -> str:
    """Return 40°26′46″N as degrees, minutes and seconds."""
    parts = [amount(m[1], "degree"), amount(m[2], "minute"), amount(m[3], "second")]
    return " ".join(parts + ([words.HEAVENLY[m[4]]] if m[4] else []))
