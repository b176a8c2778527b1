"""The sentences that a child hears where no engine can answer, or where one broke off."""

from llm.own_language import Language

NO_ANSWER: dict[Language, str] = {
    "zh": "哎呀，我现在想不出来，等一会儿再问我，好吗？",
    "en": "Oh dear, I cannot think just now. Please ask me again in a little while.",
}

BROKEN_OFF: dict[Language, str] = {
    "zh": "……哎呀，我说到一半忘了，请再问我一次好吗？",
    "en": " … Oh dear, I have lost my thread. Please ask me once more.",
}
"""It follows half a sentence, or half a word."""
