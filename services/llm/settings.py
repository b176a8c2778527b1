"""Settings of the service and of all its upstreams."""

from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chassis.settings import Count, Options, Seconds, ServiceSettings, SettingError

Temperature = Annotated[float, Meta(ge=0, le=2)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Settings of the service itself."""

    prefix = "LLM_"
    engines: tuple[str, ...] = ("openai", "companion")
    max_concurrent: Count = 512
    """A conversation mostly waits for its upstream, so many fit in one process."""
    max_queued: Annotated[int, Meta(ge=0)] = 512
    max_body_bytes: Count = 16 * 2**20
    """Pictures and sound travel inside the JSON."""
    answer_seconds: Seconds = 60.0
    """Time for the whole chain to an answer that is not streamed: such an answer begins when its last word is there.
    For the ear, only an engine that has begun within the first-byte budget has it."""
    turn_seconds: Seconds | Literal["off"] = "off"
    """Longest duration of a streamed turn, to its last word."""
    for_the_ear: bool = False
    """`on`: answers are made to be spoken: no thoughts, no markdown, no stage directions, a short first clause; and a
    failure is answered with a spoken sentence instead of an error."""
    filler_seconds: Seconds | Literal["off"] = "off"
    """Silence after which a stream for the ear says a short sentence ("Let me think."), while the answer is awaited."""
    key_tokens: str = ""
    """Tokens, asked and answered, that each key may use: `20000/day`. Empty: no limit."""
    keep_alive_seconds: Seconds = 2.0
    """Longest silence on a stream; then a comment is sent, so that no client's read timeout fires."""

    @property
    def silence_before_filler(self) -> float | None:
        """Silence after which a sentence fills it; None: none does."""
        return None if self.filler_seconds == "off" or not self.for_the_ear else self.filler_seconds


OPENING = (
    "What you say is heard, not read: begin with a short first clause, speak in plain sentences, "
    "and use no markdown, lists, emoji or headings."
)


class RelayOptions(Options, frozen=True, kw_only=True):
    """Requests to every upstream. `LLM_<NAME>_…` in place of `LLM_…` sets the same for one upstream alone:
    `LLM_<NAME>_TEMPERATURE`, `LLM_<NAME>_EXTRA`."""

    prefix = "LLM_"
    max_tokens: Count | Literal["off"] = 200
    """Limit sent if the caller gives none; `off`: none is sent."""
    temperature: Temperature | Literal["off"] = 0.7
    """Temperature sent if the caller gives none; `off`: none is sent."""
    connect_seconds: Seconds = 3.0
    """Time to connect to an upstream: name, connection and TLS together."""
    silence_seconds: Seconds = 30.0
    """Longest pause in the middle of a stream; after it the stream counts as broken."""
    for_the_ear: bool = False
    """`on`: answers are made to be spoken: no thoughts, no markdown, a short first clause."""
    thinking: Literal["show", "aside", "hide", "off"] | None = None
    """Treatment of a model's thoughts. `show`: they stay in the answer; `aside`: only a field of their own keeps them;
    `hide`: they are removed; `off`: and thinking is switched off, if the upstream has a switch. Unset: `off` for the
    ear, else `aside`. A caller who asks for thoughts gets them, except for the ear."""
    opening: str = OPENING
    """Instruction to the model for the ear; `off`: none."""
    system_prompt: str = ""
    """System prompt for every model, beside the role's own."""
    system_prompt_place: Literal["before", "after"] = "before"
    """Place of that prompt: `before` or `after` the role's own."""
    history_tokens: Count | None = None
    """Approximate number of tokens of a conversation that are sent; older exchanges are left out. Unset: all."""
    extra: str = ""
    """JSON object with fields that are sent if the caller does not set them."""

    @property
    def thoughts(self) -> Literal["show", "aside", "hide", "off"]:
        return self.thinking or ("off" if self.for_the_ear else "aside")


class FoloToyRelayOptions(Options, frozen=True, kw_only=True):
    """FoloToy's names for the same: `MOONSHOT_MAX_TOKENS`, `OPENAI_OPENAI_TEMPERATURE`. `LLM_<NAME>_…` wins over them,
    and they over `LLM_…`."""

    prefix = "<TYPE>_"
    max_tokens: Count | None = None
    """Limit sent if the caller gives none."""
    temperature: Temperature | None = None
    """Temperature sent if the caller gives none."""
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Share of the likeliest words among which the model chooses, sent if the caller gives none."""
    frequency_penalty: Penalty | None = None
    """Sent if the caller gives none."""
    presence_penalty: Penalty | None = None
    """Sent if the caller gives none."""
    read_thought_enabled: bool | None = None
    """`on`: as `LLM_<NAME>_THINKING=show`; `off`: as `off`."""


@lru_cache
def fields_of(extra: str) -> MappingProxyType[str, Any]:
    """Return the fields in LLM_EXTRA, read once.

    Raises:
        SettingError: It is no JSON object.
    """
    try:
        fields: dict[str, Any] = msgspec.json.decode(extra or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise SettingError(f"LLM_EXTRA: not a JSON object ({exc}).") from exc
    return MappingProxyType(fields)
