"""Thoughts taken out of an answer, piece by piece as it comes and however it is cut."""

import re

from chassis.thought_labels import FIRSTS, LABELLED, LABELLED_ENDS, PART_OF_ANY, QUOTED, QUOTED_ENDS, beginnings
from chassis.thought_tags import (
    ANY_END,
    BARE_HARMONY,
    BEGINS,
    ENDS,
    FAMILIES,
    LONGEST_MARK,
    QUOTES,
    UNDECIDED_END,
    UNFINISHED,
    WRAPPERS,
)

_LONGEST_GUESS = 2**20
"""Characters held back on the guess that they are thoughts."""
_SENTENCE_ENDS = ("", *"\n.!?。！？…~～")
"""Characters before a tag that begins a thought; "" is the beginning of the answer. Elsewhere a tag is a mention."""

_BEGINS, _ANY_END, _UNDECIDED_END, _UNFINISHED = (
    re.compile(marks, re.IGNORECASE) for marks in (BEGINS, ANY_END, UNDECIDED_END, UNFINISHED)
)
_ENDS = tuple(re.compile(ends, re.IGNORECASE) for ends in ENDS)
"""The mark that ends a thought, in the order of `FAMILIES`."""
_BARE = re.compile(BARE_HARMONY[0])
_BARE_END = re.compile(BARE_HARMONY[1])
_BARE_WORD = "analysis"
_LABELLED = re.compile(LABELLED, re.IGNORECASE)
_LABELLED_ENDS = re.compile(f"{LABELLED_ENDS}|{ANY_END}", re.IGNORECASE)
_QUOTED, _QUOTED_ENDS = re.compile(QUOTED, re.IGNORECASE), re.compile(QUOTED_ENDS)
_PART_OF_LABEL = re.compile(PART_OF_ANY, re.IGNORECASE)
_FIRSTS = FIRSTS | {_BARE_WORD[0]}
"""Characters with which an answer may begin that is a thought without a tag."""
_TOKEN = re.compile(rf"(?<![{QUOTES}])<[|｜][^<>|｜\n]{{1,40}}[|｜]>")
_UNFINISHED_TOKEN = re.compile(r"<(?:[|｜][^<>|｜\n]{0,40}[|｜]?)?\Z")
_NOTHING = re.compile(r"(?!)")
_WRAPPER = re.compile(rf"<({'|'.join(WRAPPERS)})>", re.IGNORECASE)
_UNFINISHED_WRAPPER = re.compile(r"<[a-z_]{0,12}", re.IGNORECASE)


class Thoughts:
    """Take out what stands between the marks of a thought, as `chassis.thought_tags` lists them.

    Args:
        begun: The answer is guessed to begin inside a thought: some models never send the opening mark.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self.guessed = begun
        self.unopened = False
        """A thought ended that was never seen to begin."""
        self._ends = _ANY_END if begun else None
        """The end of the thought that this is in; None outside."""
        self._held = ""
        self._guess = ""
        self._said = False
        self._after_thought = False
        """Nothing was said since the last thought."""
        self._thought_before = False
        self._wrapper = self._unfinished = _NOTHING
        """The closing tag around this answer, to be dropped, and what may become it."""
        self._last = ""
        """The last character seen, to know a quoted mark by."""
        self._last_visible = ""
        """The last character said that is no space, unless `_recent` has a later one."""
        self._recent = ""
        """The last text that was said without a closer look."""

    def add(self, text: str) -> str:
        """Return what can be said by now."""
        if self._ends is None and not self._held and _has_no_mark(text):
            if not self._said and not self._thought_before and (first := text.lstrip()) and first[0] not in _FIRSTS:
                text, self._said = first, True
            if self._said and not self._after_thought:
                self._last = text[-1:] or self._last
                self._recent = text if text.strip(" \t") else self._recent
                return text
        if self._recent:
            self._last_visible, self._recent = self._recent.rstrip(" \t")[-1], ""
        self._held += text
        said = ""
        while self._held:
            step = self._enter() if self._ends is None else self._leave(self._ends)
            if step is None:
                break
            said += step
        return said

    def opened_elsewhere(self) -> None:
        """Give up the guess: thoughts come in a field of their own, so what is said is said."""
        if self.guessed and not self._guess.strip() and not self._held.strip():
            self._ends, self.guessed = None, False

    def rest(self, *, cut: bool = False) -> str:
        """Return what is left when no more comes; a guess that was wrong is given back.

        Args:
            cut: The answer used up its tokens, so that what was guessed to be a thought may have lacked only its end.
        """
        held, guess, ends = self._held, self._guess, self._ends
        self._held = self._guess = ""
        if ends is None:
            return held
        wrong = self.guessed and not cut and not ends.search(held + "\n")
        return guess + held if wrong else ""

    def _leave(self, ends: re.Pattern[str]) -> str | None:
        """Drop what is thought; return None where more must come first."""
        if ends is _ANY_END and self.guessed and not self._guess:
            self._held = self._held.lstrip()
            if mark := _BEGINS.match(self._held):
                self._begin(mark)
                self._held = self._held[mark.end() :]
                return ""
            ends = self._begin_untagged() or ends
        seen, known = self._last + self._held, len(self._last)
        if end := ends.search(seen, known):
            if end.end() == len(seen) and _UNDECIDED_END.search(seen):
                return None
            self.unopened = self.unopened or (self.guessed and ends is _ANY_END)
            self._go_out(seen[end.end() :])
            return ""
        if (dropped := len(self._held) - LONGEST_MARK) > 0:
            self._last = self._held[dropped - 1]
            if self.guessed:
                self._guess = (self._guess + self._held[:dropped])[:_LONGEST_GUESS]
            self._held = self._held[dropped:]
        return None

    def _go_out(self, held: str) -> None:
        self._held, self._last, self._last_visible = held, "", ""
        self._ends, self.guessed, self._guess = None, False, ""
        self._after_thought = self._thought_before = True

    def _enter(self) -> str | None:
        """Say what comes before a thought; return None where more must come first."""
        if not self._said or self._after_thought:
            self._held = self._held.lstrip()
            if (begun := self._begun_otherwise()) is not None:
                return begun
            if not self._held or self._may_begin_otherwise():
                return None
        if _has_no_mark(self._held):
            said, self._held = self._held, ""
            return self._noted(said)
        seen, known = self._last + self._held, len(self._last)  # a mark in quotes is spoken of
        end, undecided = _ANY_END.search(seen, known), _UNDECIDED_END.search(seen)
        if end and undecided and end.start() == undecided.start():
            end = None
        stop = end.start() if end else len(seen)
        mark = self._beginning(seen, known, stop)
        if self._thought_before and (drop := self._mark_to_drop(seen, known, mark.start() if mark else stop)):
            said = self._noted(seen[known : drop.start()])
            self._held, self._last = seen[drop.end() :], ""
            return said
        if mark:
            said = self._noted(seen[known : mark.start()])
            self._held, self._last = seen[mark.end() :], ""
            self._begin(mark)
            return said
        if end:  # it began before we could know; at least its end is not read out
            said = self._noted(seen[known : end.start()])
            self._held = seen[end.end() :]
            self.unopened = self._after_thought = True
            return said
        return self._say(seen, known, undecided)

    def _begin(self, mark: re.Match[str]) -> None:
        """Go into the thought that this mark begins."""
        family = (mark.lastindex or 1) - 1
        self._ends, self.guessed = _ENDS[family], not FAMILIES[family].is_sure
        self._guess = mark[0] if self.guessed else ""

    def _begin_untagged(self) -> re.Pattern[str] | None:
        """Go into a thought that the answer begins with, told by a label or by harmony without its tokens.

        Returns:
            The end of it; None where there is no such thought.
        """
        if mark := _QUOTED.match(self._held):
            self._held, self._ends, self.guessed = self._held[mark.end() - 1 :], _QUOTED_ENDS, False
            return self._ends
        ends = _BARE_END if _BARE.match(self._held) else _LABELLED_ENDS if _LABELLED.match(self._held) else None
        if ends is not None:
            self._ends, self.guessed = ends, True
        return ends

    def _beginning(self, seen: str, known: int, stop: int) -> re.Match[str] | None:
        for mark in _BEGINS.finditer(seen, known, stop):
            before = seen[known : mark.start()].rstrip(" \t")[-1:] or self._last_visible
            if FAMILIES[(mark.lastindex or 1) - 1].is_token or before in _SENTENCE_ENDS:
                return mark
        return None

    def _say(self, seen: str, known: int, undecided: re.Match[str] | None) -> str | None:
        """Say what cannot become a mark any more."""
        unfinished = (_UNFINISHED, _UNFINISHED_TOKEN, self._unfinished) if self._thought_before else (_UNFINISHED,)
        tails = (undecided, *(pattern.search(seen, known) for pattern in unfinished))
        end = min((tail.start() for tail in tails if tail), default=len(seen)) - known
        before, self._held = self._held[:end], self._held[end:]
        return self._noted(before) if before else None

    def _mark_to_drop(self, seen: str, known: int, stop: int) -> re.Match[str] | None:
        """Find a mark around an answer that was thought about."""
        found = (_TOKEN.search(seen, known, stop), self._wrapper.search(seen, known, stop))
        return min((match for match in found if match), key=re.Match.start, default=None)

    def _begun_otherwise(self) -> str | None:
        """Take off what else an answer may begin with: a wrapper after a thought, or harmony without its tokens."""
        if self._thought_before:
            if tag := _WRAPPER.match(self._held):
                closing = f"/{tag[1]}>"
                self._wrapper = re.compile(f"<{closing}", re.IGNORECASE)
                self._unfinished = re.compile(f"<{beginnings(closing)}$", re.IGNORECASE)
                self._held = self._held[tag.end() :]
                return ""
            return None
        return None if self._begin_untagged() is None else ""

    def _may_begin_otherwise(self) -> bool:
        if self._thought_before:
            return _UNFINISHED_WRAPPER.fullmatch(self._held) is not None
        return _BARE_WORD.startswith(self._held) or _PART_OF_LABEL.fullmatch(self._held) is not None

    def _noted(self, said: str) -> str:
        if said:
            self._last = said[-1]
            self._last_visible = said.rstrip(" \t")[-1:] or self._last_visible
            self._after_thought = self._after_thought and said.isspace()
            self._said = self._said or not said.isspace()
        return said


def _has_no_mark(text: str) -> bool:
    """Tell whether no mark begins in `text`; that of most texts is seen at once."""
    return not (
        "<" in text
        or "[" in text
        or "`" in text
        or "&" in text
        or "\\" in text
        or "【" in text
        or "◁" in text
        or "＜" in text
    )


def without_thoughts(text: str, *, cut: bool = False) -> str:
    """Return a whole answer without its thoughts; an end without a beginning means that all before it is thought.

    Args:
        cut: It used up its tokens, see `Thoughts.rest`.
    """
    thoughts = Thoughts(begun=_BEGINS.search(text) is None and _ANY_END.search(text) is not None)
    return thoughts.add(text) + thoughts.rest(cut=cut)
