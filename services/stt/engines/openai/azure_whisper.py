"""Engine `azure-whisper`: a deployment of Azure OpenAI that hears, with FoloToy's variables.

Source: learn.microsoft.com/azure/ai-foundry/openai/reference (transcriptions).
"""

from typing import Self

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.allowance import LimitOptions
from chassis.upstream.settings import KEY, Row, RowOptions
from stt.engines.openai.engine import HearingRowOptions, OpenAITranscriptions
from stt.engines.openai.providers import HearingProvider
from stt.sound import speech

_PREFIX = "STT_AZURE_WHISPER_"
_JWT = "eyJ"
"""Beginning of a token of Entra's, which is shown as such."""


class AzureWhisperOptions(Options, frozen=True, kw_only=True):
    """The engine `azure-whisper`: a deployment of Azure OpenAI."""

    prefix = "AZURE_WHISPER_"
    key: tuple[str, ...] = ()
    """Key of the Azure OpenAI resource, or several; or a token of Entra's."""
    api_base: str = ""
    """Address of the resource: `https://NAME.openai.azure.com`."""
    deployment_name: str = ""
    """Name of the deployment."""
    api_version: str = "2024-10-21"
    """Version of the API."""


class AzureWhisper(OpenAITranscriptions):
    """The dialect of OpenAI, at the path of a deployment."""

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options, own = read(AzureWhisperOptions), read(RowOptions, prefix=_PREFIX)
        for field in ("key", "api_base", "deployment_name"):
            if not getattr(options, field) and not (field == "api_base" and own.base_url):
                raise EngineUnavailable(f"Set AZURE_WHISPER_{field.upper()}.")
        base = (own.base_url or options.api_base).rstrip("/").removesuffix("/openai")
        row = Row(
            name,
            f"{base}/openai/deployments/{options.deployment_name}",
            options.key[0],
            options.deployment_name,
            proxy=own.proxy,
            prefix=_PREFIX,
            more_keys=options.key[1:],
            query=f"api-version={options.api_version}",
            headers={} if options.key[0].startswith(_JWT) else {"api-key": KEY},
            ca_file=own.ca_file,
            key_variable="AZURE_WHISPER_KEY",
            limits=read(LimitOptions, prefix=_PREFIX),
        )
        provider = HearingProvider(None, format="mp3")
        speech.warm_up()
        return cls(row, read(HearingRowOptions, prefix=_PREFIX), provider)
