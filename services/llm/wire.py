"""Requests for chat: exactly the fields that are read here. The rest of a request stays the bytes it came as.

Types and ranges are checked here for every engine. Vocabularies that providers extend (kinds of parts, of tools,
service tiers) are checked by the engine that acts on them.
"""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct, field
from starlette.requests import Request

from chassis.errors import BadRequest
from chassis.server.bodies import parse_json
from llm.answer.usage import Tally

Count: TypeAlias = Annotated[int, Meta(ge=1)]
Penalty: TypeAlias = Annotated[float, Meta(ge=-2, le=2)]
Bias: TypeAlias = Annotated[int, Meta(ge=-100, le=100)]
Stops: TypeAlias = Annotated[list[str], Meta(min_length=1, max_length=4)]
Opaque: TypeAlias = Raw
"""Value that is only passed on: to take it apart would cost time, and it may be made to cost much."""
_LARGE_BYTES = 2**20
_LEAST_BYTES_AN_ITEM = 20
MOST_ITEMS = 20_000
"""Messages, or parts and tools, that a request may have."""
Metadata: TypeAlias = Annotated[dict[str, str], Meta(max_length=16)]


def _null() -> Opaque:
    """Return the value of a field that was left out; a plain default could not be described in JSON Schema."""
    return Raw(b"null")


class Part(Struct):
    """One part of a message that is not a text as a whole."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Opaque = field(default_factory=_null)
    input_audio: Opaque = field(default_factory=_null)
    file: Opaque = field(default_factory=_null)


Parts: TypeAlias = Annotated[list[Part], Meta(min_length=1)]
Content: TypeAlias = str | Parts


class System(Struct, tag_field="role", tag="system"):
    content: Content


class Developer(Struct, tag_field="role", tag="developer"):
    content: Content


class User(Struct, tag_field="role", tag="user"):
    content: Content


class Called(Struct):
    name: str
    arguments: str


class ToolCall(Struct):
    id: str
    type: str = "function"
    function: Called | None = None


class Assistant(Struct, tag_field="role", tag="assistant"):
    content: Content | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Called | None = None
    refusal: str | None = None
    audio: Opaque = field(default_factory=_null)


class Tool(Struct, tag_field="role", tag="tool"):
    content: Content
    tool_call_id: str


class Function(Struct, tag_field="role", tag="function"):
    name: str
    content: str | None = None


Message: TypeAlias = System | Developer | User | Assistant | Tool | Function

PARTS: dict[type[Message], tuple[str, ...]] = {
    System: ("text",),
    Developer: ("text",),
    Assistant: ("text", "refusal"),
    Tool: ("text",),
}
"""Types of parts that a message may have; a user's may be of any type that an upstream understands."""


_SIGNS_OF_EMPTY = (b'""', b'"tools"', b"null")
"""Bytes of which a body with an empty field holds one; a regular expression would take half a second for 16 MB."""


class StreamOptions(Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Schema(Struct):
    name: Annotated[str, Meta(min_length=1)]
    schema: dict[str, Opaque] | None = None
    strict: bool | None = None
    description: str | None = None


class ResponseFormat(Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None


class ToolName(Struct):
    name: Annotated[str, Meta(min_length=1)]


class ToolOffer(Struct):
    type: str
    function: ToolName | None = None
    custom: ToolName | None = None


class ToolChoice(Struct):
    type: str


class ChatRequest(Struct):
    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str = ""
    """Empty: the chain."""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Count | None = None
    max_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | Stops | None = None
    response_format: ResponseFormat | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: str | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: dict[str, Bias] | None = None
    user: str | None = None
    safety_identifier: Annotated[str, Meta(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    metadata: Metadata | None = None
    store: bool | None = None
    service_tier: str | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    modalities: list[str] | None = None
    moderation: Opaque = field(default_factory=_null)
    thinking: Opaque = field(default_factory=_null)
    enable_thinking: Opaque = field(default_factory=_null)
    reasoning: Opaque = field(default_factory=_null)
    reasoning_format: Opaque = field(default_factory=_null)
    chat_template_kwargs: Opaque = field(default_factory=_null)

    @property
    def asks_for_thoughts(self) -> bool:
        """True where the caller says anything of thinking, in any provider's words."""
        said = (
            self.thinking,
            self.enable_thinking,
            self.reasoning,
            self.reasoning_format,
            self.chat_template_kwargs,
        )
        return self.reasoning_effort is not None or any(map(_is_given, said))

    @property
    def wants_usage(self) -> bool:
        """True where the caller wants usage at the end of a stream."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    def is_prose(self) -> bool:
        """True where the answer is words, and not JSON."""
        return self.response_format is None or self.response_format.type == "text"

    @property
    def asks_for_moderation(self) -> bool:
        """True where the caller wants the answer moderated."""
        return bytes(self.moderation) not in (b"null", b"false", b'""', b"{}", b"[]", b"0", b'"none"', b'"off"')

    @property
    def token_limit(self) -> int | None:
        """Stricter of the two limits that a caller may set."""
        limits = [limit for limit in (self.max_completion_tokens, self.max_tokens) if limit is not None]
        return min(limits, default=None)


class Asked(Struct, frozen=True):
    """A request that an engine is to answer."""

    wanted: ChatRequest
    body: bytes
    """The request as it came."""
    model: str | None = None
    """Model after the slash of `engine/model`, if the caller wrote one."""
    tally: Tally = field(default_factory=Tally)
    """Count of the answer's tokens, kept by the engine."""


async def parse(request: Request) -> Asked:
    """Parse a request. A field that is empty counts as left out, and is not passed on.

    Raises:
        BadRequest: It is no valid request; `param` names the field.
    """
    body = await request.body()
    _check_size(body)
    await _step_aside(body)
    body = _without_empty_fields(body)
    await _step_aside(body)
    wanted = await parse_json(request, ChatRequest, body=body)
    await _step_aside(body)
    try:
        body.decode()  # also what nobody here reads: an upstream would choke on it
    except UnicodeDecodeError as exc:
        raise BadRequest("The body is not valid UTF-8.") from exc
    for number, message in enumerate(wanted.messages):
        _check_message(message, f"messages[{number}]")
    _check_fields(wanted)
    return Asked(wanted, body)


async def _step_aside(body: bytes) -> None:
    """Let other callers have a turn between two looks at a large body."""
    if len(body) > _LARGE_BYTES:
        await asyncio.sleep(0)


def _without_empty_fields(body: bytes) -> bytes:
    if not any(sign in body for sign in _SIGNS_OF_EMPTY):
        return body
    try:
        fields: dict[str, Raw] = msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # the parser says what is wrong
    filled = {name: value for name, value in fields.items() if name == "messages" or not _is_empty(name, value)}
    return body if len(filled) == len(fields) else msgspec.json.encode(filled)


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
    return bool(message.tool_calls or message.function_call or message.refusal or _is_given(message.audio))


def _check_part(part: Part, where: str, allowed: tuple[str, ...] | None) -> None:
    if allowed is not None and part.type not in allowed:
        raise BadRequest(f"Invalid '{where}.type': expected one of {', '.join(allowed)}.", param=f"{where}.type")
    if part.type in ("text", "refusal"):
        is_given = getattr(part, part.type) is not None
    else:
        is_given = part.type not in ("image_url", "input_audio", "file") or _is_given(getattr(part, part.type))
    if not is_given:
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


def _is_given(value: Opaque) -> bool:
    return bytes(value) != b"null"


def _check_size(body: bytes) -> None:
    """Refuse what would keep all others waiting while it is taken apart; a quote within a text is written otherwise."""
    if len(body) > _LEAST_BYTES_AN_ITEM * MOST_ITEMS and max(body.count(b'"role"'), body.count(b'"type"')) > MOST_ITEMS:
        raise BadRequest(f"Invalid 'messages': more than {MOST_ITEMS} messages, parts or tools.", param="messages")


def _missing(param: str) -> BadRequest:
    return BadRequest(f"Missing required parameter: {param!r}.", param=param)


def text_of(content: Content | None) -> str:
    """Return all words of a message."""
    if isinstance(content, list):
        return "\n".join(part.text for part in content if part.text)
    return content or ""


def said_by(kinds: type[Message] | tuple[type[Message], ...], messages: Iterable[Message]) -> list[str]:
    """Return the words of every message of these kinds, in order."""
    return [text_of(message.content) for message in messages if isinstance(message, kinds)]
