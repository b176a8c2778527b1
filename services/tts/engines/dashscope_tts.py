"""Engine `dashscope`: CosyVoice and Qwen-Audio-TTS at Alibaba's Model Studio, over the WebSocket of its tasks.

Source: help.aliyun.com/zh/model-studio (CosyVoice WebSocket API, CosyVoice voice list, Qwen-Audio-TTS voice list).
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self
from uuid import uuid4

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineFailed, EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.leniency import Unexpected, decoded
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.vendor import Call, Vendor
from tts import sound_service
from tts.sockets import Socket, Sockets
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_URL = "wss://dashscope.aliyuncs.com/api-ws/v1/inference"
_PREFIX = "TTS_DASHSCOPE_"
_VOICES = {
    "cosyvoice-v3-": "mul female: longanhuan longhuhu_v3\nmul male: longanyang",
    "cosyvoice-v2": """
mul female: longxiaochun_v2 longwan_v2 longxiaoxia_v2 longhua_v2 loongbella_v2
mul male: longcheng_v2 longshu_v2
""",
    "qwen-audio-3.0-tts-flash": "mul female: longanlingxi longanxiaoxin longanfengyue",
    "qwen-audio-3.0-tts-plus": "mul female: longanlingxin\nmul male: longanlufeng",
}
"""Voices by the start of the names of the models that have them; no other model can say a word with them. Each
reads Chinese and English."""


class DashscopeTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `dashscope`: voices of Alibaba's Model Studio."""

    prefix = "DASHSCOPE_"
    api_key: tuple[str, ...] = ()
    """Key of Model Studio (Bailian), or several. Keys differ by region: see `TTS_DASHSCOPE_BASE_URL`."""
    tts_voice: str = ""
    """Voice that is preferred among those of the model; one of your own speaks whatever voice is asked for."""
    tts_instruction: str = ""
    """Manner of speaking in the form that the voice takes: `你说话的情感是happy。`."""


class _Task(Call, frozen=True):
    """Task of one clause; `body` is the message that begins it."""

    task_id: str = ""
    text: str = ""

    def message(self, action: str, payload: dict[str, Any]) -> str:
        header = {"action": action, "task_id": self.task_id, "streaming": "duplex"}
        return msgspec.json.encode({"header": header, "payload": payload}).decode()


class _Header(msgspec.Struct):
    event: str = ""
    error_code: str = ""
    error_message: str = ""


class _Event(msgspec.Struct):
    """Anything that comes as text."""

    header: _Header


class DashscopeTts(SoundService):
    """Model Studio's voices: `longanyang`, `longxiaochun_v2`."""

    url = _URL
    lengths = Lengths(first=400, most=1_200)  # it sends sound while it makes more
    raw_rate = 24_000
    voice_names = re.compile(r"loo?ng[a-z]+(?:_v[\d.]+)?|(?:cosyvoice|qwen)-[\w.-]+")

    def __init__(self, options: DashscopeTtsOptions, vendor: Vendor) -> None:
        self.options, self.model_name = options, vendor.options.model or "cosyvoice-v3-flash"
        if re.match(r"qwen\d?-tts", self.model_name):
            raise EngineUnavailable(f"{self.model_name} is asked over HTTP: put qwen-tts in the chain, not dashscope.")
        table = next((_VOICES[start] for start in _VOICES if self.model_name.startswith(start)), "")
        if not table and not options.tts_voice:
            raise EngineUnavailable(f"Set DASHSCOPE_TTS_VOICE: no voices of {self.model_name} are known.")
        super().__init__(vendor, voices_in(table), options.tts_voice)
        self._sockets = Sockets(vendor)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(DashscopeTtsOptions, own=_PREFIX)
        variables = "TTS_DASHSCOPE_MODEL or DASHSCOPE_TTS_VOICE"
        return cls(options, Vendor(name, _PREFIX, options.api_key, "DASHSCOPE_API_KEY", model_variable=variables))

    @property
    def likeness(self) -> str:
        return f"{self.model_name} {self.options.tts_instruction}"

    def call(self, key: str, text: str, voice: Voice, speed: float) -> _Task:
        task = _Task(_URL, {"authorization": f"Bearer {key}"}, task_id=uuid4().hex, text=text)
        parameters: dict[str, Any] = {"text_type": "PlainText", "voice": voice.name, "format": "pcm"}
        parameters |= {"sample_rate": 24_000, "rate": round(speed, 2)}
        if self.options.tts_instruction:
            parameters["instruction"] = self.options.tts_instruction
        kind = {"task_group": "audio", "task": "tts", "function": "SpeechSynthesizer", "model": self.model_name}
        body = task.message("run-task", {**kind, "parameters": parameters, "input": {}})
        return msgspec.structs.replace(task, body=body.encode())

    async def received(self, key: str, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        task = self.call(key, text, voice, speed)
        async with self._sockets.lent(task, self._begin) as socket:
            await socket.send(task.message("continue-task", {"input": {"text": text}}))
            await socket.send(task.message("finish-task", {"input": {}}))
            async with aclosing(self._sound(socket)) as pieces:
                async for piece in pieces:
                    yield piece
            socket.free = True

    async def _begin(self, socket: Socket, call: Call) -> None:
        """Begin a task: the service takes nothing before it says that it is started."""
        await socket.send(call.body.decode())
        while True:
            message = await socket.receive(sound_service.FIRST_SOUND_SECONDS)
            if isinstance(message, str) and self._event(message) == "task-started":
                return

    async def _sound(self, socket: Socket) -> AsyncGenerator[bytes, None]:
        patience = sound_service.FIRST_SOUND_SECONDS
        while True:
            message = await socket.receive(patience)
            if isinstance(message, bytes):
                patience = sound_service.GAP_SECONDS
                yield message
            elif self._event(message) == "task-finished":
                return

    def _event(self, message: str) -> str:
        try:
            header = decoded(message.encode(), _Event).header
        except Unexpected as exc:
            raise EngineFailed("sent a message that is no event of a task") from exc
        if header.event == "task-failed":
            said = {"code": header.error_code, "message": header.error_message}
            raise self.vendor.meant(Complaint.within(said) or Complaint())
        return header.event

    async def aclose(self) -> None:
        await self._sockets.aclose()
        await super().aclose()
