"""Figures that name something, in English: telephone numbers, rooms, codes, websites, and Roman numbers."""

import re
from collections.abc import Sequence

from tts.text import forms_en as say
from tts.text import words_en as words
from tts.text.figure_rules import A_VERSION, FILES, HEAD, LINES_OF_SCREEN, ROMAN, SCREEN, VERSIONED, N, roman
from tts.text.numbers_en import cardinal, digits, ordinal, several, year
from tts.text.rules import Rule, rule

_PERSONS = r"people|men|women|children|kids|percent|sheep|fish|feet|mice"
_NO_NOUNS = (
    r"(?:was|is|has|its|this|does|as|us|goes|begins|starts|ends|always|news|leaves|lands|arrives|departs|flies|boards|"
    r"opens|closes)\b"
)
A_COUNT = rf"\s(?:{_PERSONS}|(?!{_NO_NOUNS})[a-z]+s)\b"
"""Pattern of what follows a number that counts things."""

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
        r"(?<![\w.,+-])(?:(?:\+?[0-9]{1,3}[- .])?\(?[0-9]{3}\)?[- .][0-9]{3,4}[- .][0-9]{4}|[0-9]{3}-[0-9]{4})"
        r"(?![\w-])",
        say.telephone,
    ),
    rule(
        r"(?<![\w.,-])(?:\+(?=(?:[^0-9]{0,2}[0-9]){8})[0-9]{1,3}[ -]?(?:\(0\)[ -]?)?\(?[0-9]{1,5}\)?"
        r"(?:[ -]?[0-9]{2,6}){1,5}|0[0-9]{2,4}(?:[ -][0-9]{3,8}){1,2}"
        r"|00[0-9]{1,3}(?:[ -][0-9]{2,8}){2,3})(?![\w-])",
        say.telephone,
    ),
    rule(rf"(?<![\w.,$€£-])(?:911|988)(?![\w%-]|[.,:][0-9]|{A_COUNT})", lambda m: digits(m[0])),
    rule(
        rf"(\b(?:{words.CODES})\.?(?:\s+(?:number|is|no\.?|#))?(?:[:,]?\s+|:)#?)"
        rf"((?:[A-Za-z]{{0,3}}-?|(?-i:[A-Z]{{2}} ))[0-9]{{3,20}})(?![0-9]"
        rf"|[.,][0-9]|{A_COUNT})",
        say.spelt_name,
        re.IGNORECASE,
    ),
    rule(
        r"(?<![\w.,-])(?:[0-9]+(?:-[0-9]+){3,}|[0-9]{5}-[0-9]{4}|[0-9]{1,2}(?:-[0-9]{1,2}){2})(?![\w-])", say.telephone
    ),
    rule(r"(?<![\w/.:])(?:/[\w.-]+){2,}/?", lambda m: m[0].replace("/", " slash ")),
    rule(r"\b(UTC|GMT)\s?[-−–](?=[0-9])", r"\1 minus "),
    rule(r"\b(Q[1-4]|H[12]|FY|CY)[ -]?((?:19|20)[0-9]{2})\b", lambda m: f"{m[1]} {year(m[2])}"),
    rule(rf"\b({words.STATES}) ([0-9]{{5}})(?![\w-])", lambda m: f"{m[1]} {digits(m[2])}"),
    rule(rf"\b({words.DIAGRAMS}) ([0-9]{{1,2}})[-–]([0-9]{{1,2}})(?![\w-])", r"\1 \2 dash \3", re.IGNORECASE),
    rule(r"\b([Mm]id|[Ee]arly|[Ll]ate)-((?:19|20)[0-9]{2})\b", lambda m: f"{m[1]} {year(m[2])}"),
    rule(r"(?<![0-9/])([0-9]{2,3})/([0-9]{2,3})(?=\s?mm\s?Hg\b)", r"\1 over \2"),
    rule(rf"{HEAD}({N})°\s?([0-9]{{1,2}})['’′]\s?({N})[\"”″]\s?([NSEW](?![A-Za-z]))?", say.arc),
    rule(
        r"(\b(?:in|wait|after|for|every|within|about|takes?|took|only|just|last) |^(?=..s\W*$))"
        r"([2-9]0)s(?=[,.!?;]|$| [a-z])",
        r"\1\2 seconds",
    ),
    rule(r"\b(pages?|pp?\.) ([ivxl]{1,6})(?![A-Za-z0-9])", lambda m: f"{m[1]} {cardinal(roman(m[2].upper()))}"),
    rule(r"\bext\. ?(?=[0-9])", "extension "),
    rule(r"\b([a-h][18])=([QRBN])(?![A-Za-z0-9])", lambda m: f"{m[1]} promotes to {words.CHESSMEN[m[2]]}"),
    rule(r"\b24/7\b", "twenty-four seven"),
    rule(r"(?<!on )\b9/11\b", "nine eleven"),
    rule(r"\b50[/-]50\b", "fifty-fifty"),
    rule(rf"(?<![\w.,$-])([1-9])([1-9][0-9])(?=[A-Z]? [A-Z][a-z]+ (?:{words.STREETS})\b)", r"\1 \2"),
    rule(r"\b[Ss]0?([0-9]{1,2})\s?[Ee]0?([0-9]{1,2})(?![0-9A-Za-z])", r"season \1 episode \2"),
    rule(r"\bO-O(-O)?\b", lambda m: f"castles {'queenside' if m[1] else 'kingside'}"),
    rule(r"\b1-800-(?=[A-Z])", "one eight hundred "),
    rule(
        r"(?<![0-9.-])400[0-9]-[0-9]{3}-[0-9]{3}(?![0-9-])|\(0[0-9]{2,3}\) ?[0-9]{3,4}[- ]?[0-9]{4}(?![0-9-])",
        say.telephone,
    ),
    rule(rf"\b({words.BOOKS}) ([0-9]{{1,3}}):([0-9]{{1,3}})(?![0-9:])", r"\1 \2 \3"),
    rule(
        r"\b(by|in|of|the|two|three|four) ([2-9]|10)['’]?s\b",
        lambda m: f"{m[1]} {several(cardinal(m[2]))}",
    ),
    rule(r"\b((?:in|takes?|took) (?:under|over) [1-9][0-9]?)s\b", r"\1 seconds"),
    rule(
        r"\b(U(?=1?[0-9]s)|[Uu]nder[- ]|[Oo]ver[- ]|(?=[0-9]+s and (?:under|over)\b))([1-9][0-9]?)['’]?s\b",
        lambda m: m[1] + " " * (m[1] == "U") + several(cardinal(m[2])),
    ),
    rule(r"\b(noon|midnight)\s?[-–—]\s?(?=[0-9])", r"\1 to "),
    rule(r"(?<=[0-9m])\s?[-–—]\s?(?=(?:noon|midnight)\b)", " to "),
    rule(r"\b20/20\b", "twenty twenty"),
    rule(r"\b(5|10|100)/\1(?![0-9/])", r"\1 out of \1"),
    rule(rf"(\b(?:{words.MARKED}):? )([0-9]{{1,3}}(?:\.[0-9])?)/(5|10|20|100)(?![0-9/])", r"\1\2 out of \3"),
    rule(
        r"((?:^|\b(?:at|to|a|the|near|from) ))7-11(?=[.,!?]|$| (?:store|shop|is|was|for|on|and|near)\b)",
        r"\1seven eleven",
    ),
    rule(rf"\b({VERSIONED}) (v?){A_VERSION}", lambda m: f"{m[1]} {m[2]}{cardinal(m[3])} point {cardinal(m[4])}"),
    rule(rf"(?<![0-9.,])(?:{SCREEN}|{LINES_OF_SCREEN}(?=[pP](?![A-Za-z])))", say.screen),
    rule(r"\b([KQRBN])([a-h]?x?)([a-h])([1-8])([+#]?)(?![A-Za-z0-9])", say.move),
    rule(
        r"(?<![A-Za-z0-9])([A-G])(#|b(?=m\b| (?:major|minor|flat|chord|scale)\b))(m?)(?=7?(?![A-Za-z0-9#]))", say.note
    ),
    rule(r"\b([2-9]|12)/([248]|16)(?= time\b| meter\b| beats?\b)", r"\1 \2"),
    rule(rf"(?<![\w.])\.(?=(?:NET|com|cn|org|{FILES})\b)", "dot "),
)
"""Figures that name something: they are read one by one."""
