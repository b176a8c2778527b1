"""Engine `elevenlabs`: ElevenLabs' Scribe hears.

Source: elevenlabs.io/docs/api-reference/speech-to-text; the names of the fields are those of open implementations.
"""

from functools import partial
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.settings import Options, read
from chassis.upstream.vendor import Call, Vendor
from stt.text.languages import UnknownLanguage, code_of
from stt.text_service import Clip, TextService

_URL = "https://api.elevenlabs.io/v1/speech-to-text"
_PREFIX = "STT_ELEVENLABS_"
_MOST_TERMS, _LONGEST_TERM = 1_000, 50
"""Words to expect, and characters of one, that are taken."""


class ScribeOptions(Options, frozen=True, kw_only=True):
    """The engine `elevenlabs`: ElevenLabs' Scribe."""

    prefix = "ELEVENLABS_"
    api_key: tuple[str, ...] = ()
    """Key of ElevenLabs, or several."""


class _Scribed(msgspec.Struct):
    text: str
    language_code: str | None = None


class ElevenLabsStt(TextService):
    """Scribe, which finds out the language."""

    url = _URL
    format = "mp3"
    most_seconds = 7_200.0

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._model = vendor.options.model or "scribe_v2"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls(Vendor(name, _PREFIX, read(ScribeOptions, own=_PREFIX).api_key, "ELEVENLABS_API_KEY"))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        answer = await self.answer(clip, partial(self._call, clip), _Scribed)
        try:
            return answer.text, code_of(answer.language_code or "")
        except UnknownLanguage:
            return answer.text, None

    def _call(self, clip: Clip, key: str) -> Call:
        fields: dict[str, str | list[str]] = {"model_id": self._model, "tag_audio_events": "false"}
        if clip.hints.language:
            fields["language_code"] = clip.hints.language
        if words := [word for word in clip.hints.hotwords if len(word) <= _LONGEST_TERM][:_MOST_TERMS]:
            fields["keyterms"] = words
        media_type, body = clip.form(fields)
        return Call(_URL, {"xi-api-key": key, "content-type": media_type}, body)
