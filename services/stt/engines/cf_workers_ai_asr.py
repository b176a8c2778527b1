"""Engine `cf-workers-ai-asr`: Whisper on Cloudflare's Workers AI, with FoloToy's variables.

Source: developers.cloudflare.com/workers-ai/models/whisper; unconfirmed but for the names of the variables.
"""

from functools import partial
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.vendor import Call, Vendor
from stt.text_service import Clip, TextService

_HOST = "https://api.cloudflare.com/client/v4/accounts"
_TURBO = "turbo"
"""Part of the names of models that take JSON, and a language; the others take the bytes of the file."""


class CfWorkersAiAsrOptions(Options, frozen=True, kw_only=True):
    """The engine `cf-workers-ai-asr`: Whisper at Cloudflare."""

    prefix = "CF_WORKERS_AI_ASR_"
    account_id: str = ""
    """Account of Cloudflare."""
    api_token: tuple[str, ...] = ()
    """Token that may use Workers AI, or several."""
    model_id: str = "@cf/openai/whisper"
    """Model: `@cf/openai/whisper`, `@cf/openai/whisper-large-v3-turbo`."""


class _Spoken(msgspec.Struct):
    text: str


class _Outcome(msgspec.Struct):
    result: _Spoken


class CfWorkersAiAsr(TextService):
    """Whisper at the edge."""

    format = "mp3"

    def __init__(self, options: CfWorkersAiAsrOptions, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.url = f"{_HOST}/{options.account_id}/ai/run/{options.model_id}"
        self.sends_hints = _TURBO in options.model_id

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(CfWorkersAiAsrOptions)
        if not options.account_id:
            raise EngineUnavailable("Set CF_WORKERS_AI_ASR_ACCOUNT_ID.")
        token, model = "CF_WORKERS_AI_ASR_API_TOKEN", "CF_WORKERS_AI_ASR_MODEL_ID"
        return cls(options, Vendor(name, "STT_CF_WORKERS_AI_ASR_", options.api_token, token, model_variable=model))

    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        answer = await self.answer(clip, partial(self._call, clip), _Outcome)
        return answer.result.text, clip.hints.language

    def _call(self, clip: Clip, key: str) -> Call:
        shown = {"authorization": f"Bearer {key}"}
        if not self.sends_hints:
            return Call(self.url, shown | {"content-type": "application/octet-stream"}, clip.content)
        language = {"language": clip.hints.language} if clip.hints.language else {}
        body = msgspec.json.encode({"audio": clip.base64} | language)
        return Call(self.url, shown | {"content-type": "application/json"}, body)
