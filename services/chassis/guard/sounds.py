"""Chinese by its sound: characters that are put in place of others, and words written in Latin letters."""

import os
import re
from functools import lru_cache

os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")  # 45 MB of memory for readings of whole phrases

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT

from chassis.guard.normal import HAN

_TOKEN = re.compile(rf"[{HAN}]|[a-z]+")
_HAN = re.compile(f"[{HAN}]")
_FLAT = re.compile(r"^([zcs])h")
"""`zh`, `ch` and `sh` are `z`, `c` and `s` to many speakers, and to many recognisers."""
_LONGEST_SYLLABLE = 6
_NO_SYLLABLE = " "


@lru_cache(8192)
def syllable(character: str) -> str:
    """Return how one character is read, without its tone."""
    return _FLAT.sub(r"\1", lazy_pinyin(character, style=Style.NORMAL)[0])


def spelt(text: str) -> str:
    """Return the syllables of a text that is plain already: `'wo'xiang'`. Words that are no syllables end a match."""
    tokens = _TOKEN.findall(text)
    if text.isascii() and not all(map(_syllables, tokens)):
        return ""  # English, some words of which look like syllables
    return f"'{chr(39).join(read or _NO_SYLLABLE for read in map(_read, tokens))}'"


def latin_starts(text: str) -> list[int]:
    """Return where in `spelt(text)` those syllables begin that are Latin letters among characters of Chinese."""
    starts, at = [], 1
    for token in _TOKEN.findall(text):
        if token.isascii() and _syllables(token):
            starts.append(at)
        at += len(_read(token) or _NO_SYLLABLE) + 1
    return starts


@lru_cache(16384)
def _read(token: str) -> str:
    return syllable(token) if _HAN.match(token) else "'".join(_syllables(token))


@lru_cache(4096)
def _syllables(word: str) -> tuple[str, ...]:
    """Return the syllables that a word consists of, the first as long as can be; none where it is no pinyin."""
    ends: dict[int, int] = {len(word): len(word)}
    """Where a syllable ends, by its start, if all that follows can be read."""
    for start in range(len(word) - 1, -1, -1):
        longest = range(min(len(word), start + _LONGEST_SYLLABLE), start, -1)
        end = next((end for end in longest if end in ends and word[start:end] in _known()), None)
        if end is not None:
            ends[start] = end
    found, start = [], 0
    while start < len(word) and 0 in ends:
        found.append(_FLAT.sub(r"\1", word[start : ends[start]]))
        start = ends[start]
    return tuple(found)


@lru_cache(1)
def _known() -> frozenset[str]:
    """Return every syllable that a usual character has."""
    usual = (chr(code) for code in PINYIN_DICT if 0x4E00 <= code <= 0x9FFF and _is_usual(chr(code)))
    return frozenset(lazy_pinyin("".join(usual), style=Style.NORMAL))


def _is_usual(character: str) -> bool:
    try:
        return bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False
