"""Engine `aliyun-asr`: Alibaba Cloud's recognition of short sentences (NLS REST), with FoloToy's variables.

Source: help.aliyun.com/zh/isi, "RESTful API" of short-sentence recognition (92131) and error codes (459864).
"""

from functools import partial
from typing import Literal, Self
from urllib.parse import urlencode

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options, SettingError, read
from chassis.upstream.aliyun import AliyunAccount
from chassis.upstream.turns import once
from chassis.upstream.vendor import Call
from stt.text.languages import UnknownLanguage, code_of
from stt.text_service import Clip, TextService


class AliyunAsrOptions(Options, frozen=True, kw_only=True):
    """The engine `aliyun-asr`: Alibaba Cloud's speech service (NLS)."""

    prefix = "ALIYUN_ASR_"
    access_key_id: tuple[str, ...] = ()
    """AccessKey id, or several, whose account or user may use NLS (`AliyunNLSFullAccess`)."""
    access_key_secret: tuple[str, ...] = ()
    """Secret of the AccessKey, or those of all ids in the same order."""
    app_key: tuple[str, ...] = ()
    """Appkey of the project, whose model decides which language is heard. Of several projects, each with its language,
    the first where the caller states none: `zh:KEY,en:KEY`."""
    region_id: str = "cn-shanghai"
    """Region: `cn-shanghai`, `cn-beijing`, `cn-shenzhen` or `ap-southeast-1`."""


class _Sentence(msgspec.Struct):
    """A good answer; an error has another status, under whatever status of HTTP."""

    status: Literal[20000000]
    result: str = ""


class AliyunAsr(TextService):
    """Recognition of up to 60 seconds."""

    format = "pcm"  # a header that it cannot read is refused
    sends_hints = False

    def __init__(self, options: AliyunAsrOptions, account: AliyunAccount) -> None:
        super().__init__(account.vendor)
        self.url = account.gateway
        self._account = account
        self._app_keys = _by_language(options.app_key)
        self.languages = frozenset(filter(None, self._app_keys))

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(AliyunAsrOptions)
        if not options.app_key:
            raise EngineUnavailable("Set ALIYUN_ASR_APP_KEY to the appkey of your NLS project.")
        keys = options.access_key_id, options.access_key_secret
        return cls(options, AliyunAccount(name, "STT_ALIYUN_ASR_", *keys, options.prefix, options.region_id))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        async def heard(key_id: str) -> str:
            return await once(self._account.token(key_id).renewed, partial(self._heard, clip))

        language = clip.hints.language or next(iter(self._app_keys)) or None
        return await once(self.vendor.in_turn, heard), language

    async def _heard(self, clip: Clip, token: str) -> str:
        app_keys = self._app_keys
        query = {
            "appkey": app_keys.get(clip.hints.language or "") or next(iter(app_keys.values())),
            "format": "pcm",
            "sample_rate": 16_000,
            "enable_punctuation_prediction": "true",
            "enable_inverse_text_normalization": "true",
        }
        headers = {"x-nls-token": token, "content-type": "application/octet-stream"}
        call = Call(f"{self._account.gateway}/stream/v1/asr?{urlencode(query)}", headers, clip.content)
        return (await self.decoded(clip, call, _Sentence)).result


def _by_language(app_keys: tuple[str, ...]) -> dict[str, str]:
    """Return the appkeys by their languages; under the empty language, one without."""
    found: dict[str, str] = {}
    for written in app_keys:
        language, _, key = written.rpartition(":")
        try:
            found[(code_of(language) or "") if language else ""] = key
        except UnknownLanguage as exc:
            raise SettingError(f"ALIYUN_ASR_APP_KEY: {exc}") from exc
    return found
