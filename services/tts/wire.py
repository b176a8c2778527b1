"""What callers send."""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from starlette.requests import Request

from chassis.errors import BadRequest
from chassis.server.bodies import parse_json

Codec = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
MEDIA_TYPES: dict[Codec, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
StreamFormat = Literal["audio", "sse"]
MOST_CHARACTERS = 4096


class OwnVoice(msgspec.Struct):
    id: str


class SpeechRequest(msgspec.Struct, kw_only=True):
    """The body as it comes; `parse` sees to the rest."""

    model: str
    input: str
    voice: str | OwnVoice
    response_format: str | None = None
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] | None = None
    instructions: str | None = None
    stream_format: str | None = None
    speakable: bool | None = None
    """Ours: whether to leave out what is meant for the eye; null: as the operator says."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A request that can be served."""

    model: str
    text: str
    voice: str
    codec: Codec
    speed: float
    instructions: str
    """How to speak, for who takes it; may be empty."""
    streamed_as: StreamFormat
    speakable: bool | None


async def parse(request: Request) -> Wanted:
    """Raises:
    BadRequest: A field is missing, of the wrong type or out of range; `param` names it.
    """
    body = await parse_json(request, SpeechRequest)
    return Wanted(
        model=_filled("model", body.model),
        text=_measure("input", _filled("input", body.input)),
        voice=_named(body.voice),
        codec=_one_of("response_format", body.response_format or "mp3", Codec),
        speed=1.0 if body.speed is None else body.speed,
        instructions=_measure("instructions", body.instructions or "").strip(),
        streamed_as=_one_of("stream_format", body.stream_format or "audio", StreamFormat),
        speakable=body.speakable,
    )


def _filled(param: str, text: str) -> str:
    if not text.strip() and (param != "input" or not text):
        raise BadRequest(f"Invalid {param!r}: it is empty.", param=param, code="empty_string")
    return text


def _measure(param: str, text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        told = f"Invalid {param!r}: {len(text)} characters, and {MOST_CHARACTERS} is the most. Send it in parts."
        raise BadRequest(told, param=param, code="string_above_max_length")
    return text


def _named(voice: str | OwnVoice) -> str:
    return _filled("voice", voice) if isinstance(voice, str) else _filled("voice.id", voice.id)


def _one_of(param: str, value: str, kind: Any) -> Any:
    """`value`, which must be one of the literals of `kind`."""
    if value not in get_args(kind):
        choices = ", ".join(get_args(kind))
        raise BadRequest(f"Invalid {param!r}: {value[:64]!r}. There are: {choices}.", param=param, code="invalid_value")
    return value
