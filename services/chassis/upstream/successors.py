"""Names of models that their vendors have ended or will end, and the names to ask for instead.

This file is data alone: `model_names` reads it. A new line takes the day on which the vendor stops answering to a name,
what the vendor recommends in its place (the small and quick one where there are several: a toy waits), and the page
that says so. `CHECKED` is the day on which the pages were read last.
"""

from datetime import date
from typing import NamedTuple

CHECKED = date(2026, 11, 30)

HOSTS: dict[str, tuple[str, ...]] = {
    "openai": ("api.openai.com",),
    "deepseek": ("api.deepseek.com",),
    "moonshot": ("api.moonshot.cn", "api.moonshot.ai"),
    "groq": ("api.groq.com",),
    "gemini": ("generativelanguage.googleapis.com",),
    "dashscope": ("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "dashscope-us.aliyuncs.com"),
    "zhipu": ("open.bigmodel.cn", "api.z.ai"),
    "anthropic": ("api.anthropic.com",),
    "xai": ("api.x.ai",),
}
"""Hosts at which each vendor itself answers: only there does a date say that a name is gone."""


class Ending(NamedTuple):
    """One name, the last day of its life, and the name that follows it."""

    name: str
    vendor: str
    day: date
    successor: str | None
    """Name of the model that took its place; None where the vendor offers nothing of the kind any more."""
    source: str


class _Group(NamedTuple):
    vendor: str
    day: date
    successor: str | None
    source: str
    names: tuple[str, ...]


_OPENAI = "https://developers.openai.com/api/docs/deprecations"
_DEEPSEEK = "https://api-docs.deepseek.com/updates"
_MOONSHOT = "https://platform.kimi.com/docs (announcements of 2026)"
_GROQ = "https://console.groq.com/docs/deprecations"
_GEMINI = "https://ai.google.dev/gemini-api/docs/deprecations"
_DASHSCOPE = "https://help.aliyun.com/en/model-studio/model-depreciation"
_ZHIPU = "https://docs.bigmodel.cn/cn/guide/start/model-overview"
_XAI = "https://docs.x.ai/docs/migration/may-15-retirement"
_ANTHROPIC = "https://platform.claude.com/docs/en/about-claude/model-deprecations"

_GROUPS = (
    _Group("openai", date(2026, 2, 17), "gpt-6-luna", _OPENAI, ("chatgpt-4o-latest",)),
    _Group(
        "openai",
        date(2026, 10, 23),
        "gpt-6-luna",  # OpenAI recommends gpt-5.6-terra and -luna; this one is cheaper, and lives longer
        _OPENAI,
        ("gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-3.5-turbo-1106", "gpt-4.1-nano", "gpt-4.1-nano-2025-04-14"),
    ),
    _Group(
        "openai",
        date(2026, 10, 23),
        "gpt-5.6-sol",
        _OPENAI,
        (
            *("gpt-4", "gpt-4-0613", "gpt-4-1106-preview", "gpt-4-turbo", "gpt-4-turbo-2024-04-09"),
            *("gpt-4o-2024-05-13", "o1", "o1-2024-12-17", "o3-mini", "o3-mini-2025-01-31"),
        ),
    ),
    _Group("openai", date(2026, 10, 23), "gpt-5.6-terra", _OPENAI, ("o4-mini", "o4-mini-2025-04-16")),
    _Group("openai", date(2026, 12, 11), "gpt-6.1-sol", _OPENAI, ("gpt-5", "gpt-5-2025-08-07", "o3", "o3-2025-04-16")),
    _Group("openai", date(2026, 12, 11), "gpt-6.1-terra", _OPENAI, ("gpt-5-mini", "gpt-5-mini-2025-08-07")),
    _Group("openai", date(2026, 12, 11), "gpt-6-luna", _OPENAI, ("gpt-5-nano", "gpt-5-nano-2025-08-07")),
    _Group(
        "openai",
        date(2027, 1, 14),
        "gpt-6-luna",
        _OPENAI,
        (
            *("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
            *("gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
        ),
    ),
    _Group(
        "openai",
        date(2027, 1, 6),
        None,
        _OPENAI,
        ("tts-1", "tts-1-1106", "tts-1-hd", "tts-1-hd-1106", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"),
    ),
    _Group(
        "openai",
        date(2027, 2, 26),
        "gpt-transcribe",
        _OPENAI,
        ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"),
    ),
    _Group("openai", date(2026, 7, 23), "gpt-5.5", _OPENAI, ("gpt-5-chat-latest", "gpt-5.1-chat-latest")),
    _Group("openai", date(2026, 8, 10), "gpt-5.5", _OPENAI, ("gpt-5.2-chat-latest", "gpt-5.3-chat-latest")),
    # Both pages that name this day name no successor that could be read: these are those of gpt-5 and of gpt-5-nano.
    _Group("openai", date(2027, 4, 1), "gpt-6.1-sol", _OPENAI, ("gpt-5.1", "gpt-5.1-2025-11-13")),
    _Group("openai", date(2027, 4, 1), "gpt-6-luna", _OPENAI, ("gpt-5.4-nano",)),
    _Group("deepseek", date(2026, 7, 24), "deepseek-flash", _DEEPSEEK, ("deepseek-chat", "deepseek-reasoner")),
    _Group(
        "moonshot",
        date(2026, 5, 25),
        "kimi-k3",
        _MOONSHOT,
        (
            *("kimi-k2", "kimi-k2-0711-preview", "kimi-k2-0905-preview", "kimi-k2-turbo-preview"),
            *("kimi-k2-thinking", "kimi-k2-thinking-turbo", "kimi-latest"),
        ),
    ),
    _Group(
        "moonshot",
        date(2026, 8, 31),
        "kimi-k3",
        _MOONSHOT,
        (
            *("moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k", "moonshot-v1-auto", "kimi-k2.5"),
            *(f"moonshot-v1-{size}-vision-preview" for size in ("8k", "32k", "128k")),
        ),
    ),
    _Group(
        "moonshot",
        date(2026, 12, 31),
        "kimi-k3",
        _MOONSHOT,
        ("kimi-k2.6", "kimi-k2.7-code", "kimi-k2.7-code-highspeed"),
    ),
    _Group("groq", date(2025, 3, 20), "openai/gpt-oss-20b", _GROQ, ("mixtral-8x7b-32768",)),
    _Group("groq", date(2025, 8, 30), "openai/gpt-oss-20b", _GROQ, ("llama3-8b-8192",)),
    _Group("groq", date(2025, 8, 30), "openai/gpt-oss-120b", _GROQ, ("llama3-70b-8192",)),
    _Group("groq", date(2025, 10, 8), "openai/gpt-oss-20b", _GROQ, ("gemma2-9b-it",)),
    _Group("groq", date(2026, 8, 16), "openai/gpt-oss-20b", _GROQ, ("llama-3.1-8b-instant",)),
    _Group("groq", date(2026, 8, 16), "openai/gpt-oss-120b", _GROQ, ("llama-3.3-70b-versatile",)),
    _Group("groq", date(2025, 8, 23), "whisper-large-v3-turbo", _GROQ, ("distil-whisper-large-v3-en",)),
    _Group(
        "gemini",
        date(2026, 6, 1),
        "gemini-3.5-flash-lite",
        _GEMINI,
        ("gemini-2.0-flash", "gemini-2.0-flash-001", "gemini-2.0-flash-lite", "gemini-2.0-flash-lite-001"),
    ),
    _Group(
        "gemini",
        date(2025, 9, 29),
        "gemini-3.5-flash-lite",
        _GEMINI,
        ("gemini-1.5-flash", "gemini-1.5-pro", "gemini-pro"),
    ),
    _Group("gemini", date(2026, 12, 1), "gemini-3.8-flash", _GEMINI, ("gemini-2.5-pro",)),
    _Group("gemini", date(2026, 12, 1), "gemini-3.5-flash-lite", _GEMINI, ("gemini-2.5-flash",)),
    _Group("dashscope", date(2026, 10, 10), "qwen-flash", _DASHSCOPE, ("qwen-turbo", "qwen-turbo-latest")),
    _Group("dashscope", date(2026, 10, 10), "qwen-plus", _DASHSCOPE, ("qwq-plus",)),
    _Group("dashscope", date(2026, 10, 10), "qwen3.7-plus", _DASHSCOPE, ("qwen-vl-max", "qwen-vl-plus", "qvq-max")),
    _Group("dashscope", date(2026, 3, 30), "qwen3-asr-flash", _DASHSCOPE, ("qwen-audio-asr", "qwen-audio-asr-latest")),
    _Group("zhipu", date(2026, 1, 30), "glm-4.7-flash", _ZHIPU, ("glm-4.5-flash",)),
    _Group("anthropic", date(2025, 7, 21), "claude-haiku-4-5", _ANTHROPIC, ("claude-2.1", "claude-3-sonnet-20240229")),
    _Group("anthropic", date(2026, 1, 5), "claude-haiku-4-5", _ANTHROPIC, ("claude-3-opus-20240229",)),
    _Group(
        "anthropic",
        date(2025, 10, 28),
        "claude-sonnet-4-6",
        _ANTHROPIC,
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-latest"),
    ),
    _Group(
        "anthropic",
        date(2026, 2, 19),
        "claude-haiku-4-5",
        _ANTHROPIC,
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest"),
    ),
    _Group(
        "anthropic",
        date(2026, 2, 19),
        "claude-sonnet-4-6",
        _ANTHROPIC,
        ("claude-3-7-sonnet-20250219", "claude-3-7-sonnet-latest"),
    ),
    _Group("anthropic", date(2026, 4, 20), "claude-haiku-4-5", _ANTHROPIC, ("claude-3-haiku-20240307",)),
    _Group(
        "anthropic",
        date(2026, 6, 15),
        "claude-sonnet-4-6",
        _ANTHROPIC,
        ("claude-sonnet-4-20250514", "claude-sonnet-4-0"),
    ),
    _Group(
        "anthropic", date(2026, 6, 15), "claude-opus-4-8", _ANTHROPIC, ("claude-opus-4-20250514", "claude-opus-4-0")
    ),
    _Group(
        "anthropic", date(2026, 8, 5), "claude-opus-4-8", _ANTHROPIC, ("claude-opus-4-1-20250805", "claude-opus-4-1")
    ),
    _Group(
        "anthropic",
        date(2026, 11, 30),
        "claude-sonnet-5-5",
        _ANTHROPIC,
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
    ),
    _Group(
        "xai",
        date(2026, 5, 15),
        "grok-4.3",
        _XAI,
        (
            *("grok-3", "grok-4-0709", "grok-4-fast-reasoning", "grok-4-fast-non-reasoning"),
            *("grok-4-1-fast-reasoning", "grok-4-1-fast-non-reasoning"),
        ),
    ),
    _Group(
        "anthropic", date(2027, 1, 22), "claude-opus-5-5", _ANTHROPIC, ("claude-opus-4-5-20251101", "claude-opus-4-5")
    ),
)

ENDINGS: dict[str, Ending] = {
    name: Ending(name, group.vendor, group.day, group.successor, group.source)
    for group in _GROUPS
    for name in group.names
}
