"""Engine `dify-tts`: the voice of a Dify app, in whatever format its provider sends.

Source: docs.dify.ai (text-to-audio).
"""

from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.settings import Options, read
from chassis.upstream.dify import DifyApp
from chassis.upstream.vendor import Call
from tts.sound_service import SoundService, voices_in
from tts.voices.choose import Voice

_OWN = "dify"
"""Name of the voice that the app was given; it is not sent."""
_USER = "talkbox"


class DifyTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `dify-tts`: a Dify app that speaks."""

    prefix = "DIFY_TTS_"
    key: tuple[str, ...] = ()
    """Key of the app (`app-…`), or several."""
    api_base: str = "https://api.dify.ai/v1"
    """Address of the API: `http://my-dify/v1`."""
    voice_name: str = ""
    """Voice that speaks; unset: the one that the app was given."""


class DifyTts(SoundService):
    """One voice: the app's own, or the one that is set."""

    speeds = (1.0, 1.0)

    def __init__(self, options: DifyTtsOptions, app: DifyApp) -> None:
        super().__init__(app, voices_in(f"mul any: {_OWN}"), options.voice_name)
        self.url = app.url("text-to-audio")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(DifyTtsOptions)
        return cls(options, DifyApp(name, "TTS_DIFY_TTS_", options.key, "DIFY_TTS_KEY", options.api_base))

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        body = {"text": text, "user": _USER} | ({} if voice.name == _OWN else {"voice": voice.name})
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return Call(self.url, headers, msgspec.json.encode(body))
