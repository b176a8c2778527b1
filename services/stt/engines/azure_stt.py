"""Engine `azure-stt`: Azure Speech, short audio over REST, with FoloToy's variables.

Source: learn.microsoft.com/azure/ai-services/speech-service/rest-speech-to-text-short.
"""

from collections.abc import Sequence
from functools import partial
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineFailed, EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.vendor import Call, Vendor
from stt.text_service import Clip, TextService

_HEARD = """
af-ZA am-ET ar-EG az-AZ bg-BG bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-DE el-GR en-US es-ES et-EE eu-ES fa-IR fi-FI fil-PH
fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID is-IS it-IT ja-JP jv-ID ka-GE kk-KZ km-KH kn-IN ko-KR lo-LA
lt-LT lv-LV mk-MK ml-IN mn-MN mr-IN ms-MY mt-MT my-MM nb-NO ne-NP nl-NL pa-IN pl-PL ps-AF pt-BR ro-RO ru-RU si-LK sk-SK
sl-SI so-SO sq-AL sr-RS sv-SE sw-KE ta-IN te-IN th-TH tr-TR uk-UA ur-IN uz-UZ vi-VN zh-CN zu-ZA
"""
_LOCALES = {locale.partition("-")[0]: locale for locale in _HEARD.split()}
_LOCALES |= {"yue": "zh-HK", "no": "nb-NO", "tl": "fil-PH", "jw": "jv-ID"}
"""Locale of each language that is heard."""
NO_WORDS = frozenset({"NoMatch", "InitialSilenceTimeout", "BabbleTimeout"})
CHINA = "china"


class AzureSttOptions(Options, frozen=True, kw_only=True):
    """The engine `azure-stt`: Azure Speech."""

    prefix = "AZURE_STT_"
    key: tuple[str, ...] = ()
    """Key of the Speech resource, or several."""
    service_region: str = ""
    """Region of the resource: `eastasia`, `chinaeast2`."""
    language: str = "zh-CN"
    """Locale that is heard where the caller states no language."""
    languages: tuple[str, ...] = ()
    """Locales of which the spoken one is found where the caller states no language: `zh-CN,en-US`. That is Azure's
    fast transcription, which is slower for short speech; empty: `language` is heard."""
    fast_api_version: str = "2024-11-15"
    """Version of the fast transcription's API."""


class _Answer(msgspec.Struct):
    status: str = msgspec.field(name="RecognitionStatus", default="")
    text: str = msgspec.field(name="DisplayText", default="")


class _Phrase(msgspec.Struct):
    text: str
    locale: str = ""


class _Transcription(msgspec.Struct):
    """An answer of the fast transcription."""

    combined: tuple[_Phrase, ...] = msgspec.field(name="combinedPhrases")
    phrases: tuple[_Phrase, ...] = ()


class AzureStt(TextService):
    """Azure's recognition of up to 60 seconds."""

    languages = frozenset(_LOCALES)

    def __init__(self, options: AzureSttOptions, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.options = options
        region = options.service_region
        host = f"{region}.stt.speech.azure.cn" if region.startswith(CHINA) else f"{region}.stt.speech.microsoft.com"
        near = "azure.cn" if region.startswith(CHINA) else "microsoft.com"
        self._fast_url = f"https://{region}.api.cognitive.{near}/speechtotext/transcriptions:transcribe"
        self.url = f"https://{host}/speech/recognition/conversation/cognitiveservices/v1"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(AzureSttOptions)
        if not options.service_region:
            raise EngineUnavailable("Set AZURE_STT_SERVICE_REGION, e.g. eastasia.")
        return cls(options, Vendor(name, "STT_AZURE_STT_", options.key, "AZURE_STT_KEY"))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        language = clip.hints.language
        candidates = [_LOCALES[each] for each in clip.hints.candidates if each in _LOCALES] or self.options.languages
        if language is None and candidates:
            return await self._found(clip, candidates)
        locale = _LOCALES[language] if language else self.options.language

        answer = await self.answer(clip, partial(self._call, clip, locale), _Answer)
        if answer.status == "Success":
            return answer.text, locale.partition("-")[0] if language is None else language
        if answer.status in NO_WORDS:
            return "", language
        raise EngineFailed(f"Azure could not recognise the recording ({answer.status or 'no status'}).")

    async def _found(self, clip: Clip, locales: Sequence[str]) -> tuple[str, str | None]:
        """Return the text and the language that was found."""
        answer = await self.answer(clip, partial(self._fast_call, clip, locales), _Transcription)
        locale = next((phrase.locale for phrase in answer.phrases), "")
        return " ".join(phrase.text for phrase in answer.combined), locale.partition("-")[0] or None

    def _fast_call(self, clip: Clip, locales: Sequence[str], key: str) -> Call:
        definition = msgspec.json.encode({"locales": locales}).decode()
        media_type, body = clip.form({"definition": definition}, part="audio")
        headers = {"ocp-apim-subscription-key": key, "content-type": media_type}
        return Call(f"{self._fast_url}?api-version={self.options.fast_api_version}", headers, body)

    def _call(self, clip: Clip, locale: str, key: str) -> Call:
        headers = {
            "ocp-apim-subscription-key": key,
            "content-type": "audio/wav; codecs=audio/pcm; samplerate=16000",
            "accept": "application/json",
        }
        return Call(f"{self.url}?language={locale}&format=simple", headers, clip.content)
