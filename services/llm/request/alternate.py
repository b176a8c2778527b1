"""Put a conversation into the order that strict templates of models insist on."""

from collections.abc import Iterable, Sequence
from typing import Any

Message = dict[str, Any]

_SILENCE: Message = {"role": "user", "content": "…"}
"""Stands where a template wants the user to speak, and nobody did."""
_SYSTEM = ("system", "developer")
_OF_TOOLS = ("tool_calls", "function_call", "tool_call_id")


def in_turns(messages: Sequence[Message]) -> list[Message]:
    """Return the system's words first and in one message, then user and assistant in turns, the user first and last.

    Empty messages are left out; those with calls of tools, and their results, stay as they are.
    """
    said = [message for message in messages if _says(message.get("content")) or not _is_prose(message)]
    system = _joined(message for message in said if message["role"] in _SYSTEM)
    talk = _joined(message for message in said if message["role"] not in _SYSTEM)
    if not talk or talk[0]["role"] == "assistant":
        talk.insert(0, _SILENCE)
    if talk[-1]["role"] == "assistant":
        talk.append(_SILENCE)
    return system + talk


def _joined(messages: Iterable[Message]) -> list[Message]:
    """Return messages with neighbours of one role made one."""
    out: list[Message] = []
    for message in messages:
        if out and _is_prose(message) and _is_prose(out[-1]) and out[-1]["role"] == message["role"]:
            out[-1] = out[-1] | {"content": _both(out[-1]["content"], message["content"])}
        else:
            out.append(message)
    return out


def _both(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _says(content: Any) -> bool:
    """Tell whether there is more than blanks."""
    if isinstance(content, list):
        return any(part["type"] not in ("text", "refusal") or _says(part.get("text")) for part in content)
    return bool(content and content.strip())


def _is_prose(message: Message) -> bool:
    return message["role"] != "function" and not any(message.get(name) for name in _OF_TOOLS)
