"""Figures that name something, in English: telephone numbers, rooms, codes, websites, and Roman numbers."""

import re
from collections.abc import Sequence

from tts.text import forms_en as say
from tts.text import words_en as words
from tts.text.figure_rules import ROMAN, roman
from tts.text.numbers_en import cardinal, digits, ordinal
from tts.text.rules import Rule, rule

PERSONS = r"people|men|women|children|kids|percent|sheep|fish|feet|mice"
NO_NOUNS = r"(?:was|is|has|its|this|does|as|us|goes|begins|starts|ends|always|news)\b"
A_COUNT = rf"\s(?:{PERSONS}|(?!{NO_NOUNS})[a-z]+s)\b"
"""After a number of things."""

ROMANS: Sequence[Rule] = (
    rule(
        rf"\b({words.RULERS}) ({ROMAN})(?<! I)|\b({words.RULERS}) (I)(?= (?:of|ruled|reigned|became|died)\b|[,.!?]|$)",
        lambda m: f"{m[1] or m[3]} the {ordinal(roman(m[2] or m[4]))}",
    ),
    rule(
        rf"\b({words.PARTS_OF_WORKS}) ({ROMAN})(?!['’]| (?:am|was|will|have|like|love|think|want|can|did|saw|see)\b)",
        lambda m: f"{m[1]} {cardinal(roman(m[2]))}",
    ),
    rule(
        rf"\b((?!The |An |This |My |Your )[A-Z][a-z]+) (?=[IVXL]{{2}})({ROMAN})",
        lambda m: f"{m[1]} {cardinal(roman(m[2]))}",
    ),
)
"""Roman numbers: of rulers, of parts of a work, and after any other name (Rocky IV)."""

CALLED: Sequence[Rule] = (
    rule(
        rf"(\b(?:{words.CALLING})(?:\s+is)?[:,]?\s+)(\+?\(?[0-9][0-9()./ -]{{1,20}}[0-9])(?![0-9:]|[.,][0-9]"
        rf"|{A_COUNT}|%)",
        say.spelt_after,
        re.IGNORECASE,
    ),
)
"""Telephone numbers after a word that says so."""

NAMES: Sequence[Rule] = (
    rule(r"(?<![0-9.])([0-9]{2,})\.(com|cn|net|org|edu)(?![A-Za-z])", lambda m: f"{digits(m[1])} dot {m[2]}"),
    rule(
        r"(?<![\w.,-])(?:(?:\+?[0-9]{1,3}[- .])?\(?[0-9]{3}\)?[- .][0-9]{3,4}[- .][0-9]{4}|[0-9]{3}-[0-9]{4})(?![\w-])",
        say.telephone,
    ),
    rule(
        r"(?<![\w.,-])(?:\+[0-9]{1,3} ?[0-9]{2,5}(?:[ -]?[0-9]{2,6}){1,4}|0[0-9]{2,4}(?:[ -][0-9]{3,6}){1,2})(?![\w-])",
        say.telephone,
    ),
    rule(rf"(?<![\w.,$€£-])(?:911|988)(?![\w%-]|[.,:][0-9]|{A_COUNT})", lambda m: digits(m[0])),
    rule(
        rf"(\b(?:{words.CODES})(?:\s+(?:number|is|no\.?|#))?[:,]?\s+#?)([A-Za-z]{{0,3}}-?[0-9]{{3,20}})(?![0-9]"
        rf"|[.,][0-9]|{A_COUNT})",
        say.spelt_name,
        re.IGNORECASE,
    ),
    rule(
        r"(?<![\w.,-])(?:[0-9]+(?:-[0-9]+){3,}|[0-9]{5}-[0-9]{4}|[0-9]{1,2}(?:-[0-9]{1,2}){2})(?![\w-])", say.telephone
    ),
    rule(r"\b24/7\b", "twenty-four seven"),
    rule(r"(?<!on )\b9/11\b", "nine eleven"),
    rule(r"\b50[/-]50\b", "fifty-fifty"),
)
"""Figures that name something: they are read one by one."""
