"""A text as rules look at it: without the disguises that a word is given to slip past them.

Full-width letters, accents, look-alikes, traditional characters, zero-width characters, letters repeated or spread out,
and digits in place of letters are undone.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһӏкмтвнαοερτυνικгп", "aeopcyxijsdhlkmtbhaoeptuvikrn")
"""Cyrillic and Greek letters that look like Latin ones."""
LEET = str.maketrans("0134578@$!|+€£", "oieastbasiitel")
LEET_WITH_L = LEET | str.maketrans("1!|", "lll")
HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
TOKEN = re.compile(rf"[{HAN}]+|[a-z0-9@$!|+€£]*[a-z0-9@$€£]|[^\W\d_]+")
_APOSTROPHE = re.compile(r"(?<=[a-z])['’](?=[a-z])")
_HAN_START = re.compile(f"[{HAN}]")
_LETTER = re.compile("[a-z]")
_LONG_RUN = re.compile(r"([a-z])\1{2,}")
_RUN = re.compile(r"(.)\1+")
_DISGUISED = re.compile(r"[a-z][0-9@$!|+€£]|[0-9@$!|+€£][a-z]|([a-z])\1\1")
_SPREAD = re.compile(r"(?<![^ ])(?:[a-z0-9] ){2,}[a-z0-9](?![^ ])")
"""Three letters or more, one by one."""
_REPEATED_HAN = re.compile(rf"([{HAN}])\1{{2,}}")
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}]) (?=[{HAN}])")
USUAL_SHORT_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an as at be by do go he her his i if in is it me my no of on or so the to up us we am are can you was and
        for not has had she him they but how why who what when with that this from out get got let put see say""",
    )
)
"""Words that may well stand beside another without being half of it."""
LONGEST_USUAL_WORD = 14
MOST_HALF = 8
"""Letters that a half of a word has less than."""


def forms(text: str, words: Mapping[str, str]) -> list[str]:
    """Return the text as plain tokens with blanks between and around them, in each way it may be meant.

    Characters of Chinese stand together, whatever was put between them.

    Args:
        words: Words that are looked for, by their `squeezed` form.
    """
    plain = _plain(text)
    tokens = TOKEN.findall(plain)
    if _DISGUISED.search(plain):
        ways = [[_undisguised(each, leet, words) for each in tokens] for leet in (LEET, LEET_WITH_L)]
    else:
        ways = [tokens]
    found = dict.fromkeys(_joined(way, words) for way in ways)
    if len(tokens) > 1 and (halves := _halves(ways[0])):
        found[halves] = None
    return list(found)


def squeezed(word: str) -> str:
    """Return a word without its repeated letters."""
    return _RUN.sub(r"\1", word)


def squashed(text: str) -> str:
    """Return the Latin letters alone where blanks seem to be left out or strewn in; empty elsewhere."""
    tokens = [each for each in TOKEN.findall(_plain(text)) if not _HAN_START.match(each)]
    strange = sum(len(each) == 1 for each in tokens) > 2 or any(len(each) > LONGEST_USUAL_WORD for each in tokens)
    return "".join(each.translate(LEET) for each in tokens) if strange else ""


def _plain(text: str) -> str:
    decomposed = _APOSTROPHE.sub("", unicodedata.normalize("NFKD", text).casefold())
    if decomposed.isascii():
        return decomposed
    kept = "".join(each for each in decomposed if unicodedata.category(each) not in ("Mn", "Me", "Cf", "Cc"))
    kept = "".join(_name(each) for each in kept).translate(LOOK_ALIKES)
    return _REPEATED_HAN.sub(r"\1", simplified(kept)) if _HAN_START.search(kept) else kept


def _name(character: str) -> str:
    """Return the name of a picture (a pistol, a bomb), and anything else as it is."""
    if unicodedata.category(character) != "So":
        return character
    return f" {unicodedata.name(character, '').lower()} "


def _undisguised(token: str, leet: dict[int, int], words: Mapping[str, str]) -> str:
    if not token.isalpha() and _LETTER.search(token):
        token = token.translate(leet)
    if not _LONG_RUN.search(token):
        return token
    short = squeezed(token)
    return words.get(short, short)


def _joined(tokens: list[str], words: Mapping[str, str]) -> str:
    def together(spread: re.Match[str]) -> str:
        letters = spread[0].replace(" ", "")
        for start in range(len(letters) - 2):  # "do i k i l l": the first ones may be words of their own
            if words.get(squeezed(letters[start:])) == letters[start:]:
                return f"{' '.join(letters[:start])} {letters[start:]}".lstrip()
        return letters

    return _SPREAD.sub(together, _BETWEEN_HAN.sub("", f" {' '.join(tokens)} "))


def _halves(tokens: list[str]) -> str:
    """Return each pair of neighbours that may be the halves of one word, put together."""
    pairs = [
        first + second
        for first, second in pairwise(tokens)
        if len(first) < MOST_HALF > len(second)
        and first.isascii()
        and second.isascii()
        and first not in USUAL_SHORT_WORDS
        and second not in USUAL_SHORT_WORDS
    ]
    return f" {' . '.join(pairs)} " if pairs else ""


def simplified(text: str) -> str:
    """Return the text in simplified characters."""
    converted: str = _converter().convert(text)
    return converted


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")
