"""Answer as a small companion without a model: by rules that need no key, no download and no network.

It keeps to what decoding guarantees elsewhere (token limits, stop strings, n, seed, JSON objects, usage) and declines
what takes a model (a JSON schema, the call of a tool, pictures and sound).
"""

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from random import Random
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.errors import Declined, NotFound
from llm.answer.encode import AnswerChoice, Usage, completion, events
from llm.engines import COMPANION, Engine
from llm.engines.companion.rules import reply
from llm.wire import Asked, ChatRequest, text_of

TOKEN = re.compile(r"\s*[A-Za-z0-9']+|\s*\S|\s+")
"""A word or a single other character, with the space before it."""
_TOKENS_A_PIECE = 3
_TOKENS_A_MESSAGE = 4
"""Tokens that the frame of a message counts for, as elsewhere."""
_COUNTED_CHARACTERS = 20_000
_VOCABULARIES = {
    "reasoning_effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "verbosity": ("low", "medium", "high"),
    "service_tier": ("auto", "default", "flex", "scale", "priority", "fast"),
}


class Companion(Engine):
    first_byte_seconds = 0.1
    stands_in = True

    def __init__(self, now: Callable[[], datetime] = datetime.now) -> None:
        self.now = now

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    async def aclose(self) -> None:
        return

    @property
    def models(self) -> tuple[str, ...]:
        return ()

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        if asked.model:
            raise NotFound(f"No model {asked.model!r}: the companion has none.", param="model", code="model_not_found")
        wanted = asked.wanted
        _check(wanted)
        choices = [self._choice(wanted, index) for index in range(wanted.n or 1)]
        usage = Usage.of(_prompt_tokens(wanted), sum(len(_tokens("".join(each.pieces))) for each in choices))
        asked.tally.pieces = usage.completion_tokens
        if not wanted.stream:
            yield completion(choices, COMPANION, usage)
            return
        for piece in events(choices, COMPANION, usage if wanted.wants_usage else None):
            yield piece

    def _choice(self, wanted: ChatRequest, index: int) -> AnswerChoice:
        chance = Random() if wanted.seed is None else Random(f"{wanted.seed} {index}")
        return _cut(_formed(reply(wanted.messages, chance, self.now()), wanted), wanted)


def _cut(text: str, wanted: ChatRequest) -> AnswerChoice:
    """Cut `text` at the request's stops and limit, and into the pieces of a stream."""
    stops = [wanted.stop] if isinstance(wanted.stop, str) else wanted.stop or []
    ends = [end for stop in stops if stop and (end := text.find(stop)) >= 0]
    tokens = _tokens(text[: min(ends, default=len(text))])
    limit = wanted.token_limit
    within = tokens if limit is None else tokens[:limit]
    pieces = ("".join(within[at : at + _TOKENS_A_PIECE]) for at in range(0, len(within), _TOKENS_A_PIECE))
    return AnswerChoice(tuple(pieces), "stop" if len(within) == len(tokens) else "length")


def _check(wanted: ChatRequest) -> None:
    """Check that no model is needed for the answer.

    Raises:
        Declined: The request needs a model.
    """
    if wanted.tool_choice is not None and wanted.tool_choice not in ("none", "auto"):
        raise _declined("calls no tools. Set 'tool_choice' to none or auto", "tool_choice")
    if (form := wanted.response_format) is not None and form.type == "json_schema":
        raise _declined("follows no JSON schema. Set 'response_format' to text or json_object", "response_format")
    if any(modality != "text" for modality in wanted.modalities or ()):
        raise _declined("answers in text only. Leave out 'modalities'", "modalities")
    if wanted.asks_for_moderation:
        raise _declined("moderates nothing. Leave out 'moderation'", "moderation")
    for number, message in enumerate(wanted.messages):
        if isinstance(message.content, list):
            for place, part in enumerate(message.content):
                if part.type not in ("text", "refusal"):
                    raise _declined("understands text only. Send text parts", f"messages[{number}].content[{place}]")
    for field, words in _VOCABULARIES.items():
        if (value := getattr(wanted, field)) is not None and value not in words:
            raise Declined(f"Invalid {field!r}: expected one of {', '.join(words)}.", param=field)


def _declined(reason: str, param: str) -> Declined:
    return Declined(f"The companion {reason}, or add an engine with a model to LLM_ENGINES.", param=param)


def _formed(text: str, wanted: ChatRequest) -> str:
    """Return `text` in the format that the request asks for."""
    if wanted.is_prose:
        return text
    return msgspec.json.encode({"reply": text}).decode()


def _prompt_tokens(wanted: ChatRequest) -> int:
    return sum(_TOKENS_A_MESSAGE + _count(text_of(message.content)) for message in wanted.messages)


def _count(text: str) -> int:
    """Count the tokens; a long text is estimated from its beginning, since counting would hold up other callers."""
    if len(text) <= _COUNTED_CHARACTERS:
        return len(_tokens(text))
    return len(_tokens(text[:_COUNTED_CHARACTERS])) * len(text) // _COUNTED_CHARACTERS


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)
