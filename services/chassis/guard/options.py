"""Settings of the guard."""

from pathlib import Path
from typing import Literal

from chassis.settings import Options, Seconds

HEADER = "x-talkbox-guard"
"""Header of an answer in which something did not pass: the kind of risk."""


class GuardOptions(Options, frozen=True, kw_only=True):
    """The guard: each clause that a child says, or would hear, is judged before it goes on, in every service."""

    guard: Literal["off", "kids", "shadow"] = "off"
    """`kids`: what does not pass is replaced by a kind sentence; `shadow`: it is judged, counted and named in a header,
    but passes."""
    guard_profile: str = "6-8"
    """Profile of each key: `3-5`, `6-8`, `9-12`, `teen`, the path of a file like these, or `off`. A key's name gives it
    a profile of its own: `6-8, kitchen: 3-5, parents: off`."""
    guard_lists: Path | None = None
    """Folder with lists of your own (`*.toml`), read beside those in `services/chassis/guard/lists`."""
    guard_engines: tuple[str, ...] = ("rules",)
    """Judges: `rules`, always, and rows that are asked beside them for what the rules let pass: `qwen3guard`,
    `openai-moderation`, `azure`, `aliyun`, or names of your own."""
    guard_seconds: Seconds = 0.5
    """Time that those rows have for a clause; where one does not answer in time, the rules decide, and strictly."""
    guard_webhook_url: str = ""
    """Address to which a crisis is reported: kind, side, the key's name and the time, and no word of what was said."""


class LimitsOptions(Options, frozen=True, kw_only=True):
    """How long and when a toy talks with a child, for each key, with the guard on. A crisis is answered at any time."""

    prefix = "LIMITS_"
    minutes: str = ""
    """Minutes a day: `60, kitchen: 30, parents: off`. Then llm says good-bye until midnight, by the machine's clock
    (`TZ`). Empty: no limit."""
    hours: str = ""
    """Hours in which toys talk: `7-20, kitchen: 6:30-19:30, parents: off`. Outside them llm says good night. Empty:
    always."""
    reminder_minutes: str = ""
    """Minutes without a pause after which an answer ends with a reminder to rest, and again after as many: `30,
    parents: off`. Empty: none."""
    store: str = ""
    """Place where minutes are noted, by the names of keys: a file, or `redis://host:6379` (or Valkey) for several
    machines. Empty: `limits.db` in `MODELS_DIR`."""


class GuardRowOptions(Options, frozen=True, kw_only=True):
    """A model or a service that judges beside the rules, called `<NAME>` in `GUARD_ENGINES`. `qwen3guard`,
    `openai-moderation`, `azure` (Content Safety) and `aliyun` (content security) are known, except the address of the
    first and the third and the keys."""

    prefix = "GUARD_<NAME>_"
    base_url: str = ""
    """Address of the judge: with its `/v1` for the first two dialects, `https://NAME.cognitiveservices.azure.com`, or
    `https://green-cip.REGION.aliyuncs.com`."""
    api_key: str = ""
    """Key of the judge; for `aliyun` `ACCESS_KEY_ID:ACCESS_KEY_SECRET`."""
    model: str = ""
    """Model that is asked."""
    dialect: Literal["", "qwen3guard", "moderations", "azure", "aliyun"] = ""
    """API of the judge. `qwen3guard`: a chat whose answer has the lines of Qwen3Guard; `moderations`: OpenAI's
    moderations; `azure`: Azure AI Content Safety; `aliyun`: Alibaba Cloud's TextModerationPlus for language models."""
