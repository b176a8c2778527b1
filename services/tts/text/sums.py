"""Sums told from ranges, dates and fractions, in both languages: what is one gets signs that mean one thing only.

A dash between two numbers may be "minus" or "to", a slash "divided by" or a fraction, an x "times" or a letter. Where
the stretch holds a sign that only sums have, or the words around it ask for a result, they become `−`, `÷` and `×`.
"""

import re

from tts.text.figure_rules import INDICES, MINUS, PARTS, POWER, POWERS, N
from tts.text.rules import Match, apply, rule
from tts.text.words_en import ASKED as ASKED_EN
from tts.text.words_en import ASKING as ASKING_EN
from tts.text.words_zh import ASKED as ASKED_ZH
from tts.text.words_zh import ASKING as ASKING_ZH

_WIDE_SIGNS = str.maketrans("＋－＝／＊％＄．（）＾﹢﹣﹦‐‑∕⁄✕✖╳∗⋅∙−", "+-=/*%$.()^+-=--//×××*··-")
_WIDE = re.compile(
    rf"(?:(?<=[0-9A-Za-z)）(（{POWERS}?？= ＝])|^)[＋－＝／＊＾﹢﹣﹦‐‑∕⁄✕✖╳∗⋅∙]|[％＄](?=[0-9])|(?<=[0-9])[％．]"
    rf"|－(?=[0-9])|(?<![0-9A-Za-z)])−(?=[0-9])|[＋－＝／＊](?=\s?[0-9(（])"
)
_BRACKETED = re.compile(
    r"（([^（）\n\u3400-\u9fff]{1,40})）(?=\s?[+\-−×÷*/=＋－＝^ˆ²³])|(?<=[+\-−×÷*/=＋－＝])（"
    r"([^（）\n\u3400-\u9fff]{1,40})）"
)

_DASH = r"\-−–—"
_OPERATOR = rf"(?:[+{_DASH}×÷/*=＜＞≤≥≠≈±·:]|[xX](?=\s?[\d(√])|[xX](?=\s[{_DASH}])|\*\*)"
_TERM = (
    rf"[-−+±]?\({{0,3}}[∛√]?\(?[-−]?[$€£¥￥]?(?:(?:{N}){PARTS}?[a-wyzA-WYZ]?(?![A-Za-z0-9])|(?:{N})[xX]"
    rf"(?!\s?[A-Za-z0-9(])|"
    rf"(?:{N}){PARTS}?(?=[xX]\s?[0-9(])|{PARTS}|[A-Za-zπαβθ∞](?![A-Za-z])|(?<=[=≈] )[?？]|"
    rf"(?<=[=≈])[?？])[{INDICES}]{{0,3}}"
    rf"[%°℃!]?(?:[{POWERS}]{{1,6}}|[\^{POWER}]\(?-?[0-9A-Za-z]{{1,3}}\)?)?\){{0,3}}"
)
_STRETCH = re.compile(rf"(?<![A-Za-z0-9.,/:\-]){_TERM}(?:\s?{_OPERATOR}\s?{_TERM}){{1,60}}(?:\s?=)?")
_STRONG = re.compile(rf"(?<=.)[+−×÷*=＜＞≤≥≠≈±√∛^{POWER}]|[²³]|(?<=[0-9)])\s?[xX]\s?(?=[0-9(])")
_A_DATE = re.compile(r"[12][0-9]{3}[-/][0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}[-/][0-9]{1,2}[-/][12][0-9]{3}")
_SEASON = re.compile(r"(?:19|20)[0-9]{2}[-–—][0-9]{2}")
_A_TELEPHONE = re.compile(r"[0-9]{3,5}-[0-9]{4,}|(?:\+?[0-9]{1,3}-)?[0-9]{3}-[0-9]{3,4}-[0-9]{4}")
_ASKING = re.compile(rf"(?:\b(?:{ASKING_EN})|{ASKING_ZH})[\s：:，,“\"]{{0,3}}\Z", re.IGNORECASE)
_ASKED = re.compile(rf"\s{{0,2}}[，,]?\s?(?:{ASKED_ZH}|[=＝]|{ASKED_EN})", re.IGNORECASE)
_SLASHES = re.compile(rf"({N})\s?/\s?({N})")
_APART = re.compile(rf"({N})\s+[{_DASH}]\s+({N})")
_PAIR = re.compile(rf"({N})\s?[{_DASH}]\s?({N})")
_LOOK_BACK, _LOOK_ON = 20, 12


def tell_sums(text: str) -> str:
    """Return the text in which every sum has signs that can be read without knowing what is around them."""
    text = _BRACKETED.sub(lambda m: f"({m[1] or m[2]})", text)
    text = _WIDE.sub(lambda m: m[0].translate(_WIDE_SIGNS), text)
    return _STRETCH.sub(_with_signs, apply(_BEFORE, text))


def _with_signs(m: Match) -> str:
    stretch, before = m[0], m.string[max(0, m.start() - _LOOK_BACK) : m.start()]
    after = m.string[m.end() : m.end() + _LOOK_ON]
    strong = _STRONG.search(stretch)
    if not strong and (_A_DATE.fullmatch(stretch) or _A_TELEPHONE.fullmatch(stretch)):
        return stretch
    if strong or _ASKING.search(before) or _ASKED.match(after):
        return _signed(stretch, plain=strong is not None)
    if re.search(r"\d\s+/\s+\d", stretch):
        return _signed(stretch, plain=False)
    alone = not before.strip() and not after.strip("。.！!？?，, ")
    pair = (_PAIR if alone else _APART).fullmatch(stretch)
    falls = (
        pair and not _SEASON.fullmatch(stretch) and float(pair[1].replace(",", "")) > float(pair[2].replace(",", ""))
    )
    return _PAIR.sub(rf"\1{MINUS}\2", stretch) if falls else stretch


def _signed(stretch: str, *, plain: bool) -> str:
    """Return the stretch with the signs of a sum.

    Args:
        plain: The stretch itself says that it is one: it may hold ratios then, and times no longer.
    """
    fractions = [(float(part.replace(",", "")), float(of.replace(",", ""))) for part, of in _SLASHES.findall(stretch)]
    apart = re.search(r"\s/|/\s", stretch)
    if apart or not all(0 < part < of for part, of in fractions):
        stretch = re.sub(r"(?<=[0-9)])\s?/\s?(?=[0-9(√])", "÷", stretch)
    stretch = re.sub(r"\*\*", POWER, stretch)
    stretch = re.sub(r"(?<=[0-9)])(?:\s?[xX]\s?(?=[0-9(√])|\s[xX]\s(?=-[0-9(]))|\s?\*\s?", "×", stretch)
    if plain and "=" in stretch:
        stretch = re.sub(r"(?<=[0-9]):(?=[0-9])", "∶", stretch)
        stretch = re.sub(r"(?<=[0-9)])\s?·\s?(?=[0-9(])", "×", stretch)
        stretch = re.sub(r"(?<=[a-ln-z)²³])\s?/\s?(?=[0-9]?[a-z(])|(?<=[a-z])/(?=[0-9])", "÷", stretch)
    return re.sub(rf"(?<=[0-9A-Za-z)%°℃{POWERS}{INDICES}π½¼¾⅓⅔])\s?[{_DASH}]\s?(?=\S)", MINUS, stretch)


def _raised(m: Match) -> str:
    """Return an equation, its mc2 as mc²; x2 beside an x1 is the second of two."""
    return m[0] if NUMBERED.search(m[0]) else _SQUARED.sub(lambda it: it[1] + it[2].translate(_AS_POWER), m[0])


NUMBERED = re.compile(r"(?<![A-Za-z])[a-z]1(?![0-9])")
_SQUARED = re.compile(r"(?<![A-Za-z])(mc|mv|πr|[vag]t|[a-wyz]|(?<![0-9])x)([23])(?![0-9A-Za-z.:])")
_AS_POWER = str.maketrans("23", "²³")
_DASHES = re.compile(rf"(?<=[0-9a-z])\s?[{_DASH}]\s?")
_BEFORE = (
    rule(r"[^\n，。,;；=]*=[^\n，。,;；]*", _raised),
    rule(r"(?<![A-Za-z0-9.])([0-9](?:\.[0-9]+)?)e([+-]?[0-9]{1,2})(?![A-Za-z0-9.])", rf"\1×10{POWER}\2"),
    rule(r"\^(?=[\w(\-])", POWER),
    rule(r"(?<=[0-9])\*\*(?=[0-9(])", POWER),
    rule("³√", "∛"),
    rule(rf"([0-9] [0-9]{{1,2}}/[0-9]{{1,2}}) [{_DASH}] (?=[0-9])", rf"\1{MINUS}"),
    rule(r"<=|=<", "≤"),
    rule(r">=", "≥"),
    rule(r"!=|<>", "≠"),
    rule(r"(?<=[0-9A-Za-z)])(\s?)<(?=\s?[0-9A-Za-z(\-])", r"\1＜"),
    rule(r"(?<=[0-9A-Za-z)])(\s?)>(?=\s?[0-9A-Za-z(\-])", r"\1＞"),
    rule(rf"(?<=[0-9a-wyz)])\s?\((?=[0-9a-z]\s?[+{_DASH}×÷*]\s?[0-9a-z]\))", "×("),
    rule(r"\|([^|\n]{1,20})\|", lambda m: f"∣{_DASHES.sub(MINUS, m[1])}∣"),
    rule(rf"(?<=[0-9元个只])\s?[{_DASH}]\s?(?=(?:{N})[\u3400-\u9fff]{{0,3}}\s?=)", MINUS),
)
