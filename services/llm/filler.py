"""The short sentence that a child hears while an answer is awaited."""

from collections.abc import Iterator
from typing import Any

import msgspec

from chassis.sse import event
from llm.answer.encode import DONE, Chunks
from llm.excuse import Language, language_of
from llm.wire import ChatRequest, User, said_by

FILLERS: dict[Language, tuple[str, ...]] = {
    "zh": ("让我想一想。", "这个问题真有意思。", "等我想一下哦。"),
    "en": ("Let me think. ", "What a good question. ", "Give me a moment. "),
}
"""Few and always the same, so that tts has them ready, and without a comma, at which the toy's server would cut."""

_EVENT_END = b"\n\n"
_DATA = b"data: "


def is_wanted(wanted: ChatRequest) -> bool:
    """Tell whether the answer is one that a sentence may go ahead of: words alone, in one choice."""
    return wanted.is_prose and not wanted.tools and (wanted.n or 1) == 1


def filler(wanted: ChatRequest, model: str) -> bytes:
    """Return the first event of a stream, in the language of the conversation; the next turn gets another sentence."""
    sentences = FILLERS[language_of(said_by(User, wanted.messages)[::-1])]
    chunks = Chunks(model, usage=False)
    return chunks.begun_with(sentences[len(wanted.messages) // 2 % len(sentences)])


def continued(events: bytes) -> bytes:
    """Return the first events of an answer without who speaks: the filler said so, and clients join what they get."""
    return b"".join(_continued(events))


def _continued(events: bytes) -> Iterator[bytes]:
    *whole, rest = events.split(_EVENT_END)
    for each in whole:
        data = each.removeprefix(_DATA)
        chunk = None if data + _EVENT_END == DONE else _chunk(data)
        if chunk is None:
            yield each + _EVENT_END
        elif any(map(_is_left, chunk["choices"])) or chunk.get("usage"):
            yield event(chunk)
    yield rest


def _chunk(data: bytes) -> dict[str, Any] | None:
    """Return a chunk whose deltas tell no role; None where the event is no chunk, or tells none."""
    try:
        chunk: dict[str, Any] = msgspec.json.decode(data)
        roles = [choice["delta"].pop("role", None) for choice in chunk["choices"]]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return None
    return chunk if any(roles) else None


def _is_left(choice: dict[str, Any]) -> bool:
    return any(choice["delta"].values()) or choice.get("finish_reason") is not None
