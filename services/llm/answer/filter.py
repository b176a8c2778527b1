"""Leave out of an answer what is not to be said: thoughts, in a field of their own or in marks, and markdown."""

from typing import Any

from llm.answer.for_machines import ForMachines, without_marks
from llm.answer.markdown import Plain, plain
from llm.answer.mend import REASONING, message_of
from llm.answer.thoughts import Thoughts, without_thoughts

_HEARD = ("role", "content", "audio", *REASONING)
"""Fields of a message that an ear may get; thoughts come under ever new names."""


class Strainer:
    """Strains one answer.

    Args:
        thoughts: Thoughts are taken out of the words.
        reasoning: They are also taken out where they come in a field of their own.
        markdown: Markdown is smoothed.
        begun: The answer is guessed to begin inside a thought.
        heard: Only words are an answer; a thought is not.
        tools: The caller offers tools: a call is an answer too.
    """

    def __init__(
        self,
        *,
        thoughts: bool,
        reasoning: bool,
        markdown: bool,
        begun: bool = False,
        heard: bool = False,
        tools: bool = False,
    ) -> None:
        self.thoughts, self.reasoning, self.markdown, self.begun = thoughts, reasoning, markdown, begun
        self.heard, self._words_only = heard, heard and not tools
        self.unopened = False
        """A thought ended that was never seen to begin."""
        self.guessed_wrong = False
        """The answer began outside a thought, against the guess."""
        self.thought = False
        """Something was left out as a thought."""
        self._choices: dict[int, tuple[Thoughts | None, ForMachines | None, Plain | None]] = {}

    @property
    def idle(self) -> bool:
        """True where nothing is left out."""
        return not (self.thoughts or self.reasoning or self.markdown)

    def whole(self, message: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        """Return the message of a whole answer, which ended for a reason, with what is to be said."""
        message = message_of(message)
        if self.reasoning:
            self.thought = _drop_reasoning(message) or self.thought
        if isinstance(text := message.get("content"), str):
            said = without_thoughts(text, cut=self._is_cut(reason)) if self.thoughts else text
            self.thought = self.thought or len(said) < len(text)
            said = without_marks(said) if self._words_only else said
            message["content"] = plain(said) if self.markdown else said
        return self._in_words(message)

    def choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        """Return one choice of a chunk with what can be said by now; its last one has all that is left."""
        delta, ended = self._in_words(dict(choice["delta"])), choice["finish_reason"] is not None
        thoughts = self._ears(choice["index"])[0]
        if thoughts is not None and any(delta.get(field) for field in REASONING):
            thoughts.opened_elsewhere()
            self.guessed_wrong = self.begun
        if self.reasoning:
            self.thought = _drop_reasoning(delta) or self.thought
        if isinstance(text := delta.get("content"), str) or ended:
            said = self.text(choice["index"], text or "")
            said += self.rest(choice["index"], choice["finish_reason"]) if ended else ""
            if said or isinstance(text, str):
                delta["content"] = said
        if self._words_only and choice["finish_reason"] in ("tool_calls", "function_call"):
            choice = choice | {"finish_reason": "stop"}
        return choice | {"delta": delta}

    def text(self, index: int, text: str) -> str:
        """Return the words of a choice that can be said by now."""
        thoughts, machines, smoother = self._ears(index)
        said = text = text.replace("\0", "").replace("\ufffd", "") if self.heard else text
        if thoughts is not None:
            said = thoughts.add(text)
            self.unopened = self.unopened or thoughts.unopened
            self.thought = self.thought or len(said) < len(text)
        if machines is not None:
            said = machines.add(said)
        return smoother.add(said) if smoother is not None else said

    def rest(self, index: int, reason: str | None) -> str:
        """Return the words of a choice that are left at its end, for which the upstream told a reason."""
        thoughts, machines, smoother = self._ears(index)
        if thoughts is not None and thoughts.guessed and reason != "length":
            self.guessed_wrong = True
        text = thoughts.rest(cut=self._is_cut(reason)) if thoughts is not None else ""
        if machines is not None:
            text = machines.add(text) + machines.rest()
        return smoother.add(text) + smoother.rest() if smoother is not None else text

    def _is_cut(self, reason: str | None) -> bool:
        return self.heard and reason == "length"

    def _ears(self, index: int) -> tuple[Thoughts | None, ForMachines | None, Plain | None]:
        if index not in self._choices:
            thoughts = Thoughts(begun=self.begun) if self.thoughts else None
            machines = ForMachines() if self._words_only else None
            self._choices[index] = thoughts, machines, Plain() if self.markdown else None
        return self._choices[index]

    def _in_words(self, message: dict[str, Any]) -> dict[str, Any]:
        """Say a refusal aloud, and leave out calls of tools that nobody offered: an ear has nothing but words."""
        if not self._words_only:
            return message
        if isinstance(refusal := message.pop("refusal", None), str) and not message.get("content"):
            message["content"] = refusal
        return {name: value for name, value in message.items() if name in _HEARD}


def _drop_reasoning(message: dict[str, Any]) -> bool:
    """Drop the fields of thoughts; return True where there was a thought in one."""
    thoughts = [message.pop(key) for key in REASONING if key in message]
    return any(thoughts)
