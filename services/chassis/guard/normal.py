"""A text as rules look at it: without the disguises that a word is given to slip past them.

Full-width letters, accents, look-alikes, traditional characters, zero-width characters, letters repeated, masked or
spread out, words written backwards, and digits in place of letters are undone.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from html import unescape
from urllib.parse import unquote

from chassis.guard.spelling import EnglishSpelling
from chassis.script_language import simplified

_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһӏкмтвнαοερτυνικгп†‡∂∫ɑ", "aeopcyxijsdhlkmtbhaoeptuvikrnttdsa")
"""Cyrillic and Greek letters, and signs, that look like Latin letters."""
_NAMED_LETTER = re.compile(
    r"(?:LATIN (?:SMALL |CAPITAL )?LETTER|NEGATIVE (?:SQUARED|CIRCLED) LATIN CAPITAL LETTER"
    r"|REGIONAL INDICATOR SYMBOL LETTER)(?: DOTLESS| SCRIPT| OPEN| BARRED| LONG| SMALL CAPITAL)* ([A-Z])\b"
)
"""Name of a letter that is a Latin one with something to it: with a stroke, as a small capital, in a square."""
LEET = str.maketrans("0134578@$!|+€£", "oieastbasiitel")
_LEET_WITH_L = LEET | str.maketrans("1!|", "lll")
_ARABIC = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
"""Joined letters of a language that nothing is looked for in; one of them may stand for eighteen."""
_STRANGE_LETTER = re.compile("[\u00d8-\u02af\u1d00-\u1dbf\u2c60-\u2c7f\ua720-\ua7ff]")
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_MOST_PICTURES = 100
"""Different pictures of a text that are named, each once: a name is up to fifty letters long."""
HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
TOKEN = re.compile(rf"[{HAN}]+|[a-z0-9@$!|+€£]*[a-z0-9@$€£]|[^\W\d_]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[bfnrt])")
_PERCENT = re.compile("%[0-9a-fA-F]{2}")
_MARKUP_WITHIN = re.compile(r"(?<=[^\W_])(?:</?[A-Za-z][^<>]*>|\]\([^()]*\)|[`*_~\[\]])+(?=[^\W_])")
"""Tags, links and emphasis within a word, which a reader does not see and a voice does not say."""
_APOSTROPHE = re.compile(r"(?<=[a-z0-9])['’](?=[a-z0-9])")
_HAN_START = re.compile(f"[{HAN}]")
_LONG_RUN = re.compile(r"([a-z])\1{2,}")
_RUN = re.compile(r"(.)\1+")
_DOUBLE = re.compile(r"([a-z])\1")
_ODD_DOUBLE = re.compile(
    r"([aiuhjkqvwxy])\1|^([b-df-km-z])\2|([bcdfgmnprtz])\3(?![aeioulrwy]|$)|^.{3,}([bcdmnprt])\4$", re.ASCII
)
"""Letters doubled where English has none: `kiill`, `sstab`, `jummp`, `stabb`."""
_LEAST_DOUBLED = 5
"""Letters of a word from which on it is seen through whatever letter is doubled; shorter ones are like other words."""
_BETWEEN_LETTERS = re.compile(
    rf"(?<![a-z])[a-z]{{1,2}}(?:{_PICTURE.pattern}\ufe0f?[a-z]{{1,2}})+(?![a-z])", re.IGNORECASE
)
"""A word in whose letters pictures stand, which are no more than dots there."""
_CUT = re.compile(r"(?<![a-z0-9])[a-z]{1,6}(?:[-.·_*'|/~+=:][a-z]{1,6}){1,9}(?![a-z0-9])")
"""A word with signs in it where no blank is: `dr.u.nk`, `st-ab`."""
_MASKED = re.compile(r"(?<![a-z])([a-z]+)[*#%_]([a-z]+)(?![a-z])")
_TONE_DIGIT = re.compile(r"([a-z]{1,6})[1-5]")
_LEAST_BACKWARDS = 4
"""Letters of a word that is read backwards, too; two such words make it likely."""
_DISGUISED = re.compile(r"[a-z][0-9@$!|+€£]|[0-9@$!|+€£][a-z]|([a-z])\1\1")
_SPREAD = re.compile(r"(?<![^ ])(?:[a-z0-9] ){2,}[a-z0-9](?![^ ])")
"""Three letters or more, one by one."""
_COUNTED = (
    "个只块条本张件岁年月天次遍首句把颗辆位种斤米点分号第层楼口片双杯瓶包盒头匹朵棵支枝间家元角秒小百千万等加减乘除"
)
_FOUR = re.compile(
    "(?<=[想去弄打砍毒杀掐咬摔勒捅烧淹])4(?=[了吧掉啊呀呢算他她它你我自别弟妹爸妈老同怎]"
    f"|[,.!?，。！？… ]*$|[,.!?，。！？… ]+[^0-9{_COUNTED}])"
)
"""The digit that sounds like 死, behind a verb, and before nothing that is counted."""
_REPEATED_HAN = re.compile(rf"([{HAN}])\1{{2,}}")
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}]) (?=[{HAN}])")
_USUAL_SHORT_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an as at be by do go he her his i if in is it me my no of on or so the to up us we am are can you was and
        for not has had she him they but how why who what when with that this from out get got let put see say""",
    )
)
"""Words that may well stand beside another without being half of it."""
_LONGEST_USUAL_WORD = 14
_LONGEST_WORD = 20


def forms(text: str, words: Mapping[str, str], spelling: EnglishSpelling | None = None) -> list[str]:
    """Return the text as plain tokens with blanks between and around them, in each way it may be meant.

    Characters of Chinese stand together, whatever was put between them.

    Args:
        words: Words that are looked for, by themselves and by their `squeezed` form.
        spelling: Reads what is misspelt; None: as it is written.
    """
    text = _unescaped(text)
    readings = dict.fromkeys((text, _MARKUP_WITHIN.sub("", text)))
    return list(dict.fromkeys(form for reading in readings for form in _forms(reading, words, spelling)))


def _unescaped(text: str) -> str:
    """Return the text without the escapes of JSON, HTML and addresses: a tool is called with `\\u0067un`."""
    if "&" in text:
        text = unescape(text)
    if _PERCENT.search(text):
        text = unquote(text)
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else " ", text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _forms(text: str, words: Mapping[str, str], spelling: EnglishSpelling | None) -> list[str]:
    plain = _MASKED.sub(lambda word: _unmasked(word, words), _plain(text))
    tokens = TOKEN.findall(plain)
    if _DISGUISED.search(plain):
        ways = [[_undisguised(each, leet, words) for each in tokens] for leet in (LEET, _LEET_WITH_L)]
        ways += _without_tones(tokens)
    else:
        ways = [[_undoubled(each, words) for each in tokens]]
    if (whole := _CUT.sub(lambda word: _uncut(word[0], words), plain)) != plain:
        ways.append([_undoubled(each, words) for each in TOKEN.findall(whole)])
    if _is_backwards(tokens, words):
        ways += [[each[::-1] for each in order] for order in (tokens, tokens[::-1])]
    if spelling is not None and (meant := spelling.meant(ways[0])) != ways[0]:
        ways.append(meant)
    return list(
        dict.fromkeys(form for way in ways for form in (_joined(way, words), _joined(_mended(way, words), words)))
    )


def as_written(term: str) -> str:
    """Return a term that is looked for as plain tokens: its digits and repeated letters are meant."""
    return _joined(TOKEN.findall(_plain(term)), {})


def squeezed(word: str) -> str:
    """Return a word without its repeated letters."""
    return _RUN.sub(r"\1", word)


def squashed(text: str) -> str:
    """Return the Latin letters alone where blanks seem to be left out or strewn in; empty elsewhere."""
    tokens = [each for each in TOKEN.findall(_plain(text)) if not _HAN_START.match(each)]
    strange = sum(len(each) == 1 for each in tokens) > 2 or any(len(each) > _LONGEST_USUAL_WORD for each in tokens)
    return "".join(each.translate(LEET) for each in tokens) if strange else ""


def _plain(text: str) -> str:
    if not text.isascii():
        text = _BETWEEN_LETTERS.sub(lambda word: _PICTURE.sub("", word[0]), text)
    decomposed = _APOSTROPHE.sub("", unicodedata.normalize("NFKD", _ARABIC.sub(" ", text)).casefold())
    if decomposed.isascii():
        return decomposed
    kept = "".join(each for each in decomposed if unicodedata.category(each) not in ("Mn", "Me", "Cf", "Cc"))
    kept = _STRANGE_LETTER.sub(lambda each: _latin(each[0]), _with_names(kept).translate(_LOOK_ALIKES))
    return _REPEATED_HAN.sub(r"\1", _FOUR.sub("死", simplified(kept))) if _HAN_START.search(kept) else kept


def _with_names(text: str) -> str:
    """Return the text with the names of its pictures in their place, where they stand first."""
    seen: set[str] = set()

    def named(picture: re.Match[str]) -> str:
        if (name := _name(picture[0])).isalpha():
            return name
        if picture[0] in seen or len(seen) == _MOST_PICTURES:
            return " "
        seen.add(picture[0])
        return name

    return _PICTURE.sub(named, text)


@lru_cache(1024)
def _latin(character: str) -> str:
    """Return the Latin letter that another one is a form of; any other as it is."""
    letter = _NAMED_LETTER.match(unicodedata.name(character, ""))
    return letter[1].lower() if letter else character


@lru_cache(1024)
def _name(character: str) -> str:
    """Return the name of a picture (a pistol, a bomb), the letter that one shows, and anything else as it is."""
    if unicodedata.category(character) != "So":
        return character
    name = unicodedata.name(character, "")
    return letter[1].lower() if (letter := _NAMED_LETTER.match(name)) else f" {name.lower()} "


def _uncut(word: str, words: Mapping[str, str]) -> str:
    """Return a word without the signs within it, where it is known then."""
    whole = re.sub("[^a-z]", "", word)
    return whole if len(whole) >= _LEAST_BACKWARDS and words.get(whole) == whole else word


def _unmasked(word: re.Match[str], words: Mapping[str, str]) -> str:
    """Return a word with the vowel that a sign stands for, where it is known then: `b*mb`."""
    ways = (f"{word[1]}{vowel}{word[2]}" for vowel in "aeiou")
    return next((way for way in ways if words.get(way) == way), word[0])


def _without_tones(tokens: list[str]) -> list[list[str]]:
    """Return pinyin without the digits of its tones: `zi4 sha1`."""
    found = [_TONE_DIGIT.fullmatch(each) for each in tokens]
    if sum(each is not None for each in found) < 2:
        return []
    return [[each[1] if each else token for each, token in zip(found, tokens, strict=True)]]


def _is_backwards(tokens: list[str], words: Mapping[str, str]) -> bool:
    turned = (each[::-1] for each in tokens if len(each) >= _LEAST_BACKWARDS and each not in words)
    return sum(words.get(each) == each for each in turned) > 1


def _undoubled(token: str, words: Mapping[str, str]) -> str:
    """Return the word that is known where letters of it are doubled: `slleeping`."""
    if token in words or not _DOUBLE.search(token):
        return token
    short = squeezed(token)
    if len(short) >= _LEAST_DOUBLED or _ODD_DOUBLE.search(token):
        return words.get(short, token)
    return token


def _undisguised(token: str, leet: dict[int, int], words: Mapping[str, str]) -> str:
    if token in words:
        return token
    if not token.isalpha():
        token = token.translate(leet)
    if not _LONG_RUN.search(token):
        return _undoubled(token, words)
    short = squeezed(token)
    return words.get(short, short)


def _joined(tokens: list[str], words: Mapping[str, str]) -> str:
    text = _BETWEEN_HAN.sub("", f" {' '.join(tokens)} ")
    return _SPREAD.sub(lambda spread: _read(spread[0].replace(" ", ""), words), text)


def _read(letters: str, words: Mapping[str, str]) -> str:
    """Return words that were written letter by letter: `doikillhim` is `do i kill him`, as far as they are known."""
    found, start = [""], 0
    while start < len(letters):
        ends = range(min(len(letters), start + _LONGEST_WORD), start + 2, -1)
        end = next((end for end in ends if words.get(letters[start:end]) == letters[start:end]), 0)
        if end:
            found += [letters[start:end], ""]
        else:
            found[-1] += letters[start]
        start = end or start + 1
    return " ".join(filter(None, found))


def _mended(tokens: list[str], words: Mapping[str, str]) -> list[str]:
    """Return the tokens with those put together that are the halves of a word."""
    out: list[str] = []
    for token in tokens:
        whole = out[-1] + token if out else ""
        if words.get(whole) == whole and _may_be_halves(out[-1], token, words):
            out[-1] = whole
        else:
            out.append(token)
    return out


def _may_be_halves(first: str, second: str, words: Mapping[str, str]) -> bool:
    if first in _USUAL_SHORT_WORDS:
        return len(second) > 2 and second not in _USUAL_SHORT_WORDS and second not in words
    return second not in _USUAL_SHORT_WORDS
