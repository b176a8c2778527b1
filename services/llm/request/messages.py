"""What an upstream is told of a conversation: the operator's own lines, a known role's name, no more than fits."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from llm.answer.usage import tokens_of
from llm.settings import RelayOptions
from llm.wire import Asked, Assistant, Developer, Function, Message, System, Tool, text_of

SYSTEM = Raw(b'"system"')
TOKENS_A_MESSAGE = 4
TOKENS_A_PICTURE = 800


class _Messages(Struct):
    messages: list[Raw]


def messages_for(asked: Asked, options: RelayOptions, *, knows_developer: bool) -> list[Raw] | None:
    """The messages to send; None where they are the caller's own."""
    wanted = asked.wanted.messages
    kept = _within(wanted, options.history_tokens) if options.history_tokens else list(range(len(wanted)))
    renamed = not knows_developer and any(isinstance(message, Developer) for message in wanted)
    told = told_first(asked, options)
    if len(kept) == len(wanted) and not renamed and not any(told):
        return None
    messages = msgspec.json.decode(asked.body, type=_Messages).messages
    sent = [_renamed(messages[at]) if renamed and isinstance(wanted[at], Developer) else messages[at] for at in kept]
    return _with_lines(sent, [wanted[at] for at in kept], *told) if any(told) else sent


def told_first(asked: Asked, options: RelayOptions) -> tuple[str, str]:
    """What stands before the role's own words, and after them."""
    prompt = options.system_prompt
    before, after = ("", prompt) if options.system_prompt_place == "after" else (prompt, "")
    spoken = options.for_the_ear and asked.wanted.is_prose and options.opening != "off"
    opening = options.opening if spoken else ""
    return before, "\n\n".join(filter(None, [after, opening]))


def _with_lines(sent: list[Raw], kinds: Sequence[Message], before: str, after: str) -> list[Raw]:
    """In the first message where that is a system's, since many a model knows one only; else in one of its own."""
    if not isinstance(kinds[0], System | Developer):
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
    """Which may stay: what the system says, what was said last, and before that as much as fits.

    A call of a tool and its answers stay or go together.
    """
    system = [at for at, message in enumerate(messages) if isinstance(message, System | Developer)]
    left = most_tokens - sum(estimated_message(messages[at]) for at in system)
    kept: list[int] = []
    for exchange in reversed(_exchanges(messages)):
        left -= sum(estimated_message(messages[at]) for at in exchange)
        if left < 0 and kept:
            break
        kept = exchange + kept
    return sorted(system + kept)


def _exchanges(messages: Sequence[Message]) -> list[list[int]]:
    """From what the child says to what is answered, tools and all: what would make no sense alone."""
    exchanges: list[list[int]] = []
    for at, message in enumerate(messages):
        if isinstance(message, System | Developer):
            continue
        if not exchanges or not isinstance(message, Assistant | Tool | Function):
            exchanges.append([])
        exchanges[-1].append(at)
    return exchanges


def _renamed(message: Raw) -> Raw:
    return _raw(msgspec.json.decode(message, type=dict[str, Raw]) | {"role": SYSTEM})


def _raw(fields: dict[str, Any]) -> Raw:
    return Raw(msgspec.json.encode(fields))


def estimated(messages: Iterable[Message]) -> int:
    """About how many tokens these are: a quarter of a Latin letter, most of a Chinese one."""
    return sum(map(estimated_message, messages))


def estimated_message(message: Message) -> int:
    tokens = TOKENS_A_MESSAGE + tokens_of(text_of(message.content))
    if isinstance(message, Assistant):
        tokens += sum(tokens_of(call.function.arguments) + 8 for call in message.tool_calls or () if call.function)
    if isinstance(message.content, list):
        tokens += sum(TOKENS_A_PICTURE for part in message.content if part.type not in ("text", "refusal"))
    return tokens
