"""Settings of the service, `STT_…`. Each engine reads its own."""

from typing import Annotated

import msgspec

from chassis.settings import Count, Seconds, ServiceSettings
from chassis.threads import cores


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Settings of the service itself."""

    prefix = "STT_"
    engines: tuple[str, ...] = ("whisper", "sphinx")
    max_concurrent: Count = msgspec.field(default_factory=lambda: 8 * cores())
    """Whisper transcribes many together; an engine that cannot has a smaller limit of its own."""
    max_queued: Annotated[int, msgspec.Meta(ge=0)] = 16
    max_body_bytes: Count = 25 * 2**20
    max_seconds: Seconds = 10_800.0
    """Length of the longest recording; the default is as much as 25 MB hold at the 19 kbit/s of speech in Opus. Length
    costs time, not memory."""
    key_seconds: str = ""
    """Seconds of sound that each key may have heard: `600/day`; by names as `STT_KEY_REQUESTS`. A begun second counts
    as a whole one. Empty: no limit."""
    language: str = ""
    """Language of recordings whose caller names none: `zh`, `en` …; `zh-Hans`, `zh-Hant`, `zh-TW` and `zh-HK` also
    choose the characters, which are simplified ones by default. Empty: detected."""
    languages: tuple[str, ...] = ()
    """The only languages that may be detected: `zh,en`; `zh-Hant,en` also chooses the characters. A single one counts
    as stated. Empty: any."""
