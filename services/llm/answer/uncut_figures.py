"""Figures that a toy's server cannot cut in two: it cuts an answer at each `.` and `,`, those of 3.14 and 1,000 too."""

import re

_UNFINISHED = re.compile(r"[0-9][0-9.,]*\Z")
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")
_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_WIDE_POINT = "．"
"""A decimal point that cuts nothing; tts reads it as one."""


class UncutFigures:
    """Keeps figures whole in a text that comes in pieces: 3.14 leaves as 3．14, and 1,000 as 1000."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """Return the text by now; a figure at its end waits for what follows."""
        text = self._held + text
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        return _whole(text[: unfinished.start()] if unfinished else text)

    def rest(self) -> str:
        text, self._held = self._held, ""
        return _whole(text)


def _whole(text: str) -> str:
    return _POINT.sub(_WIDE_POINT, _THOUSANDS.sub(lambda m: m[0].replace(",", ""), text))
