"""Take stage directions out of an answer, piece by piece as it comes: `*wags tail*`, `（微笑着，摇尾巴）`.

Here, and not only in tts: the marks by which they are known go with the markdown, and a client cuts a text at commas
that may stand in the middle of one.
"""

import re

from chassis.stage_directions import AROUND, IN_ASTERISKS, IN_BRACKETS, is_between_asterisks, is_in_brackets

_OPENING = re.compile(r"\*{1,3}(?![*\s])|(?<!\w)_{1,3}(?![_\s])|[(（【\[{]")
_ASTERISKS, _BRACKETS = re.compile(IN_ASTERISKS), re.compile(IN_BRACKETS)
_UNCLOSED = re.compile(r"\*{1,3}[^*\n]{0,60}\Z|_{1,3}[^_\n]{0,60}\Z|[(（【\[{][^()（）【】\[\]{}\n]{0,40}\Z")


class StageDirections:
    """Takes them out. What may be one waits for its end, and for the characters behind it."""

    def __init__(self) -> None:
        self._text, self._place = "", 0
        """The text, of which what is before the place has been decided."""

    def add(self, text: str) -> str:
        """Return what can be said by now."""
        self._text = self._text[max(0, self._place - AROUND) :] + text
        self._place = min(self._place, AROUND)
        return "".join(self._said(final=False))

    def rest(self) -> str:
        """Return what is left at the end."""
        return "".join(self._said(final=True))

    def _said(self, *, final: bool) -> list[str]:
        said: list[str] = []
        while opening := _OPENING.search(self._text, self._place):
            said.append(self._take(opening.start()))
            end = self._decided(final=final)
            if end is None:
                return said
            said.append(self._take(end))
        return [*said, self._take(len(self._text))]

    def _take(self, end: int) -> str:
        taken, self._place = self._text[self._place : end], max(self._place, end)
        return taken

    def _decided(self, *, final: bool) -> int | None:
        """Return up to where the text is said, from an opening mark on; None where that cannot be known yet."""
        text, begin = self._text, self._place
        found = _ASTERISKS.match(text, begin) or _BRACKETS.match(text, begin)
        if found is None:
            return None if not final and _UNCLOSED.match(text, begin) else begin + 1
        if not self._is_stage_direction(found, ""):  # nor with anything behind it
            return found.end()
        if not final and len(text) < found.end() + AROUND:
            return None
        if not self._is_stage_direction(found, text[found.end() : found.end() + AROUND]):
            return found.end()
        self._place = found.end()
        if begin == 0 or text[begin - 1].isspace():
            self._place += text[self._place :].startswith(" ")
        return self._place

    def _is_stage_direction(self, found: re.Match[str], after: str) -> bool:
        before = self._text[max(0, found.start() - AROUND) : found.start()]
        if found[0][0] not in "*_":
            return is_in_brackets(found, before)
        return is_between_asterisks(found, before, after)
