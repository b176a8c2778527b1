"""Take stage directions and the marks of markdown out of a text, piece by piece, and keep its figures whole."""

import re

from llm.answer.stage_direction_filter import StageDirections
from llm.answer.uncut_figures import UncutFigures

_UNDECIDED_PREFIX = re.compile(r"[ \t#>*+\-_=|:`~•]{0,200}(?:[-*+•][ \t]+\[[ xX]?\]?[ \t]*)?\Z")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[^\n]*(\n|$)")
_RULE = re.compile(r"[ \t]*(?:(?:[-*_=][ \t]*){3,}|\|?[ \t]*:?-[-:| \t]*)(\n|$)")
_PREFIX = re.compile(r"[ \t]*(?:(?:#{1,6}|>|[-*+•](?:[ \t]+\[[ xX]\])?)[ \t]+|>(?=\S))*")
_PLAIN = re.compile(r"[^*_`\[|~\n]+")
_RUN = re.compile(r"(\*+|_+|~+|`+)")
_LINK = re.compile(r"\[([^\[\]\n]{0,200})\]\([^()\s]{0,500}[^()\n]{0,100}\)")
_PART_OF_A_LINK = re.compile(r"\[[^\[\]\n]{0,200}(?:\](?:\([^()\n]{0,600})?)?\Z")


class Plain:
    """Takes stage directions and marks away. Characters that may become a mark wait for those that follow."""

    def __init__(self) -> None:
        self._held, self._stage, self._figures = "", StageDirections(), UncutFigures()
        self._line_begins, self._table = True, False
        self._last = ""

    def add(self, text: str) -> str:
        self._held += self._stage.add(text)
        return self._figures.add(self._smoothed(final=False))

    def rest(self) -> str:
        self._held += self._stage.rest()
        return self._figures.add(self._smoothed(final=True)) + self._figures.rest()

    def _smoothed(self, *, final: bool) -> str:
        said: list[str] = []
        while self._held:
            step = self._begin_line(final) if self._line_begins else self._go_on(final)
            if step is None:
                break
            said.append(step)
        return "".join(said)

    def _begin_line(self, final: bool) -> str | None:
        for whole in (_FENCE, _RULE):
            if (found := whole.match(self._held)) and (found[1] or final):
                self._held = self._held[found.end() :]
                return ""
        if not final and (_UNDECIDED_PREFIX.match(self._held) or self._held.lstrip(" \t").startswith(("```", "~~~"))):
            return None
        found = _PREFIX.match(self._held)
        assert found is not None  # it matches nothing, too
        self._held = self._held[found.end() :].lstrip(" \t") if found[0].strip() else self._held
        self._table = self._held.lstrip(" \t").startswith("|")
        if self._table:
            self._held = self._held.lstrip(" \t")[1:].lstrip(" \t")
        self._line_begins, self._last = False, ""
        return ""

    def _go_on(self, final: bool) -> str | None:
        if words := _PLAIN.match(self._held):
            return self._take(words[0], words[0])
        char = self._held[0]
        if char == "\n":
            self._line_begins = True
            return self._take(char, char)
        if char == "|":
            end = self._held[1:].lstrip(" \t")
            if self._table and not end and not final:
                return None
            return self._take(char, ("" if not end or end[0] == "\n" else ",") if self._table else char)
        if char == "[":
            if link := _LINK.match(self._held):
                return self._take(link[0], link[1])
            if not final and _PART_OF_A_LINK.match(self._held):
                return None
        if run := _RUN.match(self._held):
            following = self._held[run.end() : run.end() + 1]
            if not following and not final and char != "`":
                return None
            return self._take(run[0], run[0] if self._means_itself(run[0], following) else "")
        return self._take(char, char)

    def _take(self, taken: str, said: str) -> str:
        self._held, self._last = self._held[len(taken) :], taken[-1]
        return said

    def _means_itself(self, run: str, following: str) -> bool:
        """Tell whether these are no marks: a product, a name with underscores, a tilde."""
        match run[0]:
            case "*":
                between = (self._last, following)
                return all(side.isspace() for side in between) or all(side.isdigit() for side in between)
            case "_":
                return self._last.isalnum() and following.isalnum()
            case "~":
                return len(run) == 1
        return False


def plain(text: str) -> str:
    """Return a whole text without its marks."""
    smoother = Plain()
    return smoother.add(text) + smoother.rest()
