"""Requests for chat: exactly the fields that are read here. The rest of a request stays the bytes it came as.

Types and ranges are those of every engine; what no type can say is checked by `llm/request/parsing.py`. Vocabularies
that providers extend (kinds of parts, of tools, service tiers) are checked by the engine that acts on them.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias, TypeGuard

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from llm.answer.usage import Tally

Count: TypeAlias = Annotated[int, Meta(ge=1)]
Penalty: TypeAlias = Annotated[float, Meta(ge=-2, le=2)]
Bias: TypeAlias = Annotated[int, Meta(ge=-100, le=100)]
Stops: TypeAlias = Annotated[list[str], Meta(min_length=1, max_length=4)]
Opaque: TypeAlias = Raw | UnsetType
"""Value that is only passed on: to take it apart would cost time, and it may be made to cost much."""
Metadata: TypeAlias = Annotated[dict[str, str], Meta(max_length=16)]

_NO_MODERATION = (b"false", b'""', b"{}", b"[]", b"0", b'"none"', b'"off"')


class Part(Struct):
    """One part of a message that is not a text as a whole."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Opaque = UNSET
    input_audio: Opaque = UNSET
    file: Opaque = UNSET


Parts: TypeAlias = Annotated[list[Part], Meta(min_length=1)]
Content: TypeAlias = str | Parts


class System(Struct, tag_field="role", tag="system"):
    content: Content


class Developer(Struct, tag_field="role", tag="developer"):
    content: Content


class User(Struct, tag_field="role", tag="user"):
    content: Content
    name: str | None = None


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
    audio: Opaque = UNSET


class Tool(Struct, tag_field="role", tag="tool"):
    content: Content
    tool_call_id: str


class Function(Struct, tag_field="role", tag="function"):
    name: str
    content: str | None = None


Message: TypeAlias = System | Developer | User | Assistant | Tool | Function


class StreamOptions(Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Schema(Struct):
    name: Annotated[str, Meta(min_length=1)]
    schema: dict[str, Raw] | None = None
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
    moderation: Opaque = UNSET
    thinking: Opaque = UNSET
    enable_thinking: Opaque = UNSET
    reasoning: Opaque = UNSET
    reasoning_format: Opaque = UNSET
    chat_template_kwargs: Opaque = UNSET

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
        return self.reasoning_effort is not None or any(map(is_given, said))

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
        return is_given(self.moderation) and bytes(self.moderation) not in _NO_MODERATION

    @property
    def token_limit(self) -> int | None:
        """Stricter of the two limits that a caller may set."""
        if self.max_completion_tokens is None or self.max_tokens is None:
            return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens
        return min(self.max_completion_tokens, self.max_tokens)


class Asked(Struct, frozen=True):
    """A request that an engine is to answer."""

    wanted: ChatRequest
    body: bytes
    """The request as it came."""
    model: str | None = None
    """Model after the slash of `engine/model`, if the caller wrote one."""
    tally: Tally = field(default_factory=Tally)
    """Count of the answer's tokens, kept by the engine."""
    is_last: bool = False
    """No other model would be asked after this engine; found out for a request with tools alone."""


def is_given(value: Opaque) -> TypeGuard[Raw]:
    """Return True where the caller wrote the field, and not as null."""
    return value is not UNSET and bytes(value) != b"null"


def text_of(content: Content | None) -> str:
    """Return all words of a message."""
    if isinstance(content, list):
        return "\n".join(part.text for part in content if part.text)
    return content or ""


def said_by(kinds: type[Message] | tuple[type[Message], ...], messages: Iterable[Message]) -> list[str]:
    """Return the words of every message of these kinds, in order."""
    return [text_of(message.content) for message in messages if isinstance(message, kinds)]
