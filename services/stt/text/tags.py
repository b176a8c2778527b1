"""Tags that SenseVoice puts into its texts, taken out."""

import re

from stt.text.languages import known_code

TAG = re.compile(r"<\|([^|<>\n]{1,30})\|>")
"""A tag of SenseVoice: `<|zh|><|NEUTRAL|><|Speech|><|woitn|>`."""

LONGEST_TAG = 34

_PICTURES = str.maketrans(dict.fromkeys("🎼👏😀😭🤧😷😊😔😡😰🤢😮❓\ufe0f"))
"""Pictures that its scripts make of those tags: music, applause, laughter, moods."""


class Cleaner:
    """A filter that takes out SenseVoice's tags and their pictures; a tag may come in two pieces."""

    def __init__(self) -> None:
        self._held = ""
        self.language: str | None = None
        """Language of the first tag that names one."""

    def feed(self, text: str) -> str:
        text = self._held + text
        begin = text.rfind("<", -LONGEST_TAG)
        unfinished = begin >= 0 and text[begin : begin + 2] in ("<", "<|") and ">" not in text[begin:]
        self._held = text[begin:] if unfinished else ""
        return self._without(text[:begin] if unfinished else text)

    def flush(self) -> str:
        text, self._held = self._held, ""
        return self._without(text)

    def _without(self, text: str) -> str:
        if self.language is None:
            self.language = next((code for tag in TAG.findall(text) if (code := known_code(tag))), None)
        return TAG.sub("", text).translate(_PICTURES)


def cleaned(text: str) -> tuple[str, str | None]:
    """Return a text without its tags, and the language that they name."""
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.flush(), cleaner.language
