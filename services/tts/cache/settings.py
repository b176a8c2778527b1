"""Define the settings of what tts keeps: `TTS_CACHE`, `TTS_CACHE_DIR` …"""

from typing import Annotated, Literal

from msgspec import Meta

from chassis.settings import Options

Megabytes = Annotated[int, Meta(ge=0)]


class CacheOptions(Options, frozen=True, kw_only=True):
    """Answers that are kept, so that the same words are not synthesised twice."""

    prefix = "TTS_"
    cache: bool = True
    """`off`: nothing is kept, and nothing is shared between callers."""
    cache_apart: Literal["auto", "on", "off"] = "auto"
    """`on`: each key has its own answers, so that none learns by a quick answer what another had spoken. `off`: what
    one had spoken is there for all, which suits a house whose toys have a key each. `auto`: on where there are several
    keys, or a file of keys that may get more."""
    cache_mb: Megabytes = 64
    """Memory for answers, in each process."""
    cache_dir: str = ""
    """Folder for answers that shall outlast a restart; several processes and machines may share it. Empty: no answer is
    ever written to disk."""
    cache_dir_mb: Megabytes = 1024
    """Size of that folder."""
    cache_days: Annotated[float, Meta(gt=0)] = 30.0
    """Days after which an answer is made anew."""
