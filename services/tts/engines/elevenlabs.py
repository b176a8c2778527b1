"""Engine `elevenlabs`: sound is sent while it is made.

Source: elevenlabs.io/docs/api-reference/text-to-speech/stream.
"""

import re
from typing import Any, Self
from urllib.parse import quote

import msgspec

from chassis.chain.seat import Report
from chassis.settings import Options, read
from chassis.upstream.vendor import Call, Vendor
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_URL = "https://api.elevenlabs.io/v1/text-to-speech/{voice}/stream?output_format=pcm_24000"
_VOICES = """
mul female: EXAVITQu4vr4xnSDxMaL cgSgspJ2msm6clMCkdW9 pFZP5JQG7iQjIQuC4Bku XB0fDUnXU5powFXDhCwa 21m00Tcm4TlvDq8ikWAM
mul male: JBFqnCBsd6RMkjVDRZzb nPczCjzI2devNBz1zQrb onwK4e9ZLuTAKqWW03F9 pNInz6obpgDQGcFmaJgB
"""
"""Sarah, Jessica, Lily, Charlotte, Rachel; George, Brian, Daniel, Adam."""

_LITERAL = ("eleven_flash", "eleven_turbo")
"""Models that put no figures into words, to lose no time."""


class ElevenLabsOptions(Options, frozen=True, kw_only=True):
    """The engine `elevenlabs`: ElevenLabs' voices."""

    prefix = "ELEVENLABS_TTS_"
    key: tuple[str, ...] = ()
    """Key of the account, or several."""
    model: str = "eleven_flash_v2_5"
    """Model: `eleven_flash_v2_5` is the fastest; FoloToy's own default is `eleven_multilingual_v2`."""
    voice_id: str = ""
    """Id of the voice that is preferred; one of your own speaks whatever voice is asked for."""


class ElevenLabs(SoundService):
    """ElevenLabs' voices, called by their ids; each reads many languages."""

    url = _URL
    speeds = (0.7, 1.2)
    lengths = Lengths(first=400, most=1_200)  # it sends sound while it makes more
    ahead = 2  # the free plan serves two at a time
    raw_rate = 24_000
    voice_names = re.compile(r"[A-Za-z0-9]{20}")

    def __init__(self, options: ElevenLabsOptions, vendor: Vendor) -> None:
        super().__init__(vendor, voices_in(_VOICES), options.voice_id)
        self._model = options.model
        self.reads_figures = not options.model.startswith(_LITERAL)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(ElevenLabsOptions)
        variables = "ELEVENLABS_TTS_VOICE_ID or ELEVENLABS_TTS_MODEL"
        vendor = Vendor(name, "TTS_ELEVENLABS_", options.key, "ELEVENLABS_TTS_KEY", model_variable=variables)
        return cls(options, vendor)

    @property
    def likeness(self) -> str:
        return self._model

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        body: dict[str, Any] = {"text": text, "model_id": self._model}
        if speed != 1:
            body["voice_settings"] = {"speed": round(speed, 2)}
        headers = {"xi-api-key": key, "content-type": "application/json"}
        return Call(_URL.format(voice=quote(voice.name, safe="")), headers, msgspec.json.encode(body))
