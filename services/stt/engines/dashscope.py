"""Engine `dashscope`: Qwen3-ASR-Flash at Alibaba's Model Studio, over its chat of OpenAI's dialect.

Source: help.aliyun.com/zh/model-studio (Qwen ASR).
"""

from functools import partial
from typing import Any, Self

import msgspec

from chassis.chain.seat import Report
from chassis.settings import Options, read
from chassis.upstream.vendor import Call, Vendor
from stt.text_service import Clip, TextService

_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions"
_PREFIX = "STT_DASHSCOPE_"


class DashscopeAsrOptions(Options, frozen=True, kw_only=True):
    """The engine `dashscope`: Alibaba's Model Studio."""

    prefix = "DASHSCOPE_"
    api_key: tuple[str, ...] = ()
    """Key of Model Studio (Bailian), or several. Keys differ by region: see `STT_DASHSCOPE_BASE_URL`."""


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: tuple[_Choice, ...]


class Dashscope(TextService):
    """Recognition of up to five minutes."""

    url = _URL
    format = "mp3"
    most_seconds = 300.0

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._model = vendor.options.model or "qwen3-asr-flash"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls(Vendor(name, _PREFIX, read(DashscopeAsrOptions, own=_PREFIX).api_key, "DASHSCOPE_API_KEY"))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        answer = await self.answer(clip, partial(self._call, clip), _Completion)
        return " ".join(choice.message.content for choice in answer.choices[:1]), clip.hints.language

    def _call(self, clip: Clip, key: str) -> Call:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return Call(_URL, headers, msgspec.json.encode(self._body(clip)))

    def _body(self, clip: Clip) -> dict[str, Any]:
        hints = clip.hints
        sound = {"data": f"data:{clip.media_type};base64,{clip.base64}"}
        messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "input_audio", "input_audio": sound}]}]
        if context := " ".join(filter(None, (", ".join(hints.hotwords), hints.prompt))):
            messages.insert(0, {"role": "system", "content": [{"text": context}]})
        options = {"enable_itn": True} | ({"language": hints.language} if hints.language else {})
        return {"model": self._model, "messages": messages, "stream": False, "asr_options": options}
