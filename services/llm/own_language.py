"""The language of the sentences that the mind says itself, without a model: Chinese or English."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from chassis.script_language import detect, scripts

Language: TypeAlias = Literal["zh", "en"]


def own_language(texts: Sequence[str]) -> Language:
    """Return the language of the first text that has letters; English for those we cannot speak."""
    words = next((text for text in texts if scripts(text)), "")
    return "zh" if detect(words) == "zh" else "en"
