"""A conversation put into the forms that an upstream takes; a message that need not change stays the same object."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from llm.request.alternate import in_turns
from llm.request.forms import BARE, DEVELOPER, IDS, PARTS, SYSTEM_ROLE, THOUGHTS, TRAILING, TURNS

Fields: TypeAlias = dict[str, Any]
"""One message, decoded."""

SYSTEM = ("system", "developer")
_KNOWN_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "function_call"})
_ID_CHARACTERS = 9
"""Length of ids that Mistral insists on; shorter ones are fine everywhere."""
_NO_THOUGHT = " "
"""Moonshot takes an empty thought for a missing one."""


def reshaped(messages: Sequence[Fields], forms: frozenset[str]) -> list[Fields]:
    """Return `messages` without the `forms` that an upstream refuses."""
    for form, change in _CHANGES.items():
        if form in forms:
            messages = change(messages)
    return list(messages)


def extra_fields(messages: Sequence[Fields]) -> frozenset[str]:
    """Return the names of fields that only some upstreams know."""
    return frozenset(name for message in messages if message["role"] != "function" for name in message) - _KNOWN_FIELDS


def _each(change: Callable[[Fields], Fields]) -> Callable[[Sequence[Fields]], list[Fields]]:
    return lambda messages: [change(message) for message in messages]


def _as_system(message: Fields) -> Fields:
    return message | {"role": "system"} if message["role"] == "developer" else message


def _in_strings(message: Fields) -> Fields:
    content = message.get("content")
    if content is None and message["role"] != "function":
        return message | {"content": ""}
    is_text = isinstance(content, list) and all(part["type"] in ("text", "refusal") for part in content)
    return message | {"content": words_in(content)} if is_text else message


def _bare(message: Fields) -> Fields:
    if message["role"] == "function":
        return message
    bare = {name: value for name, value in message.items() if name in _KNOWN_FIELDS and (value or name == "content")}
    return message if bare == message else bare


def _with_short_ids(message: Fields) -> Fields:
    if answered := message.get("tool_call_id"):
        return message | {"tool_call_id": _short(answered)}
    if calls := message.get("tool_calls"):
        return message | {"tool_calls": [call | {"id": _short(call["id"])} for call in calls]}
    return message


def _short(identifier: str) -> str:
    fits = len(identifier) == _ID_CHARACTERS and identifier.isascii() and identifier.isalnum()
    return identifier if fits else hashlib.sha256(identifier.encode()).hexdigest()[:_ID_CHARACTERS]


def _with_thoughts(message: Fields) -> Fields:
    is_without = message["role"] == "assistant" and not message.get("reasoning_content")
    return message | {"reasoning_content": _NO_THOUGHT} if is_without else message


def _without_system(messages: Sequence[Fields]) -> list[Fields]:
    """Put the system's words before those of the first message that is not the system's."""
    system = [message for message in messages if message["role"] in SYSTEM]
    others = [message for message in messages if message["role"] not in SYSTEM]
    if not system:
        return others
    words = "\n\n".join(words_in(message["content"]) for message in system)
    if not others:
        return [{"role": "user", "content": words}]
    first = others[0]
    content = first.get("content") or ""
    joined = f"{words}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": words}, *content]
    return [first | {"content": joined}, *others[1:]]


def _trimmed(messages: Sequence[Fields]) -> list[Fields]:
    """Let the last message end with its last word."""
    *others, last = messages
    content = last.get("content")
    if isinstance(content, str) and content != content.rstrip():
        return [*others, last | {"content": content.rstrip()}]
    return [*others, last]


def words_in(content: Any) -> str:
    """Return the words of a message's content, a line for each part that is a text."""
    return content if isinstance(content, str) else "\n".join(part.get("text") or "" for part in content)


_CHANGES: Mapping[str, Callable[[Sequence[Fields]], list[Fields]]] = {
    DEVELOPER: _each(_as_system),
    PARTS: _each(_in_strings),
    BARE: _each(_bare),
    IDS: _each(_with_short_ids),
    THOUGHTS: _each(_with_thoughts),
    SYSTEM_ROLE: _without_system,
    TURNS: in_turns,
    TRAILING: _trimmed,
}
"""By the form that is refused, in the order in which they are made."""
FORMS = frozenset(_CHANGES)
