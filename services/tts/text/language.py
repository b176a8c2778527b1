"""Which language a text is in, as far as its letters tell."""

import unicodedata
from collections import Counter
from functools import lru_cache

SCRIPTS = {
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
"""The script of a letter, by how Unicode names it, and the language it is taken for."""
DENSE = frozenset({"zh", "ja", "ko"})
"""Their voices read Latin words too, and a sentence in them may hold many: one letter of theirs decides."""
TELLING = {
    "ru": {"uk": "іїєґІЇЄҐ"},
    "ar": {"fa": "پچژگ", "ur": "ٹڈڑںے"},
}
"""Letters by which a language differs from its script's first one."""
ALSO_READS = {
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


@lru_cache(4096)
def _script(letter: str) -> str:
    """The language a letter's script is taken for; "" for Latin letters and rare scripts."""
    words = unicodedata.name(letter, "").split()
    return SCRIPTS.get(" ".join(words[:2])) or SCRIPTS.get(words[0] if words else "") or ""


def scripts(text: str) -> Counter[str]:
    """How many letters of each script, under the language it is taken for; "" counts Latin ones."""
    return Counter(_script(char) for char in text if char.isalpha())


def detect(text: str) -> str | None:
    """ISO 639-1, or None where the letters do not tell (Latin ones, or none at all)."""
    counts = scripts(text)
    dense = {language: count for language, count in counts.items() if language in DENSE}
    if "ja" in dense:  # kanji are counted as Chinese
        return "ja"
    language = max(dense or counts, key=counts.__getitem__, default="")
    for relative, letters in TELLING.get(language, {}).items():
        if any(letter in text for letter in letters):
            return relative
    return language or None


def foreign(text: str, language: str) -> bool:
    """Whether a voice of `language` could not read a single letter of `text`."""
    primary = language.partition("-")[0]
    familiar = {"", primary, *ALSO_READS.get(primary, ())}
    counts = scripts(text)
    return bool(counts) and not familiar & counts.keys()


def holds_han(text: str) -> bool:
    """Whether there are Chinese characters in it: hanzi, kanji, hanja."""
    return any(char.isalpha() and _script(char) == "zh" for char in text)
