"""A chunk just as OpenAI documents it, read by its types: most chunks of most upstreams hold nothing to be mended."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

_Name: TypeAlias = Annotated[str, Meta(min_length=1)]


class PlainDelta(Struct, forbid_unknown_fields=True):
    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    refusal: UnsetType | None = UNSET


class PlainChoice(Struct, forbid_unknown_fields=True):
    index: Literal[0]
    delta: PlainDelta
    finish_reason: Literal["stop", "length"] | None = None
    logprobs: UnsetType | None = UNSET


class PlainChunk(Struct, forbid_unknown_fields=True):
    """One piece of the words of the one choice, or its end."""

    id: _Name
    object: Literal["chat.completion.chunk"]
    created: int
    model: _Name
    choices: Annotated[list[PlainChoice], Meta(min_length=1, max_length=1)]
    system_fingerprint: str | UnsetType | None = UNSET
    service_tier: str | UnsetType | None = UNSET
    usage: UnsetType | None = UNSET
    obfuscation: str | UnsetType = UNSET

    @property
    def frame(self) -> dict[str, str | int]:
        """Return the fields that all chunks of an answer share."""
        return {"id": self.id, "object": self.object, "created": self.created, "model": self.model}


_decoder = msgspec.json.Decoder(PlainChunk)


def plain_chunk(data: bytes) -> PlainChunk | None:
    """Return the chunk that the data of an event is; None where anything about it is unusual."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
