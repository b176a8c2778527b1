"""What of a text can be said."""

import re
import unicodedata

UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufff0-\uffff\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff]"
)
"""Control characters, noncharacters and private ones: no voice knows them, and XML forbids some."""
INVISIBLE = re.compile("[\u200b\u2060-\u2064\ufeff\U000e0000-\U000e0fff]")
"""Marks within words that are for the eye alone."""
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> str:
    """The text without what only machines read; nothing that could be heard is lost."""
    return UNSPEAKABLE.sub(" ", INVISIBLE.sub("", LINE_ENDS.sub("\n", text))).strip()


def speakable(text: str) -> bool:
    """Whether there is a letter or a digit in it, of any script; punctuation and emoji alone are not."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)
