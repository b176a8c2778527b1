"""The sentences that a child hears where no engine can answer, or where one broke off."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from chassis.script_language import detect, scripts

Language: TypeAlias = Literal["zh", "en"]

NO_ANSWER: dict[Language, str] = {
    "zh": "哎呀，我现在想不出来，等一会儿再问我，好吗？",
    "en": "Oh dear, I cannot think just now. Please ask me again in a little while.",
}

BROKEN_OFF: dict[Language, str] = {
    "zh": "……哎呀，我说到一半忘了，请再问我一次好吗？",
    "en": " … Oh dear, I have lost my thread. Please ask me once more.",
}
"""It follows half a sentence, or half a word."""


def language_of(texts: Sequence[str]) -> Language:
    """Return the language of the first text that has letters; English for those we cannot speak."""
    words = next((text for text in texts if scripts(text)), "")
    return "zh" if detect(words) == "zh" else "en"
