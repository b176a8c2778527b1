"""A chat request parsed, and checked for what no type can say: its size, its parts, fields that belong together."""

import asyncio

import msgspec
from msgspec import Raw
from starlette.requests import Request

from chassis.errors import BadRequest
from chassis.server.bodies import parse_json, read_body
from llm.wire import Asked, Assistant, ChatRequest, Developer, Message, Part, System, Tool, is_given

_LARGE_BYTES = 2**20
_LEAST_BYTES_AN_ITEM = 20
_MOST_ITEMS = 20_000
"""Messages, or parts and tools, that a request may have."""
PARTS: dict[type[Message], tuple[str, ...]] = {
    System: ("text",),
    Developer: ("text",),
    Assistant: ("text", "refusal"),
    Tool: ("text",),
}
"""Types of parts that a message may have; a user's may be of any type that an upstream understands."""
_SIGNS_OF_EMPTY = (b'""', b'"tools"', b"null")
"""Bytes of which a body with an empty field holds one; a regular expression would take half a second for 16 MB."""


async def parse(request: Request) -> Asked:
    """Parse a request. A field that is empty counts as left out, and is not passed on.

    Raises:
        BadRequest: It is no valid request; `param` names the field.
    """
    body = await read_body(request)
    _check_size(body)
    is_large = len(body) > _LARGE_BYTES  # others have their turn between two looks at it
    if is_large:
        await asyncio.sleep(0)
    body = _without_empty_fields(body)
    if is_large:
        await asyncio.sleep(0)
    wanted = await parse_json(request, ChatRequest, body=body)
    if is_large:
        await asyncio.sleep(0)
    try:
        body.decode()  # also what nobody here reads: an upstream would choke on it
    except UnicodeDecodeError as exc:
        raise BadRequest("The body is not valid UTF-8.") from exc
    for number, message in enumerate(wanted.messages):
        _check_message(message, f"messages[{number}]")
    _check_fields(wanted)
    return Asked(wanted, body)


def _without_empty_fields(body: bytes) -> bytes:
    if max(map(body.find, _SIGNS_OF_EMPTY)) < 0:
        return body
    try:
        fields: dict[str, Raw] = msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # the parser says what is wrong
    filled = {name: value for name, value in fields.items() if name == "messages" or not _is_empty(name, value)}
    if "stop" in filled:
        filled |= _without_empty_stops(filled.pop("stop"))
    return body if filled == fields else msgspec.json.encode(filled)


def _without_empty_stops(stop: Raw) -> dict[str, Raw]:
    """Return the field but for empty strings, at which an answer would end before it begins."""
    try:
        stops = msgspec.json.decode(stop, type=list[str])
    except msgspec.DecodeError:
        return {"stop": stop}
    said = [each for each in stops if each]
    if len(said) == len(stops):
        return {"stop": stop}
    return {"stop": Raw(msgspec.json.encode(said))} if said else {}


def _is_empty(name: str, value: Raw) -> bool:
    text = bytes(value)
    if name == "tools" and text.startswith(b"["):
        return not text[1:-1].strip()
    return text == b'""' or (name == "model" and text == b"null")


def _check_message(message: Message, where: str) -> None:
    content = message.content
    if isinstance(content, list):
        for number, part in enumerate(content):
            _check_part(part, f"{where}.content[{number}]", PARTS.get(type(message)))
    elif isinstance(message, Assistant) and content is None and not _says_otherwise(message):
        raise _missing(f"{where}.content")


def _says_otherwise(message: Assistant) -> bool:
    return bool(message.tool_calls or message.function_call or message.refusal or is_given(message.audio))


def _check_part(part: Part, where: str, allowed: tuple[str, ...] | None) -> None:
    if allowed is not None and part.type not in allowed:
        raise BadRequest(f"Invalid '{where}.type': expected one of {', '.join(allowed)}.", param=f"{where}.type")
    if part.type in ("text", "refusal"):
        present = getattr(part, part.type) is not None
    else:
        present = part.type not in ("image_url", "input_audio", "file") or is_given(getattr(part, part.type))
    if not present:
        raise _missing(f"{where}.{part.type}")


def _check_fields(wanted: ChatRequest) -> None:
    if wanted.stream_options is not None and not wanted.stream:
        raise BadRequest("'stream_options' is only allowed with 'stream'.", param="stream_options")
    if wanted.top_logprobs is not None and not wanted.logprobs:
        raise BadRequest("'top_logprobs' is only allowed with 'logprobs'.", param="top_logprobs")
    if isinstance(wanted.tool_choice, str) and wanted.tool_choice not in ("none", "auto", "required"):
        raise BadRequest("Invalid 'tool_choice': expected none, auto, required or an object.", param="tool_choice")
    if (form := wanted.response_format) is not None and form.type == "json_schema" and form.json_schema is None:
        raise _missing("response_format.json_schema")
    for number, tool in enumerate(wanted.tools or ()):
        if tool.type in ("function", "custom") and getattr(tool, tool.type) is None:
            raise _missing(f"tools[{number}].{tool.type}")


def _check_size(body: bytes) -> None:
    """Refuse what would keep all others waiting while it is taken apart; a quote within a text is written otherwise."""
    if (
        len(body) > _LEAST_BYTES_AN_ITEM * _MOST_ITEMS
        and max(body.count(b'"role"'), body.count(b'"type"')) > _MOST_ITEMS
    ):
        raise BadRequest(f"Invalid 'messages': more than {_MOST_ITEMS} messages, parts or tools.", param="messages")


def _missing(param: str) -> BadRequest:
    return BadRequest(f"Missing required parameter: {param!r}.", param=param)
