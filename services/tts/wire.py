"""Parse requests for speech: read the JSON, fill in missing fields, check limits."""

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
_USUAL_MODEL, _USUAL_VOICE = "tts-1", "alloy"
"""Model and voice of a request that leaves them out or empty: the chain, and its voice for the text's language."""


class OwnVoice(msgspec.Struct):
    """Voice as an object with an id, which OpenAI accepts for voices of one's own."""

    id: str


class SpeechRequest(msgspec.Struct, kw_only=True):
    """Body of a request as it comes, before `parse` checks it."""

    model: str | None = None
    input: str
    voice: str | OwnVoice | None = None
    response_format: str | None = None
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] | str | None = None
    instructions: str | None = None
    stream_format: str | None = None
    speakable: bool | None = None
    """Field of our own: true leaves out what is meant for the eye; null leaves the choice to `TTS_SPEAKABLE`."""


class CheckedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Request that was checked and can be served."""

    model: str
    text: str
    voice: str
    codec: Codec
    speed: float
    instructions: str
    """Manner of speaking, for engines that take it; may be empty."""
    streamed_as: StreamFormat
    speakable: bool | None


async def parse(request: Request) -> CheckedRequest:
    """Return the request parsed; an empty field counts as left out, except `input`.

    Raises:
        BadRequest: A field is missing, of the wrong type or out of range; `param` names it.
    """
    body = await parse_json(request, SpeechRequest, cut_characters=True)
    return CheckedRequest(
        model=(body.model or "").strip() or _USUAL_MODEL,
        text=_measure("input", _filled(body.input)),
        voice=_voice_name(body.voice),
        codec=_one_of("response_format", body.response_format or "mp3", Codec),
        speed=_speed(body.speed),
        instructions=_instructions(body.instructions),
        streamed_as=_one_of("stream_format", body.stream_format or "audio", StreamFormat),
        speakable=body.speakable,
    )


def _filled(text: str) -> str:
    if not text:
        raise BadRequest("Invalid 'input': it is empty.", param="input", code="empty_string")
    return text


def _instructions(text: str | None) -> str:
    """Return the manner of speaking; some clients send the word "None" instead of leaving it out."""
    return "" if text is None or text.strip() == "None" else _measure("instructions", text).strip()


def _speed(speed: float | str | None) -> float:
    """Return the speed; some clients send an empty text instead of leaving it out.

    Raises:
        BadRequest: It is any other text.
    """
    if isinstance(speed, str) and speed:
        raise BadRequest("Invalid 'speed': expected `float`, got `str`.", param="speed")
    return float(speed or 1.0)


def _measure(param: str, text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        message = f"Invalid {param!r}: {len(text)} characters, and {MOST_CHARACTERS} is the most. Send it in parts."
        raise BadRequest(message, param=param, code="string_above_max_length")
    return text


def _voice_name(voice: str | OwnVoice | None) -> str:
    name = voice.id if isinstance(voice, OwnVoice) else voice
    return name if name and name.strip() else _USUAL_VOICE


def _one_of(param: str, value: str, kind: Any) -> Any:
    """Return `value`, in whatever case it is written, as one of the literals of `kind`.

    Raises:
        BadRequest: It is not; `param` names the field.
    """
    if value.strip().lower() not in get_args(kind):
        choices = ", ".join(get_args(kind))
        raise BadRequest(f"Invalid {param!r}: {value[:64]!r}. There are: {choices}.", param=param, code="invalid_value")
    return value.strip().lower()
