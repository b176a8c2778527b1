"""Names and ranges that folotoy-server documents for roles.json, and those of Talkbox's engines."""

from __future__ import annotations

import re

from deploy.installation import SERVICES

NUMBERS = tuple("1234567")
TYPES = {
    "stt": [
        "openai-whisper",
        "azure-stt",
        "azure-whisper",
        "dify-stt",
        "aliyun-asr",
        "volcengine-asr",
        "cf-workers-ai-asr",
    ],
    "llm": [
        "openai",
        "azure-openai",
        "gemini",
        "dify",
        "coze",
        "fastgpt",
        "qianfan",
        "deepseek",
        "moonshot",
        "zhipu",
        "lingyiwanwu",
        "groq",
        "anthropic",
        "dashscope",
        "minimax",
        "spark-desk",
        "volcengine",
        "ollama",
        "aws-bedrock",
        "cf-workers-ai",
        "xiaodu",
    ],
    "tts": [
        "openai-tts",
        "azure-tts",
        "azure-openai-tts",
        "elevenlabs",
        "edge-tts",
        "aliyun-tts",
        "dify-tts",
        "volcengine-tts",
        "minimax-tts",
        "siliconflow-tts",
        "inworld-tts",
    ],
}
OURS = {"stt": "openai-whisper", "llm": "openai", "tts": "openai-tts"}
"""Types that speak OpenAI's API, and so can use Talkbox."""
FIELDS = {
    "stt": ["api_base", "key", "model", "language", "prompt"],
    "llm": ["api_base", "key", "model", "max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty"],
    "tts": ["api_base", "key", "model", "voice_name", "speed"],
}
FLAT = {
    "stt": ("language",),
    "llm": ("temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty"),
    "tts": ("voice_name", "speed"),
}
"""Older keys on the role itself, by the service that they are for; `model` is for none in particular."""
ROLE_KEYS = [
    *("start_text", "prompt", "system_prompt", "send_initial_messages", "max_message_count", "model"),
    *(f"{service}_{end}" for service in SERVICES for end in ("type", "config")),
    *(key for keys in FLAT.values() for key in keys),
]
ALIASES = {"api_key": "key", "base_url": "api_base", "voice": "voice_name", "voice_id": "voice_name"}
ALIASES.update({f"{service}_model": "model" for service in SERVICES}, sst_config="stt_config", sst_type="stt_type")
RANGES = {
    "speed": (0.25, 4.0),
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
}
PINNED = {"stt": "sphinx", "llm": "companion", "tts": "espeak"}
LAST_RESORTS = {
    "sphinx": "English only",
    "companion": "a rule talker",
    "espeak": "a robot's voice",
    "flite": "a plain voice, English only",
}
ENGINES = {
    "stt": ("whisper", "sensevoice", "sphinx"),
    "llm": ("local", "ollama", "companion"),
    "tts": ("edge", "hibari", "flite", "sherpa", "espeak"),
}
OPENAI_VOICES = [
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
]
PLACEHOLDER = re.compile(
    r"^(your|sk-)?[-_ ]?(a{4,}|x{3,}|your.*|\*+|\.\.\.)$|your[-_ ]?(api[-_ ]?)?key|^sk-(a{4,}|x{3,})", re.I
)
LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0", "::1")
