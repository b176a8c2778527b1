"""STT_*: what the service reads from the environment. Each engine reads its own."""

from typing import Annotated

import msgspec

from chassis.settings import Count, Seconds
from chassis.settings import Settings as ServiceSettings
from stt.machine import cores


class Settings(ServiceSettings, frozen=True, kw_only=True):
    prefix = "STT_"
    engines: tuple[str, ...] = ("whisper", "sphinx")
    max_concurrent: Count = msgspec.field(default_factory=lambda: 8 * cores())
    """Whisper hears many together; an engine that cannot has a smaller limit of its own."""
    max_queued: Annotated[int, msgspec.Meta(ge=0)] = 16
    max_body_bytes: Count = 25 * 2**20
    max_seconds: Seconds = 10_800.0
    """The longest recording: as much as 25 MB hold at the 19 kbit/s of speech in Opus. It costs time, not memory."""
    language: str = ""
    """What is spoken when the caller does not say: `en`, `zh`, `Chinese`; `zh-Hans` and `zh-TW` also say in which
    characters it is written. Empty: find out."""
    languages: tuple[str, ...] = ()
    """Those that may be found by listening, which is the engine's affair; here it is the characters: `zh-Hans,en`."""
