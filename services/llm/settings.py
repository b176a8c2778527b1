"""LLM_*: what concerns the service, or all its upstreams, and not one engine."""

from typing import Annotated, Literal

from msgspec import Meta

from chassis import settings
from chassis.settings import Count, Seconds

MEMORY = "memory://"
Temperature = Annotated[float, Meta(ge=0, le=2)]


class Settings(settings.Settings, frozen=True, kw_only=True):
    prefix = "LLM_"
    engines: tuple[str, ...] = ("openai", "companion")
    max_concurrent: Count = 512
    """A conversation mostly waits for its upstream, so many fit in one process."""
    max_queued: Annotated[int, Meta(ge=0)] = 512
    max_body_bytes: Count = 16 * 2**20
    """Pictures and sound travel inside the JSON."""
    answer_seconds: Seconds = 60.0
    """The chain's budget for an answer that is not streamed: its first byte is there when the last word is."""
    turn_seconds: Seconds | Literal["off"] = "off"
    """The longest a streamed turn may last, to its last word."""
    for_the_ear: bool = False
    """Who would get an error hears in words that there is no answer. (What else it does: `RelayOptions`.)"""
    key_requests: str = ""
    """What each key may ask, such as `20/minute; 500/day`; `, kitchen: 100/minute` gives that one its own."""
    key_tokens: str = ""
    """What each key may cost, such as `20000/day`."""
    budgets_url: str = MEMORY
    """Where that is counted: `redis://host:6379` where replicas share it."""
    keep_alive_seconds: Seconds = 2.0
    """The longest silence on a stream: then a comment is sent, so that no client's read timeout fires."""


OPENING = (
    "What you say is heard, not read: begin with a short first clause, speak in plain sentences, "
    "and use no markdown, lists, emoji or headings."
)


class RelayOptions(settings.Options, frozen=True, kw_only=True):
    """What holds for every upstream; `LLM_<NAME>_…` is the same for one alone."""

    prefix = "LLM_"
    max_tokens: Count | Literal["off"] = 200
    """Sent where the caller gives no limit."""
    temperature: Temperature | Literal["off"] = 0.7
    """Sent where the caller gives none."""
    connect_seconds: Seconds = 3.0
    silence_seconds: Seconds = 30.0
    """The longest pause in the middle of a stream; then it counts as broken."""
    for_the_ear: bool = False
    """Answers are to be heard: no thoughts, no markdown, a short beginning."""
    thinking: Literal["show", "aside", "hide", "off"] | None = None
    """`aside`: taken out of what is said, though not out of a field of their own; `hide`: out of both; `off`: also
    switched off where the upstream has a switch. Unset: `off` for the ear, else `aside`. A caller who asks for thoughts
    gets them, unless it is for the ear."""
    opening: str = OPENING
    """Told to the model where it is for the ear; `off`: nothing."""
    system_prompt: str = ""
    """Told to the model beside what the role says of itself."""
    system_prompt_place: Literal["before", "after"] = "before"
    history_tokens: Count | None = None
    """About how much of a conversation is sent; what is older is left out."""
    extra: str = ""
    """Fields sent where the caller says nothing of them, as a JSON object."""

    @property
    def thoughts(self) -> Literal["show", "aside", "hide", "off"]:
        return self.thinking or ("off" if self.for_the_ear else "aside")


class LimitOptions(settings.Options, frozen=True, kw_only=True):
    """How much one upstream is asked for."""

    prefix = "LLM_<NAME>_"
    concurrent: Count | None = None
    """Answers at a time; who comes in excess is answered by the next engine."""
    rate: str = ""
    """Requests in a time, such as `60/minute; 1000/day`; the same."""
