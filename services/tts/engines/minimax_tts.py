"""Engine `minimax-tts`: T2A v2, whose events hold sound in hexadecimal digits; the last repeats all of it.

Source: platform.minimaxi.com/document/T2A%20V2, platform.minimaxi.com/document/error-codes.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, Self
from urllib.parse import urlencode

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineFailed
from chassis.settings import Options, read
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call, Vendor
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_WHOLE = 2
"""Status of the last event, which repeats the whole sound."""
_VOICES = """
zh-CN female: female-shaonv female-tianmei female-yujie female-chengshu
zh-CN male: male-qn-qingse male-qn-daxuesheng male-qn-jingying male-qn-badao
en-US female: English_radiant_girl English_compelling_lady1 English_Upbeat_Woman
en-US male: English_expressive_narrator English_magnetic_voiced_man English_Trustworth_Man
ja-JP female: Japanese_DecisivePrincess
ja-JP male: Japanese_IntellectualSenior Japanese_LoyalKnight
ru-RU female: Russian_BrightHeroine
ru-RU male: Russian_ReliableMan
"""


class MiniMaxTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `minimax-tts`: MiniMax T2A v2."""

    prefix = "MINIMAX_TTS_"
    key: tuple[str, ...] = ()
    """Key of the account, or several."""
    group_id: str = ""
    """Group of the account; newer accounts need none."""
    api_base: str = "https://api.minimaxi.com/v1"
    """Address of the API: `https://api.minimax.io/v1` outside China."""
    model: str = "speech-02-turbo"
    """Model: `speech-2.6-hd`, `speech-02-turbo`."""
    voice_id: str = ""
    """Voice that is preferred among those of its language; one of your own speaks whatever voice is asked for."""
    vol: float = 1.0
    """Loudness, 0.1 to 10."""
    pitch: int = 0
    """Pitch in semitones, -12 to 12."""
    emotion: str = ""
    """Manner of speaking: `happy`."""


class _Outcome(msgspec.Struct):
    status_code: Literal[0] = 0


class _Data(msgspec.Struct):
    audio: str = ""
    status: int = 1


class _Event(msgspec.Struct):
    """A piece of sound; an error has another outcome and no data."""

    data: _Data
    base_resp: _Outcome | None = None


class MiniMaxTts(SoundService):
    """MiniMax's voices; each reads many languages."""

    lengths = Lengths(first=400, most=1_200)  # it sends sound while it makes more
    raw_rate = 24_000
    voice_names = re.compile(r"(?:fe)?male-[\w-]+|[A-Z][a-z]+(?: \(Mandarin\))?_[\w-]+|moss_audio_[\w-]+")

    def __init__(self, options: MiniMaxTtsOptions, vendor: Vendor) -> None:
        super().__init__(vendor, voices_in(_VOICES, polyglot=True), options.voice_id)
        self.options = options
        group = f"?{urlencode({'GroupId': options.group_id})}" if options.group_id else ""
        base = options.api_base.rstrip("/").removesuffix("/t2a_v2")
        self.url = f"{base if base.endswith('/v1') else f'{base}/v1'}/t2a_v2{group}"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(MiniMaxTtsOptions)
        variables = "MINIMAX_TTS_MODEL or MINIMAX_TTS_VOICE_ID"
        return cls(options, Vendor(name, "TTS_MINIMAX_TTS_", options.key, "MINIMAX_TTS_KEY", model_variable=variables))

    @property
    def likeness(self) -> str:
        options = self.options
        return f"{options.model} {options.vol} {options.pitch} {options.emotion}"

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        options = self.options
        setting: dict[str, Any] = {"voice_id": voice.name, "speed": round(speed, 2)}
        setting |= {"vol": options.vol, "pitch": options.pitch} | (
            {"emotion": options.emotion} if options.emotion else {}
        )
        body = {
            "model": options.model,
            "text": text,
            "stream": True,
            "voice_setting": setting,
            "audio_setting": {"sample_rate": 24_000, "format": "pcm", "channel": 1},
        }
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return Call(self.url, headers, msgspec.json.encode(body))

    async def unwrapped(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        anything = False
        async with aclosing(self.messages(reply, _Event)) as found:
            async for event in found:
                if not (anything and event.data.status == _WHOLE):
                    anything = True
                    yield _from_hex(event.data.audio)
                if event.data.status == _WHOLE:
                    return
        raise EngineFailed("broke off before its last event")


def _from_hex(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as exc:
        raise EngineFailed("sent sound that is no hexadecimal number") from exc
