"""Figures in English words: the table of rules, applied in order.

First what a thing is told by (a telephone number, a date, a sum), then units and signs, last the numbers left over.
Each line: what it looks like, and what is said. The words are in words_en.py; numbers are put together in
numbers_en.py, dates and the like in forms_en.py. `make spoken TEXT="…" LANGUAGE=en` shows what comes of it.
"""

import re
from collections.abc import Sequence

from tts.text import forms_en as say
from tts.text import words_en as words
from tts.text.chemistry import formulas
from tts.text.figure_rules import (
    A_SHORT_YEAR,
    DATED,
    DAYS_OF_YEAR,
    DURATION,
    FROM_DATE,
    GROUPED,
    HEAD,
    INDICES,
    LOWERED,
    MINUS,
    PARTS,
    POWER,
    POWERS,
    TO,
    TWO_DAYS,
    N,
    any_of,
)
from tts.text.identifiers import Spelling, identifiers
from tts.text.mathematics_en import RANGES
from tts.text.names_en import A_COUNT, CALLED, NAMES, ROMANS
from tts.text.numbers_en import cardinal, digits, number, ordinal, part_of_version, several, vulgar, year
from tts.text.rules import Rule, rule

_MONTH = any_of(words.MONTH_OF)
ONE_SIGN = any_of(sign for sign in words.MONEY if len(sign) == 1)
SIGN_OF_MONEY = rf"(?:(?<![A-Za-z])(?:{any_of(sign for sign in words.MONEY if len(sign) > 1)})|{ONE_SIGN})"
_WORDS_OF_MONEY = r"dollars?|bucks?|euros?|pounds?|yuan|yen|rupees?|won|cents?|pence|penny|francs?|rubles?"
SOUNDS: Sequence[Rule] = (
    *(
        rule(
            rf"(?<![A-Za-z0-9'’.\-])(?<![0-9] )(?:{letters})(?![A-Za-z0-9'’²³\-]|\.[a-z])"
            + ("" if said else r"[,.!?…]*\s*"),
            say.sound(said),
            re.IGNORECASE,
        )
        for letters, said in words.SOUNDS.items()
    ),
    rule(r"\b(?=[A-Za-z]*?([A-Za-z])\1\1)(?![IVXLCDM]+\b)(?!www)(?!XXX|xxx|AAA|BBB)[A-Za-z]{3,40}\b", say.drawn_out),
    rule("[，。！？：；、（）]", say.narrow_mark),
    rule(r"(?<=[A-Za-z0-9][!?;])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9],)(?=[A-Za-z])", " "),
    rule(r"(?<=[0-9]) ?, ?(?=[0-9](?:[!?.,]|$))", ", "),
)
"""Interjections, and the signs of a Chinese keyboard."""

SHORT: Sequence[Rule] = (
    rule(r"\b(Mr|Mrs|Ms|Dr|Prof|St)\.(?=[A-Z])", r"\1. "),
    rule(r"(?<=[a-z]{2})\.(?=[0-9])", ". "),
    rule(r"(?<=[0-9])x(?= [a-z]{3}| an? [a-z]|/(?:day|night|week|month|year|hour)\b)", " times"),
    rule(
        rf"\b({any_of(words.DAY_OF)})\b\.?{TO}({any_of(words.DAY_OF)})\b\.?",
        lambda m: f"{words.DAY_OF[m[1]]} to {words.DAY_OF[m[2]]}",
    ),
    rule(rf"((?<=st )|(?<=nd )|(?<=rd )|(?<=th ))({_MONTH})\b\.?", lambda m: words.MONTH_OF[m[2]]),
    rule(rf"\b({_MONTH})(?:\.(?= ?[0-9]|,)|(?= [0-9]{{1,4}}(?:st|nd|rd|th)?\b))", lambda m: words.MONTH_OF[m[1]]),
    rule(rf"(?<=[0-9] )({_MONTH})\b\.?(?=[ ,.!?]|$)", lambda m: words.MONTH_OF[m[1]]),
    rule(r"\b(Jan|Feb|Apr|Aug|Sept|Oct|Nov)\.(?=[\s,!?]|$)", lambda m: words.MONTH_OF[m[1]]),
    rule(
        rf"\b({any_of(words.DAY_OF)})\.(?=[ ,]|$)|\b(Tues?|Thurs?|Thu|Wed|Fri)\b(?=[,.!?]|$| [0-9A-Z]| and\b| or\b)",
        lambda m: words.DAY_OF[m[1] or m[2]],
    ),
    *(rule(rf"(?<![A-Za-z0-9]){short}(?![A-Za-z])", said) for short, said in words.SHORT.items()),
    rule(r"\bw/(?=\s)", "with"),
    rule(
        r"([0-9](?:st|nd|rd|th) )(St|Ave|Rd|Blvd)\b\.?",
        lambda m: m[1] + {"St": "Street", "Ave": "Avenue", "Rd": "Road", "Blvd": "Boulevard"}[m[2]],
    ),
    rule(rf"(?:(?<==)|(?<== ))({N}) in\b|{HEAD}({N}) in(?=\s?=)", lambda m: say.amount(m[1] or m[2], "inch")),
    rule(rf"({N})[\"”″]\s?[x×]\s?({N})[\"”″](?!\w)", r"\1 by \2 inches"),
    rule(r"(?<=[0-9])\s?[x×]\s?(?=[0-9.]+ ?in\b)", " by "),
    rule(rf"(?<=[0-9] by )({N}) in\b(?!\.|\s[a-z])", lambda m: say.amount(m[1], "inch")),
    rule(rf"(?<=[0-9])( ?(?:feet|foot|ft) ?{N}) ?in\b(?:\.(?=\s[a-z0-9]|$))?", r"\1in"),
    rule(rf"{HEAD}({N})(?: in\.(?=\s[a-z0-9]|$)|in\b)", lambda m: say.amount(m[1], "inch")),
    rule(r"(?<=[0-9][%％])(?=[A-Za-z])", " "),
    rule(r"(?<=[0-9])-to-(?=[0-9])", " to "),
    rule(
        r"(?:(?<=^)|(?<=[\s(])(?<![\w)%] ))([＜＞])(?=[0-9])", lambda m: f"{'less' if m[1] == '＜' else 'more'} than "
    ),
    rule(r"(?<![A-Za-z0-9])(?:C(\+\+)|([A-F])([+-]))(?=[\s,.!?]|$)", say.grade),
    rule(r"((?<=[0-9])|(?<=[0-9] ))(ft|lbs?|oz|mins?|secs?|hrs?|mi|yd)\.(?=\s[a-z0-9])", r"\2"),
)
"""Rules for abbreviations."""

WHEN: Sequence[Rule] = (
    rule(FROM_DATE, r"\1 to "),
    rule(DAYS_OF_YEAR, say.days_of_year),
    rule(r"([0-9](?:st|nd|rd|th)|[0-9]0s)[-–—](?=[0-9]+(?:st|nd|rd|th|s)\b)", r"\1 to "),
    rule(r"(?<=[0-9])([cmk]?m|in|ft) ?[×xX] ?(?=[0-9])", r"\1 by "),
    rule(r"\blog(2|10)(?= ?\()", r"log base \1 of "),
    rule(
        rf"\b({any_of(words.FUNCTIONS)})(?!e)\s?(?=[0-9(√{''.join(words.GREEK)}]|[xyeAB](?![A-Za-z])|[²³]\s?[a-z(0-9{''.join(words.GREEK)}])",
        lambda m: f"{words.FUNCTIONS[m[1]]} ",
    ),
    rule(r"\b([fgh])\(([a-z0-9]{1,3})\)", r"\1 of \2"),
    rule(r"(=\s?[0-9]+)\s?(?:…+|\.{3,6})\s?(?=[0-9])", r"\1 remainder "),
    rule(
        rf"{HEAD}([12][0-9]{{3}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){DATED}",
        lambda m: say.day_of_year(m[1], m[3], m[4], m[0]),
    ),
    rule(
        rf"{HEAD}([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([12][0-9]{{3}}|{A_SHORT_YEAR}(?!{A_COUNT})){DATED}",
        say.written_date,
    ),
    rule(TWO_DAYS, say.two_days),
    rule(rf"{HEAD}((?:19|20)[0-9]{{2}}){TO}((?:19|20)[0-9]{{2}})(?![0-9/-]|[.,][0-9]|{A_COUNT})", say.years),
    rule(rf"{HEAD}((?:19|20)[0-9]{{2}})[-–—]([0-9]{{2}})(?![0-9/-]|[.,][0-9])", say.season),
    rule(rf"\b({words.NUMBERED}) ([0-9]{{1,3}})/([0-9]{{1,3}}){DATED}", r"\1 \2 of \3", re.IGNORECASE),
    rule(rf"(){HEAD}(1[0-2]|[1-9])/([12][0-9]|3[01]|[1-9])(?= is [A-Z])", say.short_date),
    rule(rf"\b(on|On|by|until|before|after) ([0-9]{{1,2}})/([0-9]{{1,2}}){DATED}", say.short_date),
    rule(
        rf"\b({_MONTH}) ([0-9]{{1,2}})(?:st|nd|rd|th)?{TO}([0-9]{{1,2}})(?:st|nd|rd|th)?(?=$|[^\w:.]|[.:]\D|\.$)",
        lambda m: f"{m[1]} {ordinal(m[2])} to {ordinal(m[3])}",
    ),
    rule(
        rf"\b({_MONTH})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?(?=$|[^\w:.]|[.:]\D|\.$)", lambda m: f"{m[1]} {ordinal(m[2])}"
    ),
    rule(
        rf"\b(?:[Tt]he )?([0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? ({any_of(words.MONTHS)})\b",
        lambda m: f"the {ordinal(m[1])} of {m[2]}",
    ),
    rule(
        rf"(\b(?:{words.RATIOS})\b[^0-9.!?]{{0,16}})([0-9]{{1,4}})\s?[:-]\s?([0-9]{{1,4}})(?![0-9:])",
        r"\1\2 to \3",
        re.IGNORECASE,
    ),
    rule(rf"{HEAD}([0-9]{{1,2}}){TO}(?=[0-9]{{1,2}}\s?[apAP]\.?[mM]\b)", r"\1 to "),
    rule(rf"(:[0-5][0-9]|[0-9]\s?[apAP]\.?[mM]\.?){TO}(?=[0-9]{{1,2}}(?::[0-5][0-9]|\s?[apAP]\.?[mM]\b))", r"\1 to "),
    rule(
        r"(?<![0-9.])(?<![0-9]:)([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])(?:\s?([apAP])\.?[mM]\b(?:\."
        r"(?=\s+[a-z]))?)?",
        say.time,
    ),
    rule(
        r"\b(in|of|at|took|was) (2[5-9]|[3-5][0-9]):([0-5][0-9])(?![0-9:])",
        lambda m: f"{m[1]} {say.amount(m[2], 'minute')} {say.amount(str(int(m[3])), 'second')}",
    ),
    rule(r"(?<![0-9.:])[0-9]{1,4}(?::[0-9]{1,4}){2,}(?![0-9:])", lambda m: m[0].replace(":", " to ")),
    rule(r"(?<![0-9.])(?<![0-9]:)([0-9]{1,9})(?: ?:| : )([0-9]{1,9})(?![0-9:])", r"\1 to \2"),
    rule(
        rf"{HEAD}[0-9]+(?:\.[0-9]+)?(?: ?× ?[0-9]+(?:\.[0-9]+)?){{1,2}}(?=[ -]?(?:{words.BOARDS})\b)",
        lambda m: re.sub(" ?× ?", " by ", m[0]),
    ),
    rule(r"(?<=[0-9]{2})(?<![=+×−] [0-9]{2})x(?=[.,!?]|$)", " times"),
    rule(
        rf"{HEAD}([0-9]{{1,2}})\s?([apAP])\.?[mM]\b(?:\.(?=\s+[a-z]|[!?,;]))?",
        lambda m: f"{cardinal(m[1])} {m[2].upper()}M",
    ),
)
"""Rules for dates, times and ratios."""

AMOUNTS: Sequence[Rule] = (
    rule(rf"{HEAD}({N})([kM])(?=\+?\s(?:[a-z]+s|people)\b)", lambda m: f"{number(m[1])} {words.MAGNITUDE[m[2]]}"),
    rule(DURATION, say.duration),
    rule(r"(?<=[+−×÷])\s?[?？](?=\s?[+−×÷=])|^[?？](?=\s?[+−×÷])", " what "),
    rule(rf"(?<![\w)%°+{POWERS}])\+(?=[0-9]|{SIGN_OF_MONEY})", "plus "),
    rule(r"(?<![A-Za-z0-9.])([12])m(?=[0-9]{2}(?![\w.]))", r"\1 m "),
    rule(rf"({SIGN_OF_MONEY})-(?=[0-9])", r"-\1"),
    rule(
        rf"({SIGN_OF_MONEY})\s?({N}){TO}(?:{SIGN_OF_MONEY})?({N})(?:\s?(thousand|million|billion|trillion|k|K|m|M"
        rf"|bn|B)\b)?(?:\s(?:{_WORDS_OF_MONEY})\b)?",
        say.money,
    ),
    rule(r"(?<=[~～])\s?-(?=[0-9])|(?<=\bto )-(?=[0-9])", "minus "),
    rule(
        rf"{HEAD}(?<![A-Za-z]-)(?<![A-Za-z)][{MINUS}])({N}(?:%|℃|℉|°[CF]?)?)\s*[-–—~～]+\s*(?=[$€£¥]?(?:{N})"
        rf"(?![0-9-])|minus )",
        r"\1 to ",
    ),
    rule(rf"(?<![\w)%°{POWERS}-])-\s?(?=[0-9]|{SIGN_OF_MONEY})", "minus "),
    rule(r"(?:(?<=[=(+×÷∣＜＞≤≥])|(?<=[=＜＞≤≥] )|(?<=^))-(?=[√π∣(]|[b-hj-z](?![A-Za-z]))", "minus "),
    rule(
        rf"({SIGN_OF_MONEY})\s?({N})()(?:\s?(thousand|million|billion|trillion|k|K|m|M|bn|B)\b)?(?:\s"
        rf"(?:{_WORDS_OF_MONEY})\b)?",
        say.money,
    ),
    rule(rf"(\b(?:{_WORDS_OF_MONEY}))/(?=[0-9]+\s?(?:{any_of(words.UNITS)})(?![A-Za-z0-9]))", r"\1 per "),
    rule(rf"\b({any_of(words.CODES_OF_MONEY)})\s?({N})\b", lambda m: say.amount(m[2], words.CODES_OF_MONEY[m[1]])),
    rule(rf"{HEAD}({N})\s?({any_of(words.CODES_OF_MONEY)})\b", lambda m: say.amount(m[1], words.CODES_OF_MONEY[m[2]])),
    rule(
        rf"(\b(?:{_WORDS_OF_MONEY}|[a-z]+s))/({any_of(words.PER)})(?![A-Za-z0-9²³])",
        lambda m: f"{m[1]} per {words.PER[m[2]]}",
    ),
    rule(rf"{HEAD}({N})\s?([%％‰])", lambda m: f"{number(m[1])} {'per thousand' if m[2] == '‰' else 'percent'}"),
    rule(rf"{HEAD}({N})\s?(?:℃|°\s?C\b)", lambda m: f"{say.amount(m[1], 'degree')} Celsius"),
    rule(rf"{HEAD}({N})\s?(?:℉|°\s?F\b)", lambda m: f"{say.amount(m[1], 'degree')} Fahrenheit"),
    rule(r"((?<=[0-9])°(?:\s?[0-9]{1,2}['’′])?)\s?([NSEW])(?![A-Za-z])", lambda m: f"{m[1]} {words.HEAVENLY[m[2]]}"),
    rule(
        rf"{HEAD}({N})°\s?([0-9]{{1,2}})['’′]", lambda m: f"{say.amount(m[1], 'degree')} {say.amount(m[2], 'minute')}"
    ),
    rule(
        rf"(?<=[0-9][{POWERS}])\s?({any_of(words.UNITS)})(?![A-Za-z0-9²³/])",
        lambda m: f" {say.plural(words.UNITS[m[1]])}",
    ),
    rule(rf"{HEAD}({N})\s?(bn|mn|tn)\b", lambda m: f"{number(m[1])} {words.MAGNITUDE[m[2]]}"),
    rule(rf"{HEAD}({N})\s?(k?m)(?= (?:{words.RACES})\b)", lambda m: f"{number(m[1])} {words.UNITS[m[2]]}"),
    rule(rf"{HEAD}({N})\s?°(?=\s?(?:angles?|turns?)\b)", lambda m: f"{number(m[1])} degree"),
    rule(rf"{HEAD}({N})\s?°", lambda m: say.amount(m[1], "degree")),
    rule(rf"(?<![A-Za-z0-9.,])(?:(?:{N})(?:{say.PLAIN_UNIT})){{2,4}}(?![A-Za-z0-9²³/])", say.compound),
    rule(
        rf"(?<![0-9/.A-Za-z])(?:([0-9]{{1,3}}) )?([0-9]{{1,4}})/([0-9]{{1,4}})\s?({any_of(words.UNITS)})"
        rf"(?![A-Za-z0-9²³/])",
        say.fraction_of,
    ),
    rule(
        rf"(?<![A-Za-z0-9.,])(?<![0-9]/)({N})\s?({any_of(words.UNITS)})(?:/({any_of(words.PER)}))?(?![A-Za-z0-9²³/])",
        say.measure,
    ),
    rule(r"(?<![\w.,])([3-8])['’′]\s?([0-9]{1,2})[\"”″](?!\w)", lambda m: f"{cardinal(m[1])} foot {cardinal(m[2])}"),
    rule(
        r"(?<![\w.,])([0-9]{1,3})['’′]\s?(1[2-9]|[2-5][0-9])[\"”″](?!\w)",
        lambda m: f"{say.amount(m[1], 'minute')} {say.amount(m[2], 'second')}",
    ),
    rule(r"(?<![\w.,])([4-7])['’′](1[01]|[0-9])(?![\w\"”″'’])", lambda m: f"{cardinal(m[1])} foot {cardinal(m[2])}"),
    rule(r"([0-9]/[0-9]+)[\"″](?!\w)", r"\1 inch"),
    rule(rf"{HEAD}({N})['’′](?=\s(?:tall|long|wide|high|deep)\b)", lambda m: say.amount(m[1], "foot")),
    rule(rf"{HEAD}(?<![\w'‘])([1-9][0-9]?)['’′](?=$|[.,!?])", say.foot),
    rule(rf"{HEAD}(?<![\w\"“])({N})[\"″](?!\w)", say.inches),
    rule(
        rf"{HEAD}([0-9]{{1,3}}(?:,[0-9]{{3}}){{1,2}}|[0-9]{{1,9}})(?:st|nd|rd|th)\b",
        lambda m: ordinal(m[1].replace(",", "")),
        re.IGNORECASE,
    ),
    rule(r"(?<![\w.,'’])['’]0([0-9])(?![\w'’])", r"oh \1"),
    rule(r"(?<![\w.,'’])['’]([1-9][0-9])(?![\w'’])", r"\1"),
    rule(rf"{HEAD}((?:1[0-9]|20)[0-9]0)['’]?s\b", lambda m: several(year(m[1]))),
    rule(r"(?<![\w.,])['’]?([2-9]0)['’]?s\b", lambda m: several(cardinal(m[1]))),
    rule(rf"(?:{HEAD}([0-9]+)\s?)?({PARTS})", lambda m: vulgar(m[1], m[2])),
    rule(r"(?<![0-9/.A-Za-z])(?:([0-9]{1,3}) )?([0-9]{1,4})/([0-9]{1,4})(?![0-9/])", say.fraction),
    rule(rf"(?<=[A-Za-z,]) ([12][0-9]{{3}})(?![0-9,.]?[0-9]|{A_COUNT})", say.dated),
    rule(rf"(?<![\w.,$×+−÷=-])(1[1-9][0-9]{{2}})(?![\w,.-]*[0-9]|\s?[×+−÷=]|{A_COUNT})", lambda m: year(m[1])),
    rule(r"(?<![\w.,$-])(20[0-9]{2})(?=[)]|\s(?:was|is|will|has|had)\b)", lambda m: year(m[1])),
)
"""Money, percentages, temperatures, units, fractions, years."""

SIGNS: Sequence[Rule] = (
    rule(r"(?<=[0-9])!\s?(?==)", " factorial "),
    rule(rf"\blog([{INDICES}]+)\s?(?=[0-9a-z(])", lambda m: f"log base {cardinal(m[1].translate(LOWERED))} of "),
    rule(r"∣([^∣\n]{1,24})∣", r" the absolute value of \1 "),
    rule(rf"\s?([{''.join(words.RELATIONS)}])\s?", lambda m: f" {words.RELATIONS[m[1]]} "),
    rule(rf"(?<![A-Za-z])([a-z])([a-z])(?=\^|[{POWER}{POWERS}])", r"\1 \2"),
    rule(rf"(?:\^|{POWER})(\(?-?[0-9A-Za-z]{{1,3}}\)?)|([{POWERS}]+)", say.power_before),
    rule(rf"[A-Z]{{2,3}}(?=[{INDICES}])", lambda m: " ".join(m[0])),
    rule(rf"[{INDICES}]+", lambda m: f" {m[0].translate(LOWERED)}" + " " * m.string[m.end() : m.end() + 1].isdigit()),
    rule(r"∛\s?", " the cube root of "),
    rule(r"√\s?", " the square root of "),
    rule(r"(?<=[\w)%°])\s{0,3}\+\s{0,3}(?=[\w(√-])|(?<=\s)\+\s(?=\w)", " plus "),
    rule(r"(?<![\w)])\+(?=[0-9])", "plus "),
    rule(r"(?<=[0-9])\+(?=[\s.,!?]|$)", " plus"),
    rule(r"(?:(?<=^)|(?<=\()|(?<=[a-z]{2} ))≈\s?(?=[0-9]|[$€£¥])", "about "),
    rule(rf"\s?([{MINUS}×÷=＜＞≤≥≠±≈∶])\s?", lambda m: f" {words.SIGNS[m[1]]} "),
    rule(r"(?<=[0-9)])\s?\*\s?(?=[0-9(])", " times "),
    rule(rf"[{''.join(words.GREEK)}](?![\u0370-\u03ff])", lambda m: f" {words.GREEK[m[0]]} "),
    rule(r"(?<=[A-Za-z]{2})/(?=[A-Za-z]{2})(?<![A-Z]/)", " or "),
    rule(r"(?<=[A-Za-z])/(?=[A-Za-z])", " "),
)
"""Signs of sums, once they mean one thing only."""

NUMBERS: Sequence[Rule] = (
    rule(r"(?<=[0-9]\.\.\.)(?=[0-9])", " "),
    rule(r"(?<![0-9.])\.(?=[0-9])(?<![A-Za-z]\.)", " point "),
    rule(
        r"(?<=[A-Za-z])-?([0-9]{3,})(?![0-9]|[.,][0-9])",
        lambda m: f" {cardinal(m[1]) if m[1].endswith('00') else digits(m[1])}",
    ),
    rule(r"(?<=[A-Za-z])-?(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", " "),
    rule(r"(?<=[0-9])/(?=[0-9])", " "),
    rule(rf"{HEAD}[0-9]+(?:\.[0-9]+){{2,}}", lambda m: " point ".join(map(part_of_version, m[0].split(".")))),
    rule(r"\b[Nn][Oo]\. ?(?=[0-9])|\bNO ?(?=[0-9])|[#№] ?(?=[0-9])", "number "),
    rule(
        r"(?<![0-9.])(?![0-9]*0000(?![0-9]))[0-9]{10,}(?![0-9.])|(?<![0-9.])(?<![0-9],)0[0-9]+(?![0-9.])",
        lambda m: digits(m[0]),
    ),
    rule(N, lambda m: number(m[0])),
    rule(r"\b(dollar|euro|pound|cent)s (?=(?:bill|banknote|note|coin|voucher|gift card)s?\b)", r"\1 "),
    rule(r"(?<=\w)_(?=[A-Za-z0-9_.-]{0,40}@)", " underscore "),
    rule(r"(?<=\w)@(?=\w)|(?<!\w)@(?=[A-Za-z])", " at "),
    rule(r"(?<=[A-Za-z])\.(?=[A-Za-z]{2})", " dot "),
    rule(r"\s?[&＆]+\s?", " and "),
    rule(r" {2,}", " "),
    rule(r"(?<=\() | (?=[),.!?;:](?:\s|$))", ""),
)
"""Rules for whatever figures are left."""
_SPELLING = Spelling(digits, {"+": "plus", "::": "double colon", ":": "colon", "/": "slash"}, " ", ", ")
FIRST_EN: Sequence[Rule] = (*identifiers(_SPELLING), *formulas({"+": "plus", "-": "minus"}), *RANGES)
"""Rules for what would be taken for a sum."""
EN: Sequence[Rule] = (*SOUNDS, *ROMANS, *SHORT, *CALLED, *GROUPED, *NAMES, *WHEN, *AMOUNTS, *SIGNS, *NUMBERS)
