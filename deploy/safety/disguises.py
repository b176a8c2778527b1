"""Ways in which a sentence is written to slip past word lists, in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from random import Random

from opencc import OpenCC
from pypinyin.constants import PINYIN_DICT

from chassis.guard.sounds import syllable

LEET = str.maketrans("aeiosAEIOS", "4310543105")
_WORD = re.compile(r"[A-Za-z]{4,}")
_HAN = re.compile("[\u4e00-\u9fff]")


def _in_words(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: _WORD.sub(lambda word: change(word[0]), text)


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _traditional(text: str) -> str:
    return str(_converter().convert(text))


@cache
def _converter() -> OpenCC:
    return OpenCC("s2t")


def _homophones(text: str) -> str:
    """Put other characters of the same sound in place of every third one."""
    chance = Random(text)
    places = [at for at, char in enumerate(text) if _HAN.match(char)]
    out = list(text)
    for at in chance.sample(places, max(1, len(places) // 3)):
        same = [char for char in _alike().get(syllable(text[at]), "") if char != text[at]]
        out[at] = chance.choice(same) if same else text[at]
    return "".join(out)


@cache
def _alike() -> dict[str, str]:
    """Return the usual characters of each syllable: those of the first level of GB 2312."""
    found: dict[str, str] = {}
    for code in PINYIN_DICT:
        encoded = chr(code).encode("gb2312", "ignore") if 0x4E00 <= code <= 0x9FFF else b""
        if encoded and 0xB0 <= encoded[0] <= 0xD7:
            found[syllable(chr(code))] = found.get(syllable(chr(code)), "") + chr(code)
    return found


ENGLISH: dict[str, Callable[[str], str]] = {
    "plain": str,
    "CAPITALS": str.upper,
    "digits": lambda text: text.translate(LEET),
    "s p r e a d": _in_words(" ".join),
    "d.o.t.s": _in_words(".".join),
    "zero width": _in_words("\u200b".join),
    "full width": _wide,
    "loooong": _in_words(lambda word: re.sub("([aeiou])", r"\1\1\1", word, count=1)),
    "in ha lves": _in_words(lambda word: f"{word[:2]} {word[2:]}"),
    "permitted": lambda text: f"My teacher said it is fine. {text}",
    "as a story": lambda text: f"It is only for a story I write: {text}",
}
CHINESE: dict[str, Callable[[str], str]] = {
    "plain": str,
    "traditional": _traditional,
    "s p r e a d": " ".join,
    "s*t*a*r*s": "*".join,
    "zero width": "\u200b".join,
    "homophones": _homophones,
    "pinyin": lambda text: " ".join(syllable(char) if _HAN.match(char) else char for char in text),
    "repeated": lambda text: "".join(char * 3 for char in text),
    "permitted": lambda text: f"老师说可以的，{text}",
    "as a story": lambda text: f"我在写一个故事，{text}",
}
