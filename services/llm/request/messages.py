"""The messages for an upstream: with the operator's own lines, in the form that it knows, and no more than fit."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from llm.answer.usage import tokens_of
from llm.request.forms import DEVELOPER, JSON_SCHEMA, SILENT_JSON
from llm.request.reshape import FORMS, reshaped
from llm.settings import RelayOptions
from llm.wire import Asked, Assistant, Developer, Function, Message, System, Tool, text_of

_JSON_LINE = "Answer with one JSON object and nothing else."
_SCHEMA_LINE = "It follows this JSON schema:"
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
    forms = without & FORMS
    if not knows_developer and any(isinstance(message, Developer) for message in wanted):
        forms |= {DEVELOPER}
    lines = _lines_told(asked, options, without)
    if len(kept) == len(wanted) and not forms and not any(lines):
        return None
    messages = msgspec.json.decode(asked.body, type=_Messages).messages
    sent = [messages[at] for at in kept]
    if any(lines):
        sent = _with_lines(sent, wanted[kept[0]], *lines)
    if forms:
        sent = _reshaped(sent, forms)
    return None if sent == messages else sent


def _reshaped(sent: Sequence[Raw], forms: frozenset[str]) -> list[Raw]:
    decoded = [msgspec.json.decode(raw, type=dict[str, Any]) for raw in sent]
    as_they_came = {id(fields): raw for fields, raw in zip(decoded, sent, strict=True)}
    return [as_they_came.get(id(fields)) or _raw(fields) for fields in reshaped(decoded, forms)]


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


def _lines_told(asked: Asked, options: RelayOptions, without: frozenset[str]) -> tuple[str, str]:
    """Return the operator's lines before the role's own words, and after them.

    Args:
        without: Forms and fields that the upstream refuses: what they would have done is told in words.
    """
    prompt = options.system_prompt
    before, after = ("", prompt) if options.system_prompt_place == "after" else (prompt, "")
    spoken = options.for_the_ear and asked.wanted.is_prose and options.opening != "off"
    opening = options.opening if spoken else ""
    return before, "\n\n".join(filter(None, [after, opening, _json_line(asked, without)]))


def _json_line(asked: Asked, without: frozenset[str]) -> str:
    form = asked.wanted.response_format
    if form is None or asked.wanted.is_prose or without.isdisjoint((JSON_SCHEMA, SILENT_JSON, "response_format")):
        return ""
    if form.json_schema is None or form.json_schema.schema is None:
        return _JSON_LINE
    return f"{_JSON_LINE} {_SCHEMA_LINE} {msgspec.json.encode(form.json_schema.schema).decode()}"


def _with_lines(sent: list[Raw], first: Message, before: str, after: str) -> list[Raw]:
    """Add lines to the first message where that is the system's, since many a model knows one only; else before it."""
    if not isinstance(first, System | Developer):
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
