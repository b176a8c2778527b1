"""The language of a text, as far as its letters tell: one way for what is heard, thought and spoken."""

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import Any

_SCRIPTS = {
    "CJK": "zh",
    "BOPOMOFO": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HALFWIDTH KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "GREEK": "el",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "SINHALA": "si",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am",
    "TIBETAN": "bo",
}
"""Script of a letter, by its name in Unicode, and the language it is taken for."""
DENSE = frozenset({"zh", "ja", "ko"})
"""Languages whose voices read Latin words too, and a sentence in them may hold many: a few letters of theirs decide."""
_TELLING = {
    "ru": {"uk": "іїєґІЇЄҐ"},
    "ar": {"fa": "پچژگ", "ur": "ٹڈڑںے"},
}
"""Letters by which a language differs from its script's first one."""
_ALSO_READS = {
    "ja": ("zh",),
    "ko": ("zh",),
    "yue": ("zh",),
    **dict.fromkeys(("uk", "be", "bg", "mk", "sr", "kk", "ky", "mn", "tt", "ba", "cv"), ("ru",)),
    **dict.fromkeys(("fa", "ur", "ps", "ug", "sd", "ku"), ("ar",)),
    **dict.fromkeys(("mr", "ne", "kok"), ("hi",)),
    "as": ("bn",),
    "ti": ("am",),
    "shn": ("my",),
    "grc": ("el",),
    "hyw": ("hy",),
}
"""Languages in the script of another: their voices find letters of it familiar."""

_LONE_GREEK = re.compile(r"(?<![\u0370-\u03ff])[\u0370-\u03ff](?![\u0370-\u03ff])")
"""A Greek letter by itself is a sign of mathematics."""
WIDE = re.compile(r"[\u3001\u3002\uff01-\uff0d\uff0f-\uff1a\uff1b\uff1d\uff1f\uffe5]")
"""Punctuation and digits of a Chinese keyboard; the full stop of such figures (3．14) is of any language."""
_WIDE_WRITERS = frozenset({"zh", "yue", "wuu", "cmn", "ja", "ko", "mul"})
_SPOKEN_CHINESE = frozenset("我你您妳她它很吗嗎呢吧啊呀哦嗯哒")
"""Characters that Chinese sentences are full of and Japanese ones are not."""
PARTICLE, _FEW = re.compile("[はがをにへでとも]"), 9
"""Kana that mark a Japanese sentence alone, beside as few Chinese characters; の decorates Chinese ones too."""
_JAPANESE_BEFORE_NO = re.compile("[私僕俺君誰彼]の|々")


@lru_cache(4096)
def _script(letter: str) -> str:
    """Return the language that a letter's script is taken for; "" for Latin letters and rare scripts."""
    words = unicodedata.name(letter, "").split()
    return _SCRIPTS.get(" ".join(words[:2])) or _SCRIPTS.get(words[0] if words else "") or ""


@lru_cache(1)  # several questions about one text follow each other
def scripts(text: str) -> Counter[str]:
    """Count the letters of each script, under the language it is taken for; "" counts Latin ones. Do not change it."""
    counts: Counter[str] = Counter()
    for char, times in Counter(_LONE_GREEK.sub("", text)).items():
        if char.isalpha():
            counts[_script(char)] += times
    return counts


def detect(text: str) -> str | None:
    """Return an ISO 639-1 code, or None where the letters do not tell (Latin ones, or none at all)."""
    return _told_by(scripts(text), text)


def _told_by(counts: Counter[str], text: str) -> str | None:
    kana, han = counts["ja"], counts["zh"]
    if kana and (_kana_decides(kana, counts) if not han else _is_japanese(text, kana, han)):
        return "ja"
    if 3 * counts["ko"] >= max(1, han):
        return "ko"
    dense = {"zh": han} if han else {}
    others = {language: count for language, count in counts.items() if language != "ja" and count}
    language = max(dense or others, key=counts.__getitem__, default="")
    for relative, letters in _TELLING.get(language, {}).items():
        if any(letter in text for letter in letters):
            return relative
    return language or None


def _kana_decides(kana: int, counts: Counter[str]) -> bool:
    """Return whether kana without a Chinese character are Japanese: one among Latin letters is part of a face."""
    return kana > 1 or counts.total() == kana


def _is_japanese(text: str, kana: int, han: int) -> bool:
    """Return whether kana among Chinese characters make a Japanese sentence: a fashionable の, a kaomoji or a quoted
    word do not. Characters that only one of the languages writes decide, then how many kana there are."""
    chinese = sum(_only_chinese(char) for char in text)
    japanese = len(_JAPANESE_BEFORE_NO.findall(text)) + sum(_only_japanese(char) for char in text)
    if chinese or japanese:
        return kana > 2 * han if chinese > japanese else japanese > 0
    if kana == 1:
        return kana >= han or (han < _FEW and PARTICLE.search(text) is not None)
    return 6 * kana >= han


@lru_cache(4096)
def _only_chinese(char: str) -> bool:
    written = (_in(char, "gb2312") or _in(char, "big5")) and not _in(char, "shift_jis")
    return _script(char) == "zh" and (char in _SPOKEN_CHINESE or written)


@lru_cache(4096)
def _only_japanese(char: str) -> bool:
    return _script(char) == "zh" and _in(char, "shift_jis") and not _in(char, "gb2312") and not _in(char, "big5")


def _in(char: str, encoding: str) -> bool:
    try:
        return bool(char.encode(encoding))
    except UnicodeEncodeError:
        return False


def language_of(text: str, hint: str | None = None) -> str | None:
    """Return the language of a piece of an answer: by its letters, else by its punctuation, else the hint.

    Args:
        hint: The language of the piece before it.
    """
    if counts := scripts(text):
        return _told_by(counts, text)
    return "zh" if wide(text) else hint


def foreign(text: str, language: str) -> bool:
    """Return whether a voice of `language` could not read a single letter of `text`, or, where it has none, whether its
    punctuation is that of another language."""
    primary = language.partition("-")[0].lower()
    counts = scripts(text)
    if not counts:
        return wide(text) and primary not in _WIDE_WRITERS
    if counts["ja"] and primary == "zh" and _told_by(counts, text) == "zh":
        return False
    familiar = {"", primary, *_ALSO_READS.get(primary, ())}
    return not familiar & counts.keys()


def holds_han(text: str) -> bool:
    """Return whether there are Chinese characters in the text: hanzi, kanji, hanja."""
    return any(char.isalpha() and _script(char) == "zh" for char in text)


def wide(text: str) -> bool:
    """Return whether the text has punctuation or digits of a Chinese keyboard (`。`, `，`, `：`, `￥`, `２５`)."""
    return bool(WIDE.search(text))


def simplified(text: str) -> str:
    """Return the text in simplified characters."""
    converted: str = _converter().convert(text)
    return converted


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")
