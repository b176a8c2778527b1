"""Engine `aliyun-tts`: Alibaba Cloud's speech (NLS) over REST.

Source: help.aliyun.com/zh/isi (RESTful API of speech synthesis, document_detail/94737).
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.aliyun import AliyunAccount
from chassis.upstream.vendor import Call
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_VOICES = """
zh-CN female: xiaoyun ruoxi siqi sijia aiqi aijia ninger ruilin aitong sitong xiaobei
zh-CN male: xiaogang sicheng aicheng aida
en-US female: abby
en-US male: andy
en-GB female: emily olivia wendy luna
en-GB male: harry eric luca william
zh-HK female: shanshan jiajia
ja-JP female: tomoka
ja-JP male: tomoya
"""
_MOST_CHARACTERS = 300
"""Length of the text that it speaks; it drops the rest without a word."""
_Rate = Annotated[int, Meta(ge=-500, le=500)]


class AliyunTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `aliyun-tts`: Alibaba Cloud's speech service (NLS)."""

    prefix = "ALIYUN_TTS_"
    access_key_id: tuple[str, ...] = ()
    """AccessKey id of a user that has `AliyunNLSFullAccess`, or several of one account."""
    access_key_secret: tuple[str, ...] = ()
    """Secrets of the AccessKeys, in the same order."""
    app_key: str = ""
    """AppKey of the project in the console."""
    region_id: str = "cn-shanghai"
    """Region: `cn-shanghai`, `cn-beijing`, `cn-shenzhen`, abroad `ap-southeast-1`."""
    voice_id: str = ""
    """Voice that is preferred among those of its language; one of your own speaks whatever voice is asked for."""
    volume: Annotated[int, Meta(ge=0, le=100)] = 50
    """Loudness, 0 to 100."""
    pitch_rate: _Rate = 0
    """Pitch, -500 to 500."""


class AliyunTts(SoundService):
    """Voices of NLS: `xiaoyun`."""

    lengths = Lengths(most=_MOST_CHARACTERS)
    raw_rate = 16_000

    def __init__(self, options: AliyunTtsOptions, account: AliyunAccount) -> None:
        super().__init__(account.vendor, voices_in(_VOICES), options.voice_id)
        self.url = account.gateway
        self.options, self._account = options, account

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(AliyunTtsOptions)
        keys = options.access_key_id, options.access_key_secret
        account = AliyunAccount(name, "TTS_ALIYUN_TTS_", *keys, options.prefix, options.region_id)
        if not options.app_key:
            raise EngineUnavailable("Set ALIYUN_TTS_APP_KEY to the AppKey of the project.")
        return cls(options, account)

    @property
    def likeness(self) -> str:
        return f"{self.options.volume} {self.options.pitch_rate}"

    async def attempt(self, key: str, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        attempt = super().attempt
        token = self._account.token(key)
        async with aclosing(token.renewed(lambda token: attempt(token, text, voice, speed))) as pieces:
            async for piece in pieces:
                yield piece

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        body = {
            "appkey": self.options.app_key,
            "text": text,
            "format": "pcm",
            "sample_rate": self.raw_rate,
            "voice": voice.name,
            "volume": self.options.volume,
            "pitch_rate": self.options.pitch_rate,
            "speech_rate": _speech_rate(speed),
        }
        headers = {"x-nls-token": key, "content-type": "application/json"}
        return Call(f"{self._account.gateway}/stream/v1/tts", headers, msgspec.json.encode(body))


def _speech_rate(speed: float) -> int:
    """Return NLS's number for a speed of 0.5 to 2."""
    return max(-500, min(500, round((1 - 1 / speed) / (0.001 if speed >= 1 else 0.002))))
