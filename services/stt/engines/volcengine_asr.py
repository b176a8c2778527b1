"""Engine `volcengine-asr`: Doubao's recognition of a recording in one request ("flash"), with FoloToy's variables.

Source: volcengine.com/docs/6561 (large model, recognition of a file, flash).
"""

import logging
from functools import partial
from typing import Self
from uuid import uuid4

import msgspec

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.leniency import Unexpected, decoded
from chassis.upstream.turns import once
from chassis.upstream.vendor import Call, Vendor
from stt.text_service import MAX_ANSWER_BYTES, Clip, TextService

log = logging.getLogger("talkbox.stt")
_URL = "https://openspeech.bytedance.com/api/v3/auc/bigmodel/recognize/flash"
_CODE = "x-api-status-code"
_GOOD = frozenset({"", "20000000"})
_NO_WORDS = frozenset({"20000003", "45000002", "1013"})
"""Codes of a recording that is silent, or empty, or has no speech in it."""


class VolcengineAsrOptions(Options, frozen=True, kw_only=True):
    """The engine `volcengine-asr`: Doubao's recognition."""

    prefix = "VOLCENGINE_ASR_"
    api_key: tuple[str, ...] = ()
    """Key of the new console, or several; with it, no access token is needed."""
    access_token: tuple[str, ...] = ()
    """Access token of the app in the old console, or several."""
    app_id: str = ""
    """App of the old console, beside its access token."""
    cluster_id: str = ""
    """FoloToy's cluster, of the first API (`volcengine_input_common`): the flash API has none, and it is not sent."""
    resource_id: str = "volc.bigasr.auc_turbo"
    """Resource that was bought."""


class _Result(msgspec.Struct):
    text: str = ""


class _Transcript(msgspec.Struct):
    result: _Result


class VolcengineAsr(TextService):
    """Recognition of Chinese, its dialects and English, in which the service finds its way alone."""

    url = _URL
    format = "mp3"
    sends_hints = False
    most_seconds = 7_200.0

    def __init__(self, options: VolcengineAsrOptions, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.options = options

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(VolcengineAsrOptions)
        if options.access_token and not options.api_key and not options.app_id:
            raise EngineUnavailable("Set VOLCENGINE_ASR_APP_ID, or VOLCENGINE_ASR_API_KEY instead of the access token.")
        if options.cluster_id:
            log.warning("VOLCENGINE_ASR_CLUSTER_ID is of the first API and not sent; VOLCENGINE_ASR_RESOURCE_ID is.")
        variable = "VOLCENGINE_ASR_API_KEY" if options.api_key else "VOLCENGINE_ASR_ACCESS_TOKEN"
        keys = options.api_key or options.access_token
        headers = (_CODE, "x-api-message")
        return cls(options, Vendor(name, "STT_VOLCENGINE_ASR_", keys, variable, error_headers=headers))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        try:
            return await once(self.vendor.in_turn, partial(self._heard, clip)), clip.hints.language
        except Declined as exc:
            if exc.body["code"] in _NO_WORDS:
                return "", clip.hints.language
            raise

    async def _heard(self, clip: Clip, key: str) -> str:
        seconds = clip.patience_seconds
        reply, body = await self.vendor.whole(self._call(clip, key), MAX_ANSWER_BYTES, seconds=seconds)
        complaint = self.vendor.complaint(reply, body)
        code = reply.header(_CODE) or complaint.code or ""
        if code in _NO_WORDS or complaint.code in _NO_WORDS:
            return ""
        if code not in _GOOD:
            raise self.vendor.meant(complaint)
        try:
            return decoded(body, _Transcript).result.text
        except Unexpected as exc:
            raise self.vendor.no_answer(body, "transcript") from exc

    def _call(self, clip: Clip, key: str) -> Call:
        options = self.options
        app = {"x-api-app-id": options.app_id, "x-api-app-key": options.app_id, "x-api-access-key": key}
        headers = ({"x-api-key": key} if options.api_key else app) | {
            "content-type": "application/json",
            "x-api-resource-id": options.resource_id,
            "x-api-request-id": str(uuid4()),
            "x-api-sequence": "-1",
        }
        body = {"user": {"uid": "talkbox"}, "audio": {"data": clip.content}, "request": {"model_name": "bigmodel"}}
        return Call(_URL, headers, msgspec.json.encode(body))  # which writes bytes in Base64
