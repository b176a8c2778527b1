"""Put the chunks of an upstream's stream into the shape that every client understands.

Who speaks is said once and first, what all chunks share never changes, no choice begins before the one ahead of it,
fragments of tool calls have their index, and a reason to end is one that clients know.
"""

import uuid
from dataclasses import dataclass, field
from time import time
from typing import Any

import msgspec

from chassis.errors import EngineFailed
from llm.answer.letters import Letters
from llm.answer.logprobs import logprobs_of
from llm.answer.plain_chunk import PlainChunk
from llm.answer.usage import usage_of

REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
"""Fields of a message in which thoughts come."""
_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")
_TYPED = ("system_fingerprint", "service_tier")
"""Fields of an answer that are texts."""
_KIND = "chat.completion.chunk"
_MOST_CHOICES = 128
_REASONS = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"} | {
    "function_call": "function_call",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "spii": "content_filter",
    "refusal": "content_filter",
    "max_output_tokens": "length",
}
"""A vendor's reason to end, in lower case, and OpenAI's; all others are `stop`."""
_BROKEN = frozenset({"error", "network_error", "abort", "insufficient_system_resource"})
"""Reasons that say that the answer is not whole."""


@dataclass
class MendedChoice:
    """State of one choice."""

    begun: bool = False
    finished: bool = False
    calls: list[str] = field(default_factory=list)
    """Ids of its tool calls."""
    keys: dict[object, int] = field(default_factory=dict)
    """Indexes of its tool calls by the upstream's."""
    letters: dict[str, Letters] = field(default_factory=dict)
    said: bool = False
    """It has words that came in pieces: a message after them only repeats them."""


class ChunkMender:
    """Mends the chunks of one stream, one after the other.

    Args:
        model: The model that was asked, for chunks that name none.
    """

    def __init__(self, model: str) -> None:
        self.choices: dict[int, MendedChoice] = {}
        self._model = model
        self.frame: dict[str, Any] = {}
        """Fields that all chunks share; empty before the first."""

    def chunk(self, raw: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the chunks to send in place of `raw`: mostly one, none where nothing is in it."""
        listed = raw.get("choices")
        pairs = enumerate(listed if isinstance(listed, list) else ())
        mended = [choice for at, each in pairs if isinstance(each, dict) and (choice := self._choice(each, at))]
        if not mended:
            return []
        if not self.frame:
            self.frame = frame_of(raw, self._model)
        chunk = sound(raw) | self.frame | {"choices": mended}
        return [*self._missing(max(each["index"] for each in mended)), *self._calls_ahead(mended), chunk]

    def _calls_ahead(self, mended: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Take calls out of a chunk that has several, as Gemini's have: Pipecat and others read the first alone."""
        chunks = []
        for at, delta in ((choice["index"], choice["delta"]) for choice in mended):
            while len(delta.get("tool_calls") or ()) > 1:
                call: dict[str, Any] = {"tool_calls": [delta["tool_calls"].pop(0)]}
                call |= {"role": delta.pop("role")} if "role" in delta else {}
                chunks.append(self.single({"index": at, "delta": call, "finish_reason": None}))
        return chunks

    def takes(self, chunk: PlainChunk) -> bool:
        """Note a chunk that is in order; False where it does not fit those before, or says nothing at all."""
        choice, delta = self.choices.get(0), chunk.choices[0].delta
        if self.frame and chunk.frame != self.frame:
            return False
        if choice is None:
            if self.choices:
                return False
            choice = self.choices[0] = MendedChoice()
        elif choice.finished or len(self.choices) > 1 or any(not each.empty for each in choice.letters.values()):
            return False
        self.frame = self.frame or dict(chunk.frame)
        choice.said = choice.said or bool(delta.content)
        return bool(delta.content) or chunk.choices[0].finish_reason is not None or not choice.begun

    def single(self, choice: dict[str, Any]) -> dict[str, Any]:
        """Return a chunk of our own with this choice."""
        return self.frame | {"choices": [choice]}

    def _missing(self, last: int) -> list[dict[str, Any]]:
        """Begin the choices that others overtook."""
        chunks = []
        for index in range(last):
            choice = self.choices.setdefault(index, MendedChoice())
            if not choice.begun:
                choice.begun = True
                delta = {"role": "assistant", "content": ""}
                chunks.append(self.single({"index": index, "delta": delta, "finish_reason": None}))
        return chunks

    def _choice(self, raw: dict[str, Any], position: int) -> dict[str, Any] | None:
        index = raw.get("index")
        if type(index) is not int or not 0 <= index < _MOST_CHOICES:
            index = position
        reason = (
            "stop" if "message" in raw and "finish_reason" not in raw else reason_of(raw)
        )  # a whole answer has ended
        delta = said_in(raw)
        if delta is None and reason is None:
            return None  # only a remark about the answer
        choice = self.choices.setdefault(index, MendedChoice())
        if raw.get("delta"):
            choice.said = choice.said or bool((delta or {}).get("content"))
        elif choice.said and "message" in raw:
            delta, reason = {}, None if choice.finished else reason
        delta = self._delta(delta or {}, choice)
        if reason is not None:
            choice.finished = True
            if rest := choice.letters.pop("content", Letters()).rest():
                delta["content"] = delta.get("content", "") + rest
        if not any(delta.values()) and reason is None:
            return None
        own = {name: value for name, value in raw.items() if name not in ("message", "text", "logprobs")}
        return own | logprobs_of(raw) | {"index": index, "delta": delta, "finish_reason": reason}

    def _delta(self, delta: dict[str, Any], choice: MendedChoice) -> dict[str, Any]:
        delta = message_of(delta)
        for name in _TEXTS:
            if isinstance(text := delta.get(name), str) and (name in choice.letters or not text.isascii()):
                delta[name] = choice.letters.setdefault(name, Letters()).add(text)
        if "tool_calls" in delta:
            delta["tool_calls"] = mended_calls(delta["tool_calls"], choice)
            if not delta["tool_calls"]:
                del delta["tool_calls"]
        if choice.begun:
            delta.pop("role", None)
        elif delta.get("role") != "assistant":
            delta = {"role": "assistant"} | delta | {"role": "assistant"}
        choice.begun = True
        return delta


def frame_of(chunk: dict[str, Any], model: str, kind: str = _KIND) -> dict[str, Any]:
    """Return the fields that all chunks of an answer share, made up where `chunk` lacks them."""
    id, created, named = chunk.get("id"), chunk.get("created"), chunk.get("model")
    return {
        "id": id if isinstance(id, str) and id else f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": created if type(created) is int else int(time()),
        "model": named if isinstance(named, str) and named else model,
    }


def sound(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer or a chunk without those of its fields that are of another type than clients expect.

    An `error` that is null or empty is none, but some clients take it for one.
    """
    odd = {name for name in _TYPED if not isinstance(answer.get(name), str | None)} | {"error"}
    kept = {name: value for name, value in answer.items() if name not in odd}
    if "usage" in kept and (usage := usage_of(kept["usage"])) != kept["usage"]:
        kept["usage"] = usage
    return kept


def reason_of(choice: dict[str, Any]) -> str | None:
    """Return the reason to end, in OpenAI's words; an empty one is none."""
    reason = choice.get("finish_reason")
    if not isinstance(reason, str) or reason.lower() in ("", "null", "none"):
        return None
    return _REASONS.get(reason.lower(), "stop")


def check_whole(choice: dict[str, Any]) -> None:
    """Check that a choice does not say itself that it is broken.

    Raises:
        EngineFailed: It does.
    """
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason in _BROKEN:
        raise EngineFailed(f"ended its answer with {reason!r}")


def message_of(message: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a message or delta, with its content as a text and thoughts in a field of their own."""
    message = dict(message)
    content = message.get("content")
    if isinstance(content, dict | list):
        parts = content if isinstance(content, list) else [content]
        message["content"] = "".join(map(_text_of, parts))
        if thoughts := "".join(map(_thought_of, parts)):
            message["reasoning_content"] = thoughts
    elif content is not None and not isinstance(content, str):
        message["content"] = ""
    if not isinstance(message.get("refusal"), str | None):
        del message["refusal"]
    if _is_googles_thought(message.get("extra_content")) and message.get("content"):
        message["reasoning_content"], message["content"] = message["content"], ""
    return message


def said_in(choice: dict[str, Any]) -> dict[str, Any] | None:
    """Return the message or delta of a choice, whatever it is called; None where it has none."""
    found = [choice.get(name) for name in ("delta", "message")]
    for value in sorted(found, key=bool, reverse=True):
        if isinstance(value, dict | str):
            return value if isinstance(value, dict) else {"content": value}
    return {"content": choice["text"]} if isinstance(choice.get("text"), str) else None


def _text_of(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") in (None, "text", "output_text", "refusal"):
        text = part.get("text", part.get("refusal"))
        text = text.get("value") if isinstance(text, dict) else text  # as assistants have it
        return text if isinstance(text, str) else ""
    return ""


def _thought_of(part: Any) -> str:
    if not isinstance(part, dict) or part.get("type") not in ("thinking", "reasoning"):
        return ""
    thought = part.get("thinking") or part.get("reasoning") or part.get("text") or ""
    return "".join(map(_text_of, thought)) if isinstance(thought, list) else str(thought)


def _is_googles_thought(extra: Any) -> bool:
    return isinstance(extra, dict) and isinstance(google := extra.get("google"), dict) and bool(google.get("thought"))


def mended_calls(calls: Any, choice: MendedChoice) -> list[dict[str, Any]]:
    """Return the fragments of tool calls as clients join them."""
    listed = [calls] if isinstance(calls, dict) else calls if isinstance(calls, list) else []
    return [_call(call, choice) for call in listed if isinstance(call, dict)]


def _call(call: dict[str, Any], choice: MendedChoice) -> dict[str, Any]:
    """Mend a fragment of a tool call: its index always, id, type and name in the first one only."""
    if "function" not in call and "custom" not in call:
        own = {name: call[name] for name in ("name", "arguments") if name in call}
        call = {name: value for name, value in call.items() if name not in own} | {"function": own}
    function, id, key = call.get("function"), call.get("id"), call.get("index")
    id = str(id) if isinstance(id, str | int) and id != "" else None
    function = dict(function) if isinstance(function, dict) else {}
    if not isinstance(key, int | str):
        key = id or (f"named {len(choice.calls)}" if function.get("name") else None)
    at = len(choice.calls) - 1 if key is None and choice.calls else choice.keys.get(key)
    is_new = at is None or (id is not None and id != choice.calls[at] and bool(function.get("name")))
    if is_new:
        at = choice.keys[key] = len(choice.calls)
        id = id or f"call_{uuid.uuid4().hex}"
        choice.calls.append(id)
    mended = call | {"index": at}
    if "arguments" in function and not isinstance(function["arguments"], str):
        given = function["arguments"]
        function["arguments"] = "" if given is None else msgspec.json.encode(given).decode()
    if is_new:
        mended |= {"id": id, "type": call.get("type") or "function"}
    else:
        function.pop("name", None)
        for name in ("id", "type"):
            mended.pop(name, None)
    return mended | ({"function": function} if isinstance(call.get("function"), dict) else {})
