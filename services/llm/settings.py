"""LLM_*: what concerns the service, or all its upstreams, and not one engine."""

from typing import Annotated, Literal

from msgspec import Meta

from chassis import settings

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Temperature = Annotated[float, Meta(ge=0, le=2)]


class Settings(settings.Settings, frozen=True, kw_only=True):
    prefix = "LLM_"
    engines: tuple[str, ...] = ("openai", "companion")
    max_concurrent: int = 512
    """A conversation mostly waits for its upstream, so many fit in one process."""
    max_queued: int = 512
    max_body_bytes: int = 16 * 2**20
    """Pictures and sound travel inside the JSON."""
    answer_seconds: Seconds = 60.0
    """The chain's budget for an answer that is not streamed: its first byte is there when the last word is."""
    keep_alive_seconds: Seconds = 2.0
    """The longest silence on a stream: then a comment is sent, so that no client's read timeout fires."""


class RelayOptions(settings.Options, frozen=True, kw_only=True):
    """What holds for every upstream."""

    prefix = "LLM_"
    max_tokens: Count | Literal["off"] = 200
    """Sent where the caller gives no limit."""
    temperature: Temperature | Literal["off"] = 0.7
    """Sent where the caller gives none."""
    connect_seconds: Seconds = 3.0
    silence_seconds: Seconds = 30.0
    """The longest pause in the middle of a stream; then it counts as broken."""
