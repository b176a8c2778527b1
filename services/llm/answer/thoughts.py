"""What is written made fit to be heard, piece by piece as it comes: no thoughts, no marks of markdown."""

import re

THOUGHT = re.compile(r"(?<![`'\"“])<(?:think|thinking|thought)>")

ENDS = r"</(?:think|thinking|thought)>"

THOUGHT_ENDS = re.compile(rf"(?<![`'\"“]){ENDS}|{ENDS}(?![`'\"”])")
"""But for one in quotes: a thought may be about tags. One that only follows a quote ends a thought that ended in it."""

UNDECIDED_END = re.compile(rf"(?<=[`'\"“]){ENDS}$")

PART_OF_A_TAG = re.compile(r"</?(?:t(?:h(?:o(?:u(?:g(?:h(?:t)?)?)?)?|i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?$")

LONGEST_GUESS = 2**20
"""Characters kept back on the guess that they are thoughts."""


class Thoughts:
    """Takes out what stands between `<think>` and `</think>` where an answer or a line of it begins.

    Args:
        begun: Whether the answer is guessed to begin inside a thought: some models never send the opening tag.
        said: Whether something was said before.
    """

    def __init__(self, *, begun: bool = False, said: bool = False) -> None:
        self.guessed = begun
        self.unopened = False
        """Whether a thought ended that was never seen to begin."""
        self._inside = begun
        self._held = ""
        self._guess = ""
        self._at_line_start = not said
        self._said = said
        self._after_thought = False
        self._last = ""

    def add(self, text: str) -> str:
        """What of it can be said by now."""
        self._held += text
        said = ""
        while self._held:
            step = self._leave() if self._inside else self._enter()
            if step is None:
                break
            said += step
        return said

    def opened_elsewhere(self) -> None:
        """Thoughts come in a field of their own, so what is said is said."""
        if self.guessed and not self._guess.strip() and not self._held.strip():
            self._inside = self.guessed = False

    def rest(self) -> str:
        """What is left when no more comes: a guess that was wrong is given back."""
        held, guess = self._held, self._guess
        self._held = self._guess = ""
        if not self._inside:
            return held
        known = THOUGHT.match(guess.lstrip()) is not None or THOUGHT_ENDS.search(held) is not None
        return guess + held if self.guessed and not known else ""

    def _leave(self) -> str | None:
        """Drop what is thought; None where more must come first."""
        seen = self._last + self._held
        if ends := THOUGHT_ENDS.search(seen, len(self._last)):
            if ends.end() == len(seen) and UNDECIDED_END.search(seen):
                return None
            if self.guessed and not THOUGHT.match((self._guess + self._held).lstrip()):
                self.unopened = True
            self._held, self._last = seen[ends.end() :], ""
            self._inside, self.guessed, self._guess, self._at_line_start = False, False, "", True
            self._after_thought = True
            return ""
        keep = PART_OF_A_TAG.search(self._held)
        end = keep.start() if keep else len(self._held)
        self._last = self._held[:end][-1:] or self._last
        if self.guessed:
            self._guess = (self._guess + self._held[:end])[:LONGEST_GUESS]
        self._held = self._held[end:]
        return None

    def _enter(self) -> str | None:
        """Say what comes before a thought; None where more must come first."""
        if not self._said or self._after_thought:
            self._held = self._held.lstrip()
            self._after_thought = self._after_thought and not self._held
        seen, known = self._last + self._held, len(self._last)  # a tag that is quoted is spoken of
        ends, undecided = THOUGHT_ENDS.search(seen, known), UNDECIDED_END.search(seen)
        if ends and undecided and ends.start() == undecided.start():
            ends = None
        for tag in THOUGHT.finditer(seen, known, ends.start() if ends else len(seen)):
            before = seen[known : tag.start()]
            if (not before.strip(" \t") and self._at_line_start) or before.rstrip(" \t").endswith("\n"):
                self._held, self._inside = seen[tag.end() :], True
                said, self._last = self._noted(before), ""
                return said
        if ends:  # it began before we could know; at least its end is not read out
            before, self._held = seen[known : ends.start()], seen[ends.end() :]
            self.unopened = self._after_thought = True
            return self._noted(before)
        keep = undecided or PART_OF_A_TAG.search(seen, known)
        end = keep.start() - known if keep else len(self._held)
        before, self._held = self._held[:end], self._held[end:]
        return self._noted(before) if before else None

    def _noted(self, said: str) -> str:
        if said:
            self._last = said[-1]
            self._said = self._said or not said.isspace()
            self._at_line_start = said.rstrip(" \t").endswith("\n") or (self._at_line_start and said.isspace())
        return said


def without_thoughts(text: str) -> str:
    """The same of a whole answer, where an end without a beginning means that all before it is thought."""
    thoughts = Thoughts(begun=THOUGHT.search(text) is None and THOUGHT_ENDS.search(text) is not None)
    return thoughts.add(text) + thoughts.rest()
