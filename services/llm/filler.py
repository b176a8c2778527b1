"""The short sentence that a child hears while an answer is awaited."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from chassis.sse import event
from llm.answer.encode import DONE, Chunks
from llm.own_language import Language, own_language
from llm.wire import Asked, Assistant, ChatRequest, Message, User, said_by

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
    sentences = FILLERS[own_language(said_by(User, wanted.messages)[::-1])]
    chunks = Chunks(model, usage=False)
    return chunks.begun_with(sentences[len(wanted.messages) // 2 % len(sentences)])


def without_fillers(asked: Asked) -> Asked:
    """Return the request without the sentences that went ahead of its answers: no model said them."""
    messages = asked.wanted.messages
    words = {at: after for at, message in enumerate(messages) if (after := _after_filler(message))}
    if not words:
        return asked
    fields = msgspec.json.decode(asked.body, type=dict[str, Raw])
    raw = msgspec.json.decode(fields["messages"], type=list[dict[str, Any]])
    for at, text in words.items():
        raw[at]["content"] = text
    fields["messages"] = Raw(msgspec.json.encode(raw))
    kept = [replace(each, content=words[at]) if at in words else each for at, each in enumerate(messages)]
    return replace(asked, body=msgspec.json.encode(fields), wanted=replace(asked.wanted, messages=kept))


def _after_filler(message: Message) -> str:
    """Return what an answer says after its filler; empty where it has none, or nothing else."""
    text = message.content if isinstance(message, Assistant) and isinstance(message.content, str) else ""
    said = next((each for each in chain.from_iterable(FILLERS.values()) if text.startswith(each.rstrip())), "")
    return text[len(said.rstrip()) :].lstrip() if said else ""


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
