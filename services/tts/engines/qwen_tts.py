"""Engine `qwen-tts`: Qwen3-TTS at Alibaba's Model Studio, over HTTP, whose events hold sound in Base64.

Source: help.aliyun.com/zh/model-studio (Qwen-TTS), and open implementations that ask it.
"""

from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineFailed
from chassis.settings import Options, read
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call, Vendor
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_URL = "https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation"
_PREFIX = "TTS_QWEN_TTS_"
_VOICES = "mul female: Cherry Serena Jennifer Katerina\nmul male: Ethan Ryan"
_MOST_CHARACTERS = 600
"""Length of the text that it takes; a longer one is refused."""


class QwenTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `qwen-tts`: voices of Qwen at Alibaba's Model Studio."""

    prefix = "DASHSCOPE_"
    api_key: tuple[str, ...] = ()
    """Key of Model Studio (Bailian), or several. Keys differ by region: see `TTS_QWEN_TTS_BASE_URL`."""
    qwen_voice: str = ""
    """Voice that is preferred: `Cherry`, `Ethan`; one of your own speaks whatever voice is asked for."""
    qwen_language: str = ""
    """Language of the text, as the service calls it (`Chinese`). Empty: it finds out."""


class _Audio(msgspec.Struct):
    data: str | None = None


class _Output(msgspec.Struct):
    audio: _Audio | None = None
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    """A piece of sound; an error has a code and no output."""

    output: _Output


class QwenTts(SoundService):
    """Qwen's voices; each reads Chinese, English and more."""

    url = _URL
    speeds = (1.0, 1.0)
    lengths = Lengths(first=200, most=_MOST_CHARACTERS)
    raw_rate = 24_000

    def __init__(self, options: QwenTtsOptions, vendor: Vendor) -> None:
        super().__init__(vendor, voices_in(_VOICES, polyglot=True), options.qwen_voice)
        self.options, self.model_name = options, vendor.options.model or "qwen3-tts-flash"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(QwenTtsOptions, own=_PREFIX)
        variables = f"{_PREFIX}MODEL or DASHSCOPE_QWEN_VOICE"
        return cls(options, Vendor(name, _PREFIX, options.api_key, "DASHSCOPE_API_KEY", model_variable=variables))

    @property
    def likeness(self) -> str:
        return f"{self.model_name} {self.options.qwen_language}"

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        asked: dict[str, Any] = {"text": text, "voice": voice.name}
        if self.options.qwen_language:
            asked["language_type"] = self.options.qwen_language
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "x-dashscope-sse": "enable"}
        return Call(_URL, headers, msgspec.json.encode({"model": self.model_name, "input": asked}))

    async def unwrapped(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.messages(reply, _Event)) as found:
            async for event in found:
                if event.output.audio is not None and event.output.audio.data:
                    yield _from_base64(event.output.audio.data)
                if event.output.finish_reason == "stop":
                    return
        raise EngineFailed("broke off before its last event")


def _from_base64(letters: str) -> bytes:
    try:
        return b64decode(letters, validate=True)
    except ValueError as exc:
        raise EngineFailed("sent sound that is no Base64") from exc
