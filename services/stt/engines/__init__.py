"""The Protocol of engines that hear, and a table of them. Any other name is a row of settings for `openai`."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol, Self

from chassis.chain.seat import Report
from stt.hearing import Heard, Hints, Pcm

ENGINES = {
    "whisper": "stt.engines.whisper.model_pool:ModelPool",
    "sphinx": "stt.engines.sphinx.engine:Sphinx",
    "sensevoice": "stt.engines.sherpa.engine:Sherpa",
    "paraformer": "stt.engines.sherpa.engine:Sherpa",
    "zipformer": "stt.engines.sherpa.engine:Sherpa",
    "moonshine": "stt.engines.sherpa.engine:Sherpa",
    "whisper-onnx": "stt.engines.sherpa.engine:Sherpa",
    "azure-stt": "stt.engines.azure_stt:AzureStt",
    "volcengine-asr": "stt.engines.volcengine_asr:VolcengineAsr",
    "dashscope": "stt.engines.dashscope:Dashscope",
    "elevenlabs": "stt.engines.elevenlabs_stt:ElevenLabsStt",
    "cf-workers-ai-asr": "stt.engines.cf_workers_ai_asr:CfWorkersAiAsr",
    "dify-stt": "stt.engines.dify_stt:DifyStt",
    "azure-whisper": "stt.engines.openai.azure_whisper:AzureWhisper",
    "aliyun-asr": "stt.engines.aliyun_asr:AliyunAsr",
}

ROWS = "stt.engines.openai.engine:OpenAI"
"""The engine for any transcription server that speaks the dialect, under the name its settings have."""


class Engine(Protocol):
    """Sound in, words out."""

    first_byte_seconds: float
    models: tuple[str, ...]
    """Names that may follow the slash of `whisper/small`; none: any, and the engine itself knows which there are."""
    only: str | None = None
    """The one language it hears, ISO 639-1; None: several, of which it finds out the one that is spoken."""

    @classmethod
    @abstractmethod
    def load(cls, name: str, report: Report) -> Self:
        """Load the engine, which may take minutes. Called in a thread.

        Raises:
            EngineUnavailable: It cannot be loaded; the message says what to do.
        """

    @abstractmethod
    def hears(self, language: str | None) -> bool:
        """Return True if it would take on sound in this language; None: in one that nobody stated."""

    def needs(self, seconds: float) -> float:
        """Return the usual time to the first piece for a recording of this length."""
        return self.first_byte_seconds

    @abstractmethod
    def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        """Yield what is said, as it is made out: at least one piece, without segments if nothing is said.

        Of a long recording it gets one part after the other, of half a minute at most. Closing the iterator ends the
        work.

        Raises:
            Declined: It does not `hear` that language.
            EngineFailed: It broke off.
        """

    @abstractmethod
    async def aclose(self) -> None: ...
