"""Text cut into what an engine says at a time: at the ends of sentences, else where it hurts least."""

import re
import unicodedata
from collections.abc import Iterator

SENTENCE = re.compile(r"[。！？｡！？…；;।။។؟]+[”’」』）)\"'»]*\s*|[.!?]++[”’」』）)\"'»]*+(?:\s+|$)|\n\s*")
CLAUSE = re.compile(r"[，、,:：—،、）)]+\s*|\s+")
ABBREVIATIONS = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "vs", "etc", "vol", "fig", "inc", "ltd", "approx"}
    | {"e.g", "i.e", "u.s", "u.k", "a.m", "p.m", "bzw", "z.b", "usw"}
)
"""Words that end in a full stop in the middle of a sentence."""


def size(text: str) -> int:
    """Bytes of UTF-8, with `&<>` escaped as XML wants it."""
    return len(text.encode()) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def cut(text: str, least: int, most: int) -> list[str]:
    """The same text in pieces that, joined, are that text.

    Args:
        least: Sentences are gathered until a piece has this size (1: each is a piece of its own).
        most: No piece is larger; a longer sentence is cut at a comma or a space, or where it must be.
    """
    pieces: list[str] = []
    for sentence in _sentences(text):
        if pieces and size(pieces[-1]) < least and size(pieces[-1]) + size(sentence) <= most:
            pieces[-1] += sentence
        else:
            pieces += _fitting(sentence, most)
    return pieces


def _sentences(text: str) -> Iterator[str]:
    begin = 0
    for end in SENTENCE.finditer(text):
        if end[0].startswith(".") and _abbreviated(text[begin : end.start()]):
            continue
        if end.end() > begin:
            yield text[begin : end.end()]
        begin = end.end()
    if text[begin:]:
        yield text[begin:]


def _abbreviated(before: str) -> bool:
    """Whether a full stop after this belongs to its last word."""
    word = before.rpartition(" ")[2].lower().lstrip("(\"'“‘")
    return word in ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isascii())


def _fitting(sentence: str, most: int) -> Iterator[str]:
    while size(sentence) > most:
        room = _room(sentence, most)
        ends = [end.end() for end in CLAUSE.finditer(sentence, 0, room) if end.end() >= room // 3]
        here = ends[-1] if ends else _between_letters(sentence, room)
        yield sentence[:here]
        sentence = sentence[here:]
    yield sentence


def _room(text: str, most: int) -> int:
    """How many characters from the start are of size `most` at most; at least one."""
    fits, used = 0, 0
    for char in text:
        used += size(char)
        if used > most:
            break
        fits += 1
    return max(1, fits)


def _between_letters(text: str, here: int) -> int:
    """The place nearest before `here` that parts no letter from its accent and no emoji from its other half."""
    for place in range(here, max(1, here - 16), -1):
        if not unicodedata.combining(text[place]) and text[place] not in "\u200d\ufe0f" and text[place - 1] != "\u200d":
            return place
    return here
