"""Figures in Chinese words: the table of rules, applied in order.

First what a thing is told by (a telephone number, a date, a sum), then units and signs, last the numbers left over.
Each line: what it looks like, and what is said. The words are in words_zh.py; numbers are put together in
numbers_zh.py, dates and the like in forms_zh.py. `make spoken TEXT="…" LANGUAGE=zh` shows what comes of it.
"""

import re
from collections.abc import Sequence

from tts.text import forms_zh as say
from tts.text import words_zh as words
from tts.text.chemistry import formulas
from tts.text.figure_rules import (
    A_SENTENCE,
    A_SHORT_YEAR,
    DATED,
    DAYS_OF_YEAR,
    DURATION,
    FILES,
    FROM_DATE,
    GROUPED,
    HAN,
    HEAD,
    INDICES,
    LOWERED,
    MINUS,
    PARTS,
    POWER,
    POWERS,
    ROMAN,
    TO,
    TWO_DAYS,
    N,
    any_of,
    roman,
)
from tts.text.identifiers import Spelling, identifiers
from tts.text.mathematics_zh import RANGES
from tts.text.names_zh import NAMES
from tts.text.numbers_zh import cardinal, counted, digits, number, part_of_version, vulgar
from tts.text.rules import Rule, rule

ONE_SIGN = any_of(sign for sign in words.MONEY if len(sign) == 1)
SIGN_OF_MONEY = rf"(?:(?<![A-Za-z])(?:{any_of(sign for sign in words.MONEY if len(sign) > 1)})|{ONE_SIGN})"
_DEGREES = r"℃|°\s?[CcＣ](?![A-Za-z])|℉|°\s?[FfＦ](?![A-Za-z])"
_WARMTH = rf"(?:{_DEGREES}|°|摄氏度|度)"
_CLOCK = r"([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?"
_A_RATIO = r"(?<![0-9.:：-])[0-9]{1,3}[:：-][0-9]{1,3}(?![0-9.:：-])"

WHEN: Sequence[Rule] = (
    rule(
        r"(?<=《)([0-9]{4})(?=》)|(?<![0-9第])([6-9][05]|[01][05])(?=后(?:[，。！？、和的男女]|一代|$))",
        lambda m: digits(m[0]),
    ),
    rule(r"(=\s?[0-9]+)\s?(?:…+|\.{3,6})\s?(?=[0-9])", r"\1余"),
    rule(FROM_DATE, r"\1到"),
    rule(DAYS_OF_YEAR, say.days_of_year),
    rule(TWO_DAYS, say.two_days),
    rule(
        rf"{HEAD}([0-9]{{1,2}})\.([0-9]{{1,2}}){TO}([0-9]{{1,2}})\.([0-9]{{1,2}})(?=\s?(?:{words.HOLIDAYS}))",
        say.two_days,
    ),
    rule(rf"(?<=今天是|生日是|日期是){HEAD}([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){DATED}", say.short_date),
    rule(rf"((?:{words.DATES})[：:])([0-9]{{1,2}})/([0-9]{{1,2}}){DATED}", say.labelled_date),
    rule(r"([今明后昨]天)([0-9]{1,2})/([0-9]{1,2})(?=[，。！？]|$)", say.labelled_date),
    rule(r"第([0-9]{1,3})/([0-9]{1,3})(?=([步页关集题章节课天轮组张]))", r"第\1\3，共\2"),
    rule(rf"{HEAD}([0-9]{{1,2}})-([0-9]{{1,2}})(?=是?[{HAN}]{{1,3}}节)", say.short_date),
    rule(
        rf"({words.HEIGHTS}[^0-9，。]{{0,6}})?(?<![0-9.])([3-8])[′'’](?:\s?(1[01]|[0-9])[″\"”]?)?(?![0-9])"
        r"(?(1)|(?=\s?(?:高|tall)))",
        say.feet,
    ),
    rule(r"(?<![0-9])([0-9]{1,3})[′']([0-9]{1,2})[″\"]", r"\1分\2秒"),
    rule(r"(?<![0-9\"])([0-9]{1,2})[″\"]([0-9]{2})(?![0-9″\"'])", lambda m: f"{m[1]}秒{digits(m[2])}"),
    rule(rf"{_A_RATIO}(?:[、，, ]\s?{_A_RATIO}){{1,8}}", say.sets),
    rule(A_SENTENCE, say.scored),
    rule(rf"(?<=[:：][0-5][0-9]){TO}(?=[0-9]{{1,2}}[:：][0-5][0-9])", "到"),
    rule(
        r"((?:周|星期|礼拜|初)[一二三四五六七八九十日天末])\s*[-–—~～]+\s*(?=周|星期|礼拜|初|[一二三四五六日天]"
        r"(?![\u4e00-\u9fff]))",
        r"\1到",
    ),
    rule(
        rf"(?<=[0-9][年月日号点时分天岁级楼层])\s*[-–—~～]+\s*(?=[0-9]|[上中下]午|[早晚])(?!(?:{N})\s?{_WARMTH})", "到"
    ),
    rule(
        r"(?<=[上中下]午|[早晚]上|[一二三四五六七八九十][月日点])\s*[-–—~～]+\s*(?=[上中下]午|[早晚]上"
        r"|[一二三四五六七八九十])",
        "到",
    ),
    rule(
        rf"{HEAD}([12][0-9]{{3}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){DATED}",
        lambda m: say.day_of_year(m[1], m[3], m[4], m[0]),
    ),
    rule(
        rf"{HEAD}([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([12][0-9]{{3}}|{A_SHORT_YEAR}(?!\s?(?:{words.COUNTED}))){DATED}",
        say.written_date,
    ),
    rule(
        rf"(?<![0-9.])(?<![0-9][:：]){_CLOCK}(?![0-9:：])(?:\s?([apAP])\.?[mM]\.?(?![A-Za-z]))?(?:分(?![钟之])|[整]"
        rf"(?=[，。！？]|$))?",
        say.time,
    ),
    rule(
        rf"{HEAD}([0-9]{{1,2}})\s?([apAP])\.?[mM]\.?(?![A-Za-z])",
        lambda m: f"{'上午' if m[2] in 'aA' else '下午'}{counted(m[1])}点",
    ),
    rule(r"(?<![0-9.:：])[0-9]{1,4}(?:[:：][0-9]{1,4}){2,}(?![0-9:：])", lambda m: re.sub("[:：]", "比", m[0])),
    rule(r"(?<![0-9.])(?<![0-9][:：])([0-9]{1,9})(?: ?[:：]| [:：] )([0-9]{1,9})(?![0-9:：])", r"\1比\2"),
    rule(
        rf"{HEAD}(?<![A-Za-z第])([0-9]{{1,2}})[.·•/]([0-9]{{1,2}})(?!级)(?=[{HAN}]{{0,2}}(?:{words.FEASTS}))", say.feast
    ),
    rule(r"(?<![0-9.·])([0-9]{1,2})[·•]([0-9]{1,2})(?![0-9.·])", say.feast),
    rule(rf"{HEAD}([12][0-9]{{3}})(?=(?:{TO}|到)[12][0-9]{{3}}(?:[学财]?年|赛季))", lambda m: digits(m[1])),
    rule(rf"(?<=[零一二三四五六七八九]{{4}}){TO}(?=[12][0-9]{{3}}(?:[学财]?年|赛季))", "到"),
    rule(
        r"(?<![0-9.,-])((?:19|20)[0-9]{2})[-–—/]([0-9]{2})(?=[学财]年|年度|赛季)",
        lambda m: f"{digits(m[1])}到{digits(m[2])}",
    ),
    rule(rf"{HEAD}([12][0-9]{{3}})(?=[学财]年|赛季)", lambda m: digits(m[1])),
    rule(rf"(?:({words.SPANS})\s?)?{HEAD}(?<!公元)([12][0-9]{{3}})(?=年(?![级初]))", say.years),
    rule(rf"{HEAD}([12][0-9]{{3}})(?=年(?![级代初]))", lambda m: digits(m[1])),
)
"""Rules for times, dates and ratios."""

AMOUNTS: Sequence[Rule] = (
    rule(DURATION, say.duration),
    rule(rf"({SIGN_OF_MONEY})-(?=[0-9])", r"-\1"),
    rule(
        rf"{HEAD}([12])(?:[mM]|米(?=[0-9]{{2}}))([0-9]{{1,2}})(?![0-9A-Za-z²³.厘公分])",
        lambda m: f"{cardinal(m[1])}米{digits(m[2])}",
    ),
    rule(rf"{HEAD}([0-9]+)([百千万亿])?\+(?=\s?[{HAN}]|[，。！？]|$)", say.many),
    rule(rf"(?<![A-Za-z0-9.,])(?:(?:{N})(?:{say.PLAIN_UNIT})){{2,4}}(?![A-Za-z0-9²³/])", say.compound),
    rule(rf"(?<![A-Za-z0-9)%°℃℉{POWERS}])-(?=(?:{N})(?:\s?[~～到至]\s?-?(?:{N}))?\s?{_WARMTH})", "零下"),
    rule(rf"(?<=[~～到至])\s?-(?=(?:{N})\s?{_WARMTH})", "零下"),
    rule(r"(?:(?<=[℃℉°度])|(?<=°[CF]))\s?[-–—~～]+\s?(?=零下|-?[0-9])", "到"),
    rule(r"(?<=[0-9℃])/(?=零下|[0-9]+℃)", "到"),
    rule(r"(?<=[~～到至])\s?-(?=[0-9])", "负"),
    rule(r"(?<=[0-9])\s?[~～]+\s?(?=[0-9负])", "到"),
    rule(
        rf"{HEAD}(?<!-)({N}(?:[%％]|℃|°C?|[{HAN}]{{1,2}}(?=[~～]))?){TO}(?=[¥￥$€£]?(?:{N})(?![0-9-])|零下|负)", r"\1到"
    ),
    rule(rf"(?<=[{HAN}])-(?=(?:{N})\s?(?:{words.MONEY_WORDS}|[%％分米岁点万亿]|[kcm]?m(?![A-Za-z])))", "负"),
    rule(rf"(?<=[{words.NEGATIVE}])\s?-(?=[0-9])", "负"),
    rule(rf"(?<=[{HAN}])-(?=[0-9])", ""),
    rule(r"(?:(?<=[=(（+×÷∣＜＞≤≥])|(?<=[=＜＞≤≥] )|(?<=^))-(?=[√π∣(（]|[a-z](?![A-Za-z]))", "负"),
    rule(rf"(?<![A-Za-z0-9)%°{POWERS}])\s?-(?=[0-9]|{SIGN_OF_MONEY})", "负"),
    rule(rf"({SIGN_OF_MONEY}\s?)({N})\s?(k|K|M|B|bn)(?![A-Za-z])", say.scaled),
    rule(
        rf"({SIGN_OF_MONEY})\s?({N})(?:到(?:{SIGN_OF_MONEY})?\s?({N}))?\s?(万亿|亿|万|千|百)?({words.MONEY_WORDS})?",
        say.money,
    ),
    rule(
        rf"(?<![A-Za-z])({any_of(words.CODES_OF_MONEY)})\s?({N})(万亿|亿|万)?(?:{words.MONEY_WORDS})?",
        lambda m: number(m[2]) + (m[3] or "") + words.CODES_OF_MONEY[m[1]],
    ),
    rule(
        rf"{HEAD}({N})(万亿|亿|万)?\s?({any_of(words.CODES_OF_MONEY)})(?![A-Za-z])",
        lambda m: number(m[1]) + (m[2] or "") + words.CODES_OF_MONEY[m[3]],
    ),
    rule(rf"{HEAD}({N})\s?[%％]", lambda m: f"百分之{number(m[1])}"),
    rule(rf"{HEAD}({N})\s?‰", lambda m: f"千分之{number(m[1])}"),
    rule(rf"{HEAD}({N})\s?(?:℃|°\s?[CcＣ](?![A-Za-z]))", say.with_unit("摄氏度")),
    rule(rf"{HEAD}({N})\s?(?:℉|°\s?[FfＦ](?![A-Za-z]))", say.with_unit("华氏度")),
    rule(
        rf"(?:[南北]纬|[东西]经)?{HEAD}({N})\s?°\s?([NSEW])(?![A-Za-z])",
        lambda m: f"{words.HEAVENLY[m[2]]}{number(m[1])}度",
    ),
    rule(rf"{HEAD}({N})\s?°", say.with_unit("度")),
    rule(
        rf"(?<=[0-9])\s?(?!{any_of(unit for unit in words.UNITS if '/' in unit)})({any_of(words.UNITS)}"
        rf"|[{HAN}]{{1,3}})/(?=(?:[0-9]+\s?)?(?:{any_of(words.UNITS)}|[{HAN}])(?![A-Za-z0-9²³]))",
        r"\1每",
    ),
    rule(
        rf"(?<![0-9/.A-Za-z])([0-9]{{1,4}})/([0-9]{{1,4}})\s?({any_of(words.UNITS)})(?![A-Za-z0-9²³/])",
        lambda m: say.fraction(m) + words.UNITS[m[3]],
    ),
    rule(
        rf"(?<![A-Za-z0-9.,])({N})\s?({any_of([*words.UNITS, *(m for m in words.MONEY if len(m) == 1)])})(?:"
        rf"(?=每)|(?![A-Za-z0-9²³/]))",
        lambda m: counted(m[1]) + (words.UNITS.get(m[2]) or words.MONEY[m[2]]),
    ),
    rule(rf"(?<=每)({any_of(words.UNITS)})(?![A-Za-z0-9])", lambda m: words.UNITS[m[1]]),
    rule(rf"{HEAD}({N})[\"”″](?=[{HAN}A-Za-z])", say.inches),
    rule(rf"(?:{HEAD}([0-9]+))?({PARTS})", lambda m: vulgar(m[1], m[2])),
    rule(r"(?<![0-9/.A-Za-z])([0-9]{1,3}) ([0-9]{1,4})/([0-9]{1,4})(?![0-9/])", say.mixed_number),
    rule(r"(?<![0-9/.A-Za-z])([0-9]{1,4})/([0-9]{1,4})(?![0-9/])", say.fraction),
    rule(rf"(?<=[米里克元升次镑币吨斤分])/(?=[{HAN}])", "每"),
    rule(rf"(?<=[{HAN}])\s?/\s?(?=[{HAN}])", "或"),
)
"""Money, percentages, temperatures, units, fractions."""

SIGNS: Sequence[Rule] = (
    rule(r"(?<=[0-9])!\s?(?==)", "的阶乘"),
    rule(
        rf"log([{INDICES}]+)\s?([0-9]+|[a-z](?![a-z]))",
        lambda m: f"以{cardinal(m[1].translate(LOWERED))}为底{m[2]}的对数",
    ),
    rule(r"∣([^∣\n]{1,24})∣", r"\1的绝对值"),
    rule(rf"\s?([{''.join(words.RELATIONS)}])\s?", lambda m: words.RELATIONS[m[1]]),
    rule(rf"(?<![A-Za-z])([a-z])([a-z])(?=\^|[{POWER}{POWERS}])", r"\1 \2"),
    rule(r"(?<![A-Za-z0-9])C\+\+", "C加加"),
    rule(r"(?<![A-Za-z0-9])([A-F])\+(?![A-Za-z0-9+])", r"\1加"),
    rule(r"(?<![A-Za-z0-9])([A-F])-(?=[\s，。！？,.!?]|$)", r"\1减"),
    rule(rf"(?<=[0-9][{POWERS}])\s?({any_of(words.UNITS)})(?![A-Za-z0-9²³/])", lambda m: words.UNITS[m[1]]),
    rule(rf"(?:\^|{POWER})(\(?-?[0-9A-Za-z]{{1,3}}\)?)|([{POWERS}]+)", say.power),
    rule(rf"[A-Z]{{2,3}}(?=[{INDICES}])", lambda m: " ".join(m[0])),
    rule(rf"[{INDICES}]", lambda m: m[0].translate(LOWERED)),
    rule(r"(?<=[+−×÷])\s?[?？](?=\s?[+−×÷=])|^[?？](?=\s?[+−×÷])", "几"),
    rule("∛", "三次根号"),
    rule("√", "根号"),
    rule(rf"(?<=[0-9)）%a-zA-Z{HAN}])\s?{MINUS}\s?", "减"),
    rule(r"\s?([+×÷=＜＞≤≥≠∶])\s?(?=[^+\s])", lambda m: words.SIGNS[m[1]]),
    rule(r"\s?=\s?$", "等于"),
    rule(r"(?<=[0-9A-Za-z)])\s?\*\s?(?=[0-9(])", "乘"),
    rule(rf"(?:(?<=^)|(?<=[{HAN}(（，。]))≈\s?(?=[0-9])", "约"),
    rule(r"(?<=[0-9a-z])\s?±\s?", "加减"),
    rule(r"\s?([±≈])\s?", lambda m: words.SIGNS[m[1]]),
    rule(rf"[{''.join(words.GREEK)}](?![\u0370-\u03ff])", lambda m: words.GREEK[m[0]]),
)
"""Signs of sums, once they mean one thing only."""

NUMBERS: Sequence[Rule] = (
    rule(r"(?<=[0-9])\s?/\s?(?=[0-9])", "除以"),
    rule(r"(?<=[A-Za-z0-9])_(?=[A-Za-z0-9_.-]{0,40}@)", "下划线"),
    rule(r"(?<=[A-Za-z线.-])[0-9]+(?=[A-Za-z0-9_.-]{0,40}@[A-Za-z0-9])", lambda m: digits(m[0])),
    rule(r"(?<![0-9.])[0-9]{2,}(?=\.(?:com|cn|net|org|edu)(?![A-Za-z]))", lambda m: digits(m[0])),
    rule(r"(?<=[零一二三四五六七八九])\.(?=(?:com|cn|net|org|edu)(?![A-Za-z]))", "点"),
    rule(rf"@(?=[A-Za-z0-9{HAN}])", "艾特"),
    rule(r"(?<![A-Za-z])([A-Z])\.(?=[A-Z]\.|[A-Z](?![A-Za-z]))", r"\1"),
    rule(
        rf"第({ROMAN})|(?<=[{HAN}])(?=[IVX]{{2}})({ROMAN})|(?<![A-Za-z0-9])(?=[IVX]{{2}})({ROMAN})(?=[型级类期章卷世])",
        lambda m: f"第{roman(m[1])}" if m[1] else roman(m[2] or m[3]),
    ),
    rule(rf"(?<=[a-z] )(?=[IVX]{{2}})({ROMAN})", lambda m: roman(m[1])),
    rule(rf"{HEAD}[0-9]+(?:\.[0-9]+){{2,}}", lambda m: "点".join(map(part_of_version, m[0].split(".")))),
    rule(r"(?<![A-Za-z])[Nn][Oo]\.?\s?([0-9]+)", lambda m: f"第{cardinal(m[1])}"),
    rule(rf"{HEAD}([0-9]{{1,9}})(?:st|nd|rd|th)(?![A-Za-z])", lambda m: f"第{cardinal(m[1])}"),
    rule(rf"(?<![0-9.,A-Za-z第/])2(?=\s?(?:{words.COUNTED}))(?!两)", "两"),
    rule(r"(?<=[A-Za-z])-?([0-9]+)(?![.,]?[0-9])", say.beside_letters),
    rule(
        r"(?<![0-9.])(?![0-9]*0000(?![0-9]))[0-9]{9,}(?![0-9.])|(?<![0-9.])(?<![0-9],)0[0-9]+(?![0-9.])",
        lambda m: digits(m[0]),
    ),
    rule(r"(?<![0-9])\.([0-9]+)", lambda m: f"零点{digits(m[1])}"),
    rule(N, lambda m: number(m[0])),
    rule(rf"(?<=[A-Za-z])\.(?=[A-Za-z])|(?<=[{HAN}])\.(?=(?i:{FILES})(?![A-Za-z]))", "点"),
    rule(r"[#№] ?(?=[零一二三四五六七八九十两])", ""),
    rule(r"\s?[&＆]+\s?", "和"),
)
"""Rules for whatever figures are left."""

SOUNDS: Sequence[Rule] = tuple(
    rule(rf"(?<![A-Za-z0-9'’\-]){letters}(?![A-Za-z'’²³\-])", said, re.IGNORECASE)
    for letters, said in words.SOUNDS.items()
)
_SPELLING = Spelling(digits, {"+": "加", "::": "双冒号", ":": "冒号", "/": "斜杠"}, "", "，")
FIRST_ZH: Sequence[Rule] = (*identifiers(_SPELLING), *formulas({"+": "加", "-": "减"}), *RANGES)
"""Rules for what would be taken for a sum."""
ZH: Sequence[Rule] = (*SOUNDS, *NAMES, *GROUPED, *WHEN, *AMOUNTS, *SIGNS, *NUMBERS)
