"""The sentence that a child hears where no engine can answer."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from chassis.script_language import detect, scripts

Language: TypeAlias = Literal["zh", "en"]

NO_ANSWER: dict[Language, str] = {
    "zh": "哎呀，我现在想不出来，等一会儿再问我，好吗？",
    "en": "Oh dear, I cannot think just now. Please ask me again in a little while.",
}


def language_of(texts: Sequence[str]) -> Language:
    """Return the language of the first text that has letters; English for those we cannot speak."""
    words = next((text for text in texts if scripts(text)), "")
    return "zh" if detect(words) == "zh" else "en"
