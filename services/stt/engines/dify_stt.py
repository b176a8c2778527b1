"""Engine `dify-stt`: the ears of a Dify app, whatever model its provider has there.

Source: docs.dify.ai (audio-to-text).
"""

from functools import partial
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.settings import Options, read
from chassis.upstream.dify import DifyApp
from chassis.upstream.vendor import Call
from stt.text_service import Clip, TextService


class DifySttOptions(Options, frozen=True, kw_only=True):
    """The engine `dify-stt`: a Dify app that hears."""

    prefix = "DIFY_STT_"
    key: tuple[str, ...] = ()
    """Key of the app (`app-…`), or several."""
    api_base: str = "https://api.dify.ai/v1"
    """Address of the API: `http://my-dify/v1`."""


class _Transcript(msgspec.Struct):
    text: str


class DifyStt(TextService):
    """Speech to text, as it is switched on in the app."""

    format = "mp3"
    sends_hints = False

    def __init__(self, app: DifyApp) -> None:
        super().__init__(app)
        self.url = app.url("audio-to-text")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(DifySttOptions)
        model = "a model for speech to text in the Dify app"
        return cls(DifyApp(name, "STT_DIFY_STT_", options.key, "DIFY_STT_KEY", options.api_base, model=model))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        answer = await self.answer(clip, partial(self._call, clip), _Transcript)
        return answer.text, clip.hints.language

    def _call(self, clip: Clip, key: str) -> Call:
        media_type, body = clip.form({"user": "talkbox"}, media_type="audio/mp3")  # `audio/mpeg` is refused
        return Call(self.url, {"authorization": f"Bearer {key}", "content-type": media_type}, body)
