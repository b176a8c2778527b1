"""LLM_*: what concerns the service, not one engine."""

from typing import Annotated

from msgspec import Meta

from chassis import settings

Seconds = Annotated[float, Meta(gt=0)]


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
