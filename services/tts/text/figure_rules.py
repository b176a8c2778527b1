"""Parts that the rules of both languages are made of: what a number, a dash and a fraction look like.

A rule is a pair: a pattern to look for, and what to say instead (a text, or a function of the match).
"""

import re
from collections.abc import Iterable

from tts.text.rules import Match, rule

N = r"(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?"
"""A number: 5, 3.14, 1,000,000."""
HEAD, TAIL = r"(?<![0-9.,])", r"(?![0-9])"
"""The beginning and the end of a number, so that no rule begins or ends inside one."""
DATED = r"(?![0-9/-]|\.[0-9])"
"""Pattern of the end of a date: no figure follows, though the full stop of its sentence may."""
A_SHORT_YEAR = r"(?<=/)[0-9]{2}(?!\s?[%％])"
"""Pattern of a year of two digits, after the slash of a date."""
LAST_DAY = 31
TO = r"\s*[-–—~～]+\s*"
MINUS = "−"
"""The sign of a subtraction, once `sums` has told it from a dash."""
POWER = "ˆ"
"""Mark before a power that has no raised form of its own."""
A_SENTENCE = r"[^。！？!?\n]+"
"""Pattern of the rest of a sentence, up to the mark that ends it."""
LONGEST = 15
"""Digits of a number; longer ones are read digit by digit."""
HAN = "\u3400-\u9fff"

VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5)}
VULGAR |= {"⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}
VULGAR |= {"⅑": (1, 9), "⅒": (1, 10)}
PARTS = f"[{''.join(VULGAR)}]"

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿⁱˣʸᵃᵇᵏᵐ", "0123456789-+nixyabkm")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋₊ₙₓₐᵢⱼₖₘ", "0123456789-+nxaijkm")
POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿⁱˣʸᵃᵇᵏᵐ"
INDICES = "₀₁₂₃₄₅₆₇₈₉ₙₓₐᵢⱼₖₘ"


BOUNDS = r"⟨([^⟨⟩⋯\n]{1,60})(?:⋯([^⟨⟩⋯\n]{1,60}))?⟩"
"""Pattern of what a sum, an integral or a limit ranges over, as `latex` writes it."""


def negative(bound: str, minus: str) -> str:
    """Return a bound without blanks around it, the sign at its beginning as a word."""
    bound = bound.strip()
    return minus + bound[1:] if bound.startswith(("-", MINUS)) else bound


def any_of(names: Iterable[str]) -> str:
    """Return a pattern for any of the names, the longest that fits."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def halves(figures: str) -> tuple[str, str]:
    """Return the digits before and after the decimal point."""
    whole, _, rest = figures.replace(",", "").partition(".")
    return whole, rest


def is_spelt(digits: str) -> bool:
    """Return whether it is a name made of digits rather than an amount: 007, or a very long one."""
    return len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0")


def month_and_day(m: Match) -> tuple[str, str]:
    """Return month and day of 12/25/2024 as Americans write it, unless only 25/12/2024 makes sense; 25.12.2024 as
    Europeans do."""
    return (m[3], m[1]) if m[2] == "." or int(m[1]) > 12 else (m[1], m[3])


def is_date(month: str, day: str) -> bool:
    """Return whether there can be such a day."""
    return 1 <= int(month) <= 12 and 1 <= int(day) <= LAST_DAY


def with_century(year: str) -> str:
    """Return a year of two digits as one of four: 24 is 2024, 98 is 1998."""
    return year if len(year) == 4 else f"{'19' if int(year) > 50 else '20'}{year}"


def _without_groups(m: Match) -> str:
    """Return 1 000 000 or 1.000.000 as 1000000."""
    return re.sub(r"[^0-9]", "", m[0])


ROMAN = r"(?=[IVXL])(?!X{2,}(?![A-Za-z]))(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![A-Za-z0-9])"
"""A Roman number up to 89; XX and XXX stand for something left open."""
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50}


def roman(letters: str) -> str:
    """Return the Roman number XIV as 14."""
    values = [_ROMAN_DIGITS[letter] for letter in letters]
    return str(sum(-it if it < after else it for it, after in zip(values, [*values[1:], 0], strict=True)))


VERSIONED = (
    "[Vv]ersion|Python|Java|Node|Ruby|PHP|Perl|Swift|Kotlin|Rust|iOS|iPadOS|macOS|watchOS|Android|HarmonyOS|Ubuntu|"
    "Debian|Fedora|Linux|Kernel|kernel|Chrome|Firefox|Safari|Django|Unity|Blender|Minecraft|Roblox|Godot|Docker|"
    "Kubernetes|CUDA|PyTorch|Scratch|Firmware|firmware|[Uu]pdate|[Rr]elease|[Pp]atch"
)
"""Names before a version, whose second number is no decimal: Python 3.12 is three point twelve."""
A_VERSION = r"([0-9]{1,3})\.([1-9][0-9])(?![0-9]|\.[0-9]|\s?[%℃°])"
FILES = (
    "pdf|docx?|xlsx?|pptx?|txt|md|csv|json|py|js|html?|exe|zip|mp[34]|wav|m4a|jpe?g|png|gif|apk|"
    "tar|gz|rar|7z|mov|avi|mkv|svg|xml|ya?ml|toml|log|ini|conf|sh|bat|epub|rtf|flac|ogg|webm|webp|bmp|iso"
)
"""Endings of the names of files."""
DURATION = (
    r"(?<![A-Za-z0-9.,])(?=[0-9]+\s?(?:h|m(?:in)?\s?[0-9]+\s?s))(?:([0-9]{1,3})\s?h(?:rs?)?\s?)?([0-9]{1,2})\s?m(?:ins?)?"
    r"(?:\s?([0-9]{1,2})\s?s(?:ecs?)?)?(?![A-Za-z0-9²³/])"
)
"""A while of several units, of which m is the minute: 1h 30m, 2m 30s."""
SCREEN = (
    r"(?:7680|3840|2560|1920|1600|1366|1280|1024|800|640)\s?[×xX*]\s?"
    r"(?:4320|2160|1440|1200|1080|900|768|720|600|480)(?!\s?=)"
)
LINES_OF_SCREEN = r"(?:240|360|480|720|1080|1440|2160|4320)"

_A_DAY = re.compile(r"(?:\b(?:on|from|between|dates?:?)\s|[从自期假][：:]?\s?)\Z", re.IGNORECASE)


def are_days(m: Match) -> bool:
    """Return whether the four numbers of 7/1-8/31 are two days, one after the other, and not a sum of fractions."""
    month, day, month_after, day_after = (int(part) for part in m.groups()[-4:])
    fractions = (
        month < day <= 10
        and month_after < day_after <= 10
        and not _A_DAY.search(m.string, max(0, m.start() - 12), m.start())
    )
    days = is_date(str(month), str(day)) and is_date(str(month_after), str(day_after))
    return days and not fractions and (month, day) < (month_after, day_after)


_A_DATE = r"(?:[12][0-9]{3}([-/.])[0-9]{1,2}\2[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[12][0-9]{3})"
FROM_DATE = (
    rf"{HEAD}({_A_DATE}){TO}(?=(?:[12][0-9]{{3}}[-/.])?[0-9]{{1,2}}[-/.][0-9]{{1,2}}(?:/[12][0-9]{{3}})?{DATED})"
)
"""A date after which another one follows: 2024/5/1-2024/5/7."""
DAYS_OF_YEAR = (
    rf"{HEAD}([12][0-9]{{3}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}})(?:到| to )([0-9]{{1,2}})\2([0-9]{{1,2}}){DATED}"
)
"""Two days, the second without its year, once the dash between them is a word."""
TWO_DAYS = rf"{HEAD}([0-9]{{1,2}})/([0-9]{{1,2}})(?:{TO}|\s?(?:to|until|到|至)\s?)([0-9]{{1,2}})/([0-9]{{1,2}}){DATED}"


GROUPED = (
    rule(
        r"(?<![\w.,])[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]{2}(?![0-9,])",
        lambda m: m[0].replace(".", "").replace(",", "."),
    ),
    rule(
        rf"{HEAD}([0-9]+),([0-9]{{1,2}})(?=\s?(?:[€%°]|kg|g|km|cm|mm|m|L|l|ml|euros?)(?![A-Za-z]))"
        rf"|(?<=[€£])([0-9]+),([0-9]{{2}})(?![0-9,])|{HEAD}([0-9]{{1,3}}),([0-9]{{4,}})(?![0-9,])|{HEAD}(0),([0-9]+)(?![0-9,])",
        lambda m: ".".join(part for part in m.groups() if part),
    ),
    rule(rf"{HEAD}[1-9][0-9]{{0,2}}(?:[ \u00a0\u2009\u202f][0-9]{{3}}){{2,}}(?![0-9]| [0-9])", _without_groups),
    rule(rf"{HEAD}[1-9][0-9]{{0,2}}[ \u00a0\u2009\u202f]000(?![0-9]| [0-9])", _without_groups),
    rule(r"(?<![\w.,])[1-9][0-9]{0,2}(?:\.[0-9]{3}){2}(?![\w]|[.,][0-9])", _without_groups),
    rule(r"(?<![\w.,])[1-9][0-9]{0,2}(?=(?:\.[0-9]{3})*\.000)(?:\.[0-9]{3}){3,}(?![\w]|[.,][0-9])", _without_groups),
)
"""Thousands set apart by blanks or full stops and decimals by a comma, as in much of Europe."""
