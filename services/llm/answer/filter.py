"""An answer on its way to an ear: events and whole answers, without what was only thought, in plain words.

Where nothing looks like a thought and no markdown is to be smoothed, events stay the bytes they came as.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from chassis.sse import close
from llm.answer.markdown import Plain, plain
from llm.answer.relay import BLANK_LINE, data_of
from llm.answer.thoughts import Thoughts, without_thoughts

REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
TAG = re.compile(
    rb"<|\xef\xbc\x9c|\xe2\x97\x81|\[(?![{\]])|\\u(?:003[cC]|[fF][fF]1[cC]|25[cC]1)"
    rb'|"content" ?: ?"(?:\\[nrt]| )*(?:a(?:n(?:a(?:l(?:y(?:s(?:is?)?)?)?)?)?)?"|analysis(?![a-z "]))'
)
"""What may be a part of a mark of `chassis.thought_tags`: `<`, `＜`, `◁`, `[`, escaped or not, a bare `analysis`."""
FIELD = re.compile(rb'"(?:reasoning|reasoning_content|thinking)"')
SAID = re.compile(rb'"content" ?: ?"[^"]')
LINE_ENDS = (("\u2028", "\\u2028"), ("\u2029", "\\u2029"))


class Strainer:
    """One answer's.

    Args:
        thoughts: Whether they are taken out of what is said.
        reasoning: Whether they are also taken out where they come in a field of their own.
        markdown: Whether it is smoothed.
        begun: Whether the answer is guessed to begin inside a thought.
    """

    def __init__(self, *, thoughts: bool, reasoning: bool, markdown: bool, begun: bool = False) -> None:
        self.thoughts, self.reasoning, self.markdown, self.begun = thoughts, reasoning, markdown, begun
        self.unopened = False
        """Whether a thought ended that was never seen to begin."""
        self.guessed_wrong = False
        """Whether the answer began outside."""
        self._reads = markdown or begun
        self._said_before = False
        self._choices: dict[int, tuple[Thoughts | None, Plain | None]] = {}
        self._frame: dict[str, Any] = {}

    @property
    def idle(self) -> bool:
        return not (self.thoughts or self.reasoning or self.markdown)

    def _is_suspicious(self, data: bytes) -> bool:
        """Look for what may belong to a thought; most of a stream has nothing of it."""
        return TAG.search(data) is not None or (self.reasoning and FIELD.search(data) is not None)

    async def events(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The first piece of `pieces` always leaves in some form, since it shows that somebody is there."""
        first = True
        try:
            async for piece in pieces:
                if out := self._strained(piece, first=first):
                    yield out
                    first = False
        finally:
            await close(pieces)

    def whole(self, body: bytes) -> bytes:
        """A whole answer."""
        if not self.markdown and not self.begun and not self._is_suspicious(body):
            return body
        answer = msgspec.json.decode(body)
        for choice in answer["choices"]:
            message = choice.get("message") if isinstance(choice, dict) else None
            if not isinstance(message, dict):
                continue
            if self.reasoning:
                _drop_reasoning(message)
            if isinstance(text := message.get("content"), str):
                text = without_thoughts(text) if self.thoughts else text
                message["content"] = plain(text) if self.markdown else text
        return msgspec.json.encode(answer)

    def _strained(self, piece: bytes, *, first: bool) -> bytes:
        if not self._reads:
            self._reads = self._is_suspicious(piece)
            if not self._reads:
                self._said_before = self._said_before or SAID.search(piece) is not None
                return piece
        out: list[bytes] = []
        for event in BLANK_LINE.split(piece):
            if event:
                out.append(self._event(event, first=first and not out))
        return b"".join(out)

    def _event(self, event: bytes, *, first: bool) -> bytes:
        data = next(data_of(event), None)
        if data is None:
            return event + b"\n\n"
        if data == b"[DONE]":
            return self._left() + event + b"\n\n"
        try:
            chunk = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return event + b"\n\n"
        choices = chunk.get("choices") if isinstance(chunk, dict) else None
        if not isinstance(choices, list) or not choices:
            return event + b"\n\n"
        self._frame = {key: chunk[key] for key in ("id", "object", "created", "model") if key in chunk}
        kept = [choice for choice in choices if not isinstance(choice, dict) or self._choice(choice)]
        if not kept and not first and not chunk.get("usage"):
            return b""
        return _event(chunk | {"choices": kept or choices})

    def _choice(self, choice: dict[str, Any]) -> bool:
        """Strain it; whether anything is left to say."""
        delta, finished = choice.get("delta"), choice.get("finish_reason") is not None
        if not isinstance(delta, dict):
            return True
        index = choice.get("index")
        thoughts, smoother = self._ears(index if isinstance(index, int) else 0)
        if thoughts is not None and any(delta.get(field) for field in REASONING):
            thoughts.opened_elsewhere()
            self.guessed_wrong = self.begun
        thought = self.reasoning and _drop_reasoning(delta)
        text = delta.get("content")
        if not isinstance(text, str) and not finished:
            return bool(delta) or not thought
        given = text if isinstance(text, str) else ""
        said = self._said(given, thoughts, smoother)
        if finished:
            said += self._rest(thoughts, smoother)
        if said or isinstance(text, str):
            delta["content"] = said
        return finished or bool(said) or bool(delta.keys() - {"content"})

    def _ears(self, index: int) -> tuple[Thoughts | None, Plain | None]:
        if index not in self._choices:
            thoughts = Thoughts(begun=self.begun, said=self._said_before) if self.thoughts else None
            self._choices[index] = thoughts, Plain() if self.markdown else None
        return self._choices[index]

    def _said(self, text: str, thoughts: Thoughts | None, smoother: Plain | None) -> str:
        if thoughts is not None:
            text = thoughts.add(text)
            self.unopened = self.unopened or thoughts.unopened
        return smoother.add(text) if smoother is not None else text

    def _rest(self, thoughts: Thoughts | None, smoother: Plain | None) -> str:
        if thoughts is not None and thoughts.guessed:
            self.guessed_wrong = True
        text = thoughts.rest() if thoughts is not None else ""
        return smoother.add(text) + smoother.rest() if smoother is not None else text

    def _left(self) -> bytes:
        """What an answer that was not finished has left to say."""
        rests = {index: self._rest(*ears) for index, ears in self._choices.items()}
        return b"".join(
            _event(self._frame | {"choices": [{"index": index, "delta": {"content": rest}, "finish_reason": None}]})
            for index, rest in rests.items()
            if rest
        )


def _drop_reasoning(message: dict[str, Any]) -> bool:
    """Whether there was any, be it empty."""
    present = [key for key in REASONING if key in message]
    for key in present:
        del message[key]
    return bool(present)


def _event(chunk: dict[str, Any]) -> bytes:
    """As one line, for clients that split at U+2028 too."""
    text = msgspec.json.encode(chunk).decode()
    for char, escaped in LINE_ENDS:
        text = text.replace(char, escaped)
    return f"data: {text}\n\n".encode()
