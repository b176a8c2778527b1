"""Encode words in OpenAI's dialect: one JSON object, or an event stream."""

import uuid
from collections.abc import Iterator, Sequence
from time import time
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from chassis.sse import event

DONE = b"data: [DONE]\n\n"


Reason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]


class AnswerChoice(Struct, frozen=True):
    """One choice of an answer."""

    pieces: tuple[str, ...]
    finish_reason: Reason
    tool: str | None = None
    """Tool whose arguments the pieces are; None: they are words."""


class Usage(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, prompt: int, completion: int) -> "Usage":
        return cls(prompt, completion, prompt + completion)


def completion(choices: Sequence[AnswerChoice], model: str, usage: Usage) -> bytes:
    """Encode a whole answer."""
    shown = [
        {
            "index": index,
            "message": {"role": "assistant", "refusal": None} | _said(spoken),
            "logprobs": None,
            "finish_reason": spoken.finish_reason,
        }
        for index, spoken in enumerate(choices)
    ]
    return msgspec.json.encode(_frame("chat.completion", model) | {"choices": shown, "usage": usage})


def events(choices: Sequence[AnswerChoice], model: str, usage: Usage | None) -> Iterator[bytes]:
    """Yield an answer event by event, `[DONE]` included.

    Args:
        usage: Usage for a chunk of its own at the end; None if the request does not ask for it.
    """
    chunks = Chunks(model, usage=usage is not None)
    for index, spoken in enumerate(choices):
        yield chunks.begun(index) if spoken.tool is None else chunks.called(spoken.tool)
    for index, spoken in enumerate(choices):
        for piece in spoken.pieces:
            yield chunks.said(piece, index) if spoken.tool is None else chunks.arguments(piece)
        yield chunks.ended(spoken.finish_reason, index)
    if usage:
        yield chunks.told(usage)
    yield DONE


class Chunks:
    """Encodes the events of an answer that is yet to be made.

    Args:
        usage: A chunk with usage will follow at the end.
    """

    def __init__(self, model: str, *, usage: bool) -> None:
        self._frame = _frame("chat.completion.chunk", model) | ({"usage": None} if usage else {})

    def begun(self, index: int = 0) -> bytes:
        return self._chunk(_delta(index, {"role": "assistant", "content": ""}))

    def begun_with(self, words: str) -> bytes:
        """Encode who speaks and the first words, in one chunk."""
        return self._chunk(_delta(0, {"role": "assistant", "content": words}))

    def said(self, words: str, index: int = 0) -> bytes:
        return self._chunk(_delta(index, {"content": words}))

    def called(self, tool: str) -> bytes:
        """Encode the call of a tool, whose arguments follow."""
        call = {"index": 0, "id": _call_id(), "type": "function", "function": {"name": tool, "arguments": ""}}
        return self._chunk(_delta(0, {"role": "assistant", "content": None, "tool_calls": [call]}))

    def arguments(self, words: str) -> bytes:
        return self._chunk(_delta(0, {"tool_calls": [{"index": 0, "function": {"arguments": words}}]}))

    def ended(self, reason: Reason, index: int = 0) -> bytes:
        return self._chunk(_delta(index, {}, reason))

    def told(self, usage: Usage) -> bytes:
        return event(self._frame | {"choices": [], "usage": usage})

    def _chunk(self, choice: dict[str, Any]) -> bytes:
        return event(self._frame | {"choices": [choice]})


def more(frame: dict[str, Any], words: str) -> bytes:
    """Encode words that follow in an answer which began elsewhere, with the fields that its chunks share."""
    return event(_frame("chat.completion.chunk", "") | frame | {"choices": [_delta(0, {"content": words})]})


def finish(reason: Literal["stop", "length"], frame: dict[str, Any]) -> bytes:
    """Encode the end of an answer that began elsewhere, with the fields that its chunks share."""
    return event(_frame("chat.completion.chunk", "") | frame | {"choices": [_delta(0, {}, reason)]}) + DONE


def _frame(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time()), "model": model}


def _said(spoken: AnswerChoice) -> dict[str, Any]:
    text = "".join(spoken.pieces)
    if spoken.tool is None:
        return {"content": text}
    call = {"id": _call_id(), "type": "function", "function": {"name": spoken.tool, "arguments": text}}
    return {"content": None, "tool_calls": [call]}


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex}"


def _delta(index: int, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
