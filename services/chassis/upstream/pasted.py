"""Addresses and keys as they are pasted: between quotation marks, in full-width signs, with blanks that nobody sees."""

import re
import unicodedata

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_AROUND = " \t\r\n'\"`<>“”‘’「」『』《》,;，；。、"
_BETWEEN = re.compile(r"[,;、\s]+")


def plain(text: str) -> str:
    """Return `text` in half-width signs, without quotation marks and ends of sentences around it."""
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).strip(_AROUND)


def plain_keys(text: str) -> tuple[str, ...]:
    """Return the keys that `text` lists, each once, without the word that goes ahead of one in a header."""
    keys = (key.strip(_AROUND) for key in _BETWEEN.split(plain(text)))
    return tuple(dict.fromkeys(key for key in keys if key and key.lower() != "bearer"))
