"""Figures in words: numbers, dates, times, money, units and the signs between them, in Chinese and in English.

This is for engines that spell what they do not know; others read figures well by themselves. Each language is a table
of rules, applied in order: figures_zh.py and figures_en.py. They are our own: docs/decisions/0002 says which libraries
were tried, and what they cost and miss.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from chassis.script_language import wide
from tts.text.figures_en import EN, FIRST_EN
from tts.text.figures_zh import FIRST_ZH, ZH
from tts.text.rules import Rule, apply
from tts.text.speakable import speakable
from tts.text.sums import tell_sums

_RUN = re.compile(
    r"(?:[^\n。！？!?；;.，,]|\.(?!\s)|[,，](?=[0-9]))+(?:[\n。！？!?；;]|\.\s?|[,，](?![0-9]))*|.", re.DOTALL
)
"""Pattern of about half a sentence: a language is decided for each, and those of one language are read together."""
_HAN, _LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[A-Za-z]{2}|\bI\b")
_WORDS = re.compile(r"\b[A-Za-z]+\b.*?\b[a-z]{2,}|\b[a-z]{2,}.*?\b[A-Za-z]+\b", re.DOTALL)
"""Pattern of two English words: fewer, in a Chinese text, are a name or a unit."""
_ENGLISH = re.compile(
    r"(?<![0-9A-Za-z/=+−])(?<![0-9] )(?<![=+−] )(?![a-z]{2}\s?[=+−²³ˆ^])"
    r"(?!(?:d[xyzt]|mc|lim|sin|cos|tan|cot|log|ln|lg|max|min|mod|gcd|det)(?![A-Za-z]))[A-Za-z]*[a-z]{2}"
)
"""Pattern of an English word, for a Chinese voice; 5 km, MP3, USD, sin x and y = kx + b have none."""
_KANA = re.compile(r"[\u3041-\u30fa\uac00-\ud7a3]")
_OTHER = re.compile(r"[\u0370-\u03ff]{2}|[\u0400-\u1cff]|[\ua000-\uabff]")
_ITEM = re.compile(r"\s*[0-9]{1,3}[,，、.] ")
"""Pattern of the number of an item of a list, which is read as those before it."""
_BEFORE_SUMS: dict[str, Sequence[Rule]] = {"zh": FIRST_ZH, "en": FIRST_EN}
_RULES: dict[str, Sequence[Rule]] = {"zh": ZH, "en": EN}


@lru_cache(128)
def in_words(text: str, language: str | None = None) -> str:
    """Return the text without figures, as far as they are read in Chinese or in English.

    Args:
        language: The voice's, e.g. `"en"` or `"fr-FR"`; Latin letters are taken for English where it is not given.
    """
    spoken = (language or "").partition("-")[0].lower()
    said = "".join(_read(of, run) for of, run in _runs(text, "zh" if spoken == "yue" else spoken)).strip()
    return said if speakable(said) else text


def _runs(text: str, spoken: str) -> Iterator[tuple[str, str]]:
    """Give stretches of one language, each with that language; "" where figures are better left alone."""
    mixed = sum(bool(letters.search(text)) for letters in (_HAN, _LATIN, _KANA, _OTHER)) > 1
    runs = _RUN.findall(text) if mixed else [text]
    chinese = _HAN.search(text) is not None
    languages = [_language(run, spoken, chinese) for run in runs]
    last = next((language for language in languages if language is not None), _without_letters(text, spoken))
    known: list[str] = []
    for run, language in zip(runs, languages, strict=True):
        last = last if language is None or (known and _ITEM.match(run)) else language
        known.append(last)
    for language, together in groupby(zip(known, runs, strict=True), key=lambda pair: pair[0]):
        yield language, "".join(run for _, run in together)


def _language(run: str, spoken: str, chinese: bool) -> str | None:
    """Return the language of a sentence by its letters; None where it has none."""
    if spoken in ("ja", "ko") or _OTHER.search(run):
        return ""
    if _HAN.search(run):
        return "" if len(_KANA.findall(run)) > 1 and spoken != "zh" else "zh"
    if _KANA.search(run):
        return ""
    if chinese and not _WORDS.search(run):
        return None
    if _LATIN.search(run) if spoken != "zh" else _ENGLISH.search(run):
        return "en" if spoken in ("", "en", "zh") else ""
    return None


def _without_letters(text: str, spoken: str) -> str:
    if spoken:
        return spoken if spoken in _RULES else ""
    return "zh" if wide(text) else "en"


def _read(language: str, run: str) -> str:
    return apply(_RULES[language], tell_sums(apply(_BEFORE_SUMS[language], run))) if language in _RULES else run
