"""A small companion without a model: rules that need no key, no download and no network.

It obeys what decoding guarantees elsewhere: token limits, stop strings, n, seed, JSON formats, usage.
"""

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from random import Random
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.errors import Declined, NotFound
from llm.answer.encode import Spoken, Usage, completion, events
from llm.engines import COMPANION, Engine
from llm.engines.companion.json_schema import Unsatisfiable, instance
from llm.engines.companion.rules import reply
from llm.wire import Asked, ChatRequest, text_of

TOKEN = re.compile(r"\s*[A-Za-z0-9']+|\s*\S|\s+")
"""A word or a single other character, with the space before it."""
TOKENS_A_PIECE = 3
TOKENS_A_MESSAGE = 4
"""What the frame of a message counts for, as elsewhere."""
COUNTED_CHARACTERS = 20_000
VOCABULARIES = {
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
        if not wanted.stream:
            yield completion(choices, COMPANION, usage)
            return
        for piece in events(choices, COMPANION, usage if wanted.wants_usage else None):
            yield piece

    def _choice(self, wanted: ChatRequest, index: int) -> Spoken:
        chance = Random() if wanted.seed is None else Random(f"{wanted.seed} {index}")
        return cut(_formed(reply(wanted.messages, chance, self.now()), wanted), wanted)


def cut(text: str, wanted: ChatRequest) -> Spoken:
    """As much of `text` as is wanted, in the pieces it is sent in."""
    stops = [wanted.stop] if isinstance(wanted.stop, str) else wanted.stop or []
    ends = [end for stop in stops if stop and (end := text.find(stop)) >= 0]
    tokens = _tokens(text[: min(ends, default=len(text))])
    limit = wanted.token_limit
    within = tokens if limit is None else tokens[:limit]
    pieces = ("".join(within[at : at + TOKENS_A_PIECE]) for at in range(0, len(within), TOKENS_A_PIECE))
    return Spoken(tuple(pieces), "stop" if len(within) == len(tokens) else "length")


def _check(wanted: ChatRequest) -> None:
    """Raises:
    Declined: What was asked needs a model.
    """
    if wanted.tool_choice is not None and wanted.tool_choice not in ("none", "auto"):
        raise Declined("The companion uses no tools; set 'tool_choice' to none or auto.", param="tool_choice")
    if any(modality != "text" for modality in wanted.modalities or ()):
        raise Declined("The companion answers in text only.", param="modalities")
    for number, message in enumerate(wanted.messages):
        if isinstance(message.content, list):
            for place, part in enumerate(message.content):
                if part.type not in ("text", "refusal"):
                    where = f"messages[{number}].content[{place}]"
                    raise Declined("The companion understands text only.", param=where)
    for field, words in VOCABULARIES.items():
        if (value := getattr(wanted, field)) is not None and value not in words:
            raise Declined(f"Invalid {field!r}: expected one of {', '.join(words)}.", param=field)


def _formed(text: str, wanted: ChatRequest) -> str:
    """In the form asked for."""
    form = wanted.response_format
    if form is None or form.type == "text":
        return text
    if form.json_schema is None or form.json_schema.schema is None:
        return msgspec.json.encode({"reply": text}).decode()
    try:
        return msgspec.json.encode(instance(form.json_schema.schema, text)).decode()
    except Unsatisfiable as exc:
        message = f"The companion, having no model, cannot fill in this schema: {exc}."
        raise Declined(message, param="response_format.json_schema.schema") from exc


def _prompt_tokens(wanted: ChatRequest) -> int:
    return sum(TOKENS_A_MESSAGE + _count(text_of(message.content)) for message in wanted.messages)


def _count(text: str) -> int:
    """How many tokens; of a long text estimated from its beginning, since counting would hold up everybody."""
    if len(text) <= COUNTED_CHARACTERS:
        return len(_tokens(text))
    return len(_tokens(text[:COUNTED_CHARACTERS])) * len(text) // COUNTED_CHARACTERS


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)
