"""Figures in words: numbers, dates, times, money, units and the signs between them, in Chinese and in English.

For engines that spell what they do not know; others read figures well by themselves. Each language is a table of
rules, applied in order: first the forms that belong together (a date), then the signs, last the numbers left over.
Our own, since num2words (no Chinese, 90 ms to import), cn2an (180 ms) and inflect (3 s) know numbers only.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from tts.text.figure_rules import Rule
from tts.text.figures_en import EN
from tts.text.figures_zh import ZH

RUN = re.compile(r"(?:[^\n。！？!?；;.]|\.(?!\s)|(?<=[Nn]o)\.)+(?:[\n。！？!?；;]|\.\s?)*|.", re.DOTALL)
"""A sentence, about: a language is decided for each."""

HAN, KANA, LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[\u3040-\u30ff\uac00-\ud7a3]"), re.compile(r"[A-Za-z]")

WIDE = re.compile(r"[\u3000-\u303f\uff01-\uff1b\uff1f-\uff60￥]")

OTHER = re.compile(r"[\u0370-\u1dff\ua000-\uabff]")


@lru_cache(128)
def in_words(text: str, language: str | None = None) -> str:
    """The text without figures, as far as they are read in Chinese or in English.

    Args:
        language: The voice's, e.g. `"en"` or `"fr-FR"`; Latin letters are taken for English where it is not given.
    """
    spoken = (language or "").partition("-")[0].lower()
    fallback = "zh" if HAN.search(text) else spoken or "en"
    return RUN.sub(lambda run: _read(run[0], _language(run[0], spoken, fallback)), text)


def _language(run: str, spoken: str, fallback: str) -> str:
    """Of one sentence; "" where its figures are better left alone."""
    if KANA.search(run) or OTHER.search(run) or spoken in ("ja", "ko"):
        return ""
    if HAN.search(run):
        return "zh"
    if LATIN.search(run):
        return "en" if spoken in ("", "en", "zh", "yue") else ""
    return "zh" if WIDE.search(run) else fallback


def _read(run: str, language: str) -> str:
    if any(char in SIGNS for char in run):
        for pattern, words in RULES.get(language, ()):
            run = pattern.sub(words, run)
    return run


SIGNS = frozenset("0123456789%&@#№½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞.")

RULES: dict[str, Sequence[Rule]] = {"zh": ZH, "en": EN}
