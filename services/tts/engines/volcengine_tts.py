"""Engine `volcengine-tts`: Doubao's voices by V3, as they are made; the older voices, whose names begin with BV, by V1.

Source: volcengine.com/docs/6561 (V3 over HTTP, V1); the names of the fields are those of open implementations.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, Self
from uuid import uuid4

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call, Vendor
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_HOST = "https://openspeech.bytedance.com"
_V3 = """
zh-CN female: zh_female_shuangkuaisisi_moon_bigtts zh_female_linjianvhai_moon_bigtts zh_female_cancan_mars_bigtts \
zh_female_vv_uranus_bigtts
zh-CN male: zh_male_shaonianzixin_moon_bigtts zh_male_wennuanahu_moon_bigtts zh_male_m191_uranus_bigtts
"""
_V1 = """
zh-CN female: BV700_V2_streaming BV700_streaming BV001_streaming
zh-CN male: BV002_streaming
en-US female: BV503_streaming
en-US male: BV504_streaming
"""
_RESOURCES = {"_uranus_": "seed-tts-2.0", "_saturn_": "seed-tts-2.0", "S_": "seed-icl-1.0", "ICL_": "seed-icl-1.0"}
"""Resources of voices, by a part of their names; all others belong to the first generation."""


class VolcengineTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `volcengine-tts`: Doubao's voices."""

    prefix = "VOLCENGINE_TTS_"
    api_key: tuple[str, ...] = ()
    """Key of the new console, or several; with it, no access token is needed."""
    access_token: tuple[str, ...] = ()
    """Access token of the app in the old console, or several."""
    app_id: str = ""
    """App of the old console, beside its access token."""
    cluster_id: str = "volcano_tts"
    """Cluster of the older voices, whose names begin with `BV`."""
    resource_id: str = ""
    """Resource that was bought; unset: by the voice, `seed-tts-1.0` or `seed-tts-2.0`."""
    voice_type: str = ""
    """Voice that is preferred among those of its language; one of your own speaks whatever voice is asked for."""
    emotion: str = ""
    """Manner of speaking, for voices that have it: `happy`."""


class _Piece(msgspec.Struct):
    """A piece of sound; an error has another code."""

    code: Literal[0, 3000, 20000000] = 0
    data: bytes | None = None


class VolcengineTts(SoundService):
    """Doubao's voices: `zh_female_shuangkuaisisi_moon_bigtts`, `BV700_V2_streaming`."""

    url = _HOST
    speeds = (0.5, 2.0)
    lengths = Lengths(first=300, most=600, most_bytes=1_000)  # V1 takes 1024 bytes
    ahead = 2  # connections that are free
    raw_rate = 24_000
    voice_names = re.compile(r"(?:BV\d+|zh|en|multi|saturn|ICL|S)_\w+")

    def __init__(self, options: VolcengineTtsOptions, vendor: Vendor) -> None:
        by_v1 = () if options.api_key else voices_in(_V1)
        super().__init__(vendor, (*voices_in(_V3, polyglot=True), *by_v1), options.voice_type)
        self.options = options

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(VolcengineTtsOptions)
        if options.access_token and not options.api_key and not options.app_id:
            raise EngineUnavailable("Set VOLCENGINE_TTS_APP_ID, or VOLCENGINE_TTS_API_KEY instead of the access token.")
        variable = "VOLCENGINE_TTS_API_KEY" if options.api_key else "VOLCENGINE_TTS_ACCESS_TOKEN"
        keys = options.api_key or options.access_token
        voice = "VOLCENGINE_TTS_VOICE_TYPE"
        return cls(options, Vendor(name, "TTS_VOLCENGINE_TTS_", keys, variable, model_variable=voice))

    @property
    def likeness(self) -> str:
        return self.options.emotion

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        if voice.name.startswith("BV") and not self.options.api_key:
            return self._by_v1(key, text, voice, speed)
        audio: dict[str, Any] = {"format": "pcm", "sample_rate": 24_000, "speech_rate": round(100 * (speed - 1))}
        if self.options.emotion:
            audio["emotion"] = self.options.emotion
        body = {"user": {"uid": "talkbox"}, "req_params": {"text": text, "speaker": voice.name, "audio_params": audio}}
        return Call(f"{_HOST}/api/v3/tts/unidirectional", self._headers(key, voice), msgspec.json.encode(body))

    def _headers(self, key: str, voice: Voice) -> dict[str, str]:
        options = self.options
        app = {"x-api-app-id": options.app_id, "x-api-app-key": options.app_id, "x-api-access-key": key}
        known = (resource for part, resource in _RESOURCES.items() if part in voice.name)
        return {
            "content-type": "application/json",
            "x-api-resource-id": options.resource_id or next(known, "seed-tts-1.0"),
            "x-api-request-id": str(uuid4()),
        } | ({"x-api-key": key} if options.api_key else app)

    def _by_v1(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        options = self.options
        audio = {"voice_type": voice.name, "encoding": "pcm", "rate": 24_000, "speed_ratio": round(speed, 2)}
        body = {
            "app": {"appid": options.app_id, "token": "unused", "cluster": options.cluster_id},
            "user": {"uid": "talkbox"},
            "audio": audio | ({"emotion": options.emotion} if options.emotion else {}),
            "request": {"reqid": str(uuid4()), "text": text, "text_type": "plain", "operation": "query"},
        }
        headers = {"authorization": f"Bearer;{key}", "content-type": "application/json"}
        return Call(f"{_HOST}/api/v1/tts", headers, msgspec.json.encode(body))

    async def unwrapped(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.messages(reply, _Piece)) as found:
            async for piece in found:
                if piece.data:
                    yield piece.data
