"""The messages for an upstream: with the operator's own lines, in the form that it knows, and no more than fit."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from llm.answer.usage import tokens_of
from llm.request.alternate import in_turns
from llm.request.spare import DEVELOPER, JSON_SCHEMA, NAMES, PARTS, SYSTEM_ROLE, TURNS
from llm.settings import RelayOptions
from llm.wire import Asked, Assistant, Developer, Function, Message, System, Tool, text_of

_SCHEMA_LINE = "Answer with one JSON object and nothing else. It follows this JSON schema:"
_NO_WORDS = System(content="")
"""Stands for a system message that is added here."""
TOKENS_A_MESSAGE = 4
TOKENS_A_PICTURE = 800


class _Messages(Struct):
    messages: list[Raw]


def messages_for(
    asked: Asked, options: RelayOptions, *, knows_developer: bool, without: frozenset[str] = frozenset()
) -> list[Raw] | None:
    """Return the messages to send; None where they are the caller's own.

    Args:
        knows_developer: Whether the upstream knows that role.
        without: Forms that it refuses.
    """
    wanted = asked.wanted.messages
    kept = _within(wanted, options.history_tokens) if options.history_tokens else list(range(len(wanted)))
    change = _Change(not knows_developer or DEVELOPER in without, PARTS in without, NAMES in without)
    lines = _lines_told(asked, options, schema=JSON_SCHEMA in without)
    rebuilt = not without.isdisjoint((SYSTEM_ROLE, TURNS))
    if len(kept) == len(wanted) and not any(map(change.concerns, wanted)) and not any(lines) and not rebuilt:
        return None
    messages = msgspec.json.decode(asked.body, type=_Messages).messages
    sent = [change.made(wanted[at], messages[at]) for at in kept]
    kinds = [wanted[at] for at in kept]
    if any(lines):
        sent, kinds = _with_lines(sent, kinds, *lines), kinds if _begins_with_system(kinds) else [_NO_WORDS, *kinds]
    if SYSTEM_ROLE in without:
        sent = _without_system(sent, kinds)
    if TURNS in without:
        sent = [_raw(fields) for fields in in_turns([msgspec.json.decode(raw) for raw in sent])]
    return sent


class _Change(Struct, frozen=True):
    """Forms that an upstream wants otherwise."""

    developer: bool
    """Call the developer `system`."""
    parts: bool
    """Join lists of text to one string."""
    names: bool
    """Leave out who of several speaks."""

    def concerns(self, message: Message) -> bool:
        return (
            (self.developer and isinstance(message, Developer))
            or (self.parts and _is_text_in_parts(message))
            or (self.names and not isinstance(message, Function))
        )

    def made(self, message: Message, raw: Raw) -> Raw:
        """Return `raw`, the bytes of `message`, in the form that is wanted."""
        if not self.concerns(message):
            return raw
        fields = msgspec.json.decode(raw, type=dict[str, Any])
        if self.developer and isinstance(message, Developer):
            fields["role"] = "system"
        if self.parts and _is_text_in_parts(message):
            fields["content"] = text_of(message.content)
        if self.names and not isinstance(message, Function):
            fields.pop("name", None)
        return _raw(fields)


def _is_text_in_parts(message: Message) -> bool:
    content = message.content
    return isinstance(content, list) and all(part.type in ("text", "refusal") for part in content)


def halved(messages: Sequence[Message], most_tokens: int | None) -> int | None:
    """Return a limit of tokens that leaves the newer half of what was said; None where there is nothing to leave out.

    Args:
        most_tokens: The limit so far.
    """
    kept = _within(messages, most_tokens) if most_tokens else list(range(len(messages)))
    system = sum(_estimated_message(messages[at]) for at in kept if isinstance(messages[at], System | Developer))
    said = sum(_estimated_message(messages[at]) for at in kept) - system
    limit = system + said // 2
    return limit if len(_within(messages, limit)) < len(kept) else None


def _lines_told(asked: Asked, options: RelayOptions, *, schema: bool = False) -> tuple[str, str]:
    """Return the operator's lines before the role's own words, and after them.

    Args:
        schema: Whether the shape of the answer must be told in words.
    """
    prompt = options.system_prompt
    before, after = ("", prompt) if options.system_prompt_place == "after" else (prompt, "")
    spoken = options.for_the_ear and asked.wanted.is_prose and options.opening != "off"
    opening = options.opening if spoken else ""
    return before, "\n\n".join(filter(None, [after, opening, _schema_line(asked) if schema else ""]))


def _schema_line(asked: Asked) -> str:
    form = asked.wanted.response_format
    if form is None or form.json_schema is None or form.json_schema.schema is None:
        return ""
    return f"{_SCHEMA_LINE} {msgspec.json.encode(form.json_schema.schema).decode()}"


def _begins_with_system(kinds: Sequence[Message]) -> bool:
    return isinstance(kinds[0], System | Developer)


def _without_system(sent: Sequence[Raw], kinds: Sequence[Message]) -> list[Raw]:
    """Put the system's words before those of the first message that is not the system's."""
    said = [msgspec.json.decode(raw, type=dict[str, Any]) for raw in sent]
    system = [fields for fields, kind in zip(said, kinds, strict=True) if isinstance(kind, System | Developer)]
    others = [fields for fields, kind in zip(said, kinds, strict=True) if not isinstance(kind, System | Developer)]
    words = "\n\n".join(_words_in(fields["content"]) for fields in system)
    if not others:
        return [_raw({"role": "user", "content": words})]
    first = others[0]
    content = first.get("content") or ""
    joined = f"{words}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": words}, *content]
    return [_raw(first | {"content": joined}), *map(_raw, others[1:])]


def _words_in(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _with_lines(sent: list[Raw], kinds: Sequence[Message], before: str, after: str) -> list[Raw]:
    """Add lines to the first message where that is the system's, since many a model knows one only; else before it."""
    if not _begins_with_system(kinds):
        return [_raw({"role": "system", "content": "\n\n".join(filter(None, [before, after]))}), *sent]
    fields: dict[str, Any] = msgspec.json.decode(sent[0])
    content = fields["content"]
    if isinstance(content, str):
        fields["content"] = "\n\n".join(filter(None, [before, content, after]))
    else:
        parts = [{"type": "text", "text": line} if line else None for line in (before, after)]
        fields["content"] = [part for part in (parts[0], *content, parts[1]) if part is not None]
    return [_raw(fields), *sent[1:]]


def _within(messages: Sequence[Message], most_tokens: int) -> list[int]:
    """Return the places of those that stay: the system's, the last exchange, and before it as many as fit.

    A call of a tool and its answers stay or go together.
    """
    system = [at for at, message in enumerate(messages) if isinstance(message, System | Developer)]
    left = most_tokens - sum(_estimated_message(messages[at]) for at in system)
    kept: list[int] = []
    for exchange in reversed(_exchanges(messages)):
        left -= sum(_estimated_message(messages[at]) for at in exchange)
        if left < 0 and kept:
            break
        kept = exchange + kept
    return sorted(system + kept)


def _exchanges(messages: Sequence[Message]) -> list[list[int]]:
    """Return what belongs together: what the child says and what is answered, tools and all."""
    exchanges: list[list[int]] = []
    for at, message in enumerate(messages):
        if isinstance(message, System | Developer):
            continue
        if not exchanges or not isinstance(message, Assistant | Tool | Function):
            exchanges.append([])
        exchanges[-1].append(at)
    return exchanges


def _raw(fields: dict[str, Any]) -> Raw:
    return Raw(msgspec.json.encode(fields))


def estimated(messages: Iterable[Message]) -> int:
    """Return about how many tokens these are: a quarter for a Latin letter, most of one for a Chinese one."""
    return sum(map(_estimated_message, messages))


def _estimated_message(message: Message) -> int:
    tokens = TOKENS_A_MESSAGE + tokens_of(text_of(message.content))
    if isinstance(message, Assistant):
        tokens += sum(tokens_of(call.function.arguments) + 8 for call in message.tool_calls or () if call.function)
    if isinstance(message.content, list):
        tokens += sum(TOKENS_A_PICTURE for part in message.content if part.type not in ("text", "refusal"))
    return tokens
