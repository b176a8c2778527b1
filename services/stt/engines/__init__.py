"""Define the Protocol of engines that hear, and a table of them. Any other name is a row of settings for `openai`."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol, Self

from chassis.chain.seat import Report
from stt.hearing import Heard, Hints, Pcm

ENGINES = {
    "whisper": "stt.engines.whisper.model_pool:ModelPool",
    "sphinx": "stt.engines.sphinx.engine:Sphinx",
    "sensevoice": "stt.engines.sherpa.engine:SherpaRecogniser",
    "paraformer": "stt.engines.sherpa.engine:SherpaRecogniser",
    "zipformer": "stt.engines.sherpa.engine:SherpaRecogniser",
    "moonshine": "stt.engines.sherpa.engine:SherpaRecogniser",
    "whisper-onnx": "stt.engines.sherpa.engine:SherpaRecogniser",
    "azure-stt": "stt.engines.azure_stt:AzureStt",
    "volcengine-asr": "stt.engines.volcengine_asr:VolcengineAsr",
    "dashscope": "stt.engines.dashscope:Dashscope",
    "elevenlabs": "stt.engines.elevenlabs_stt:ElevenLabsStt",
    "cf-workers-ai-asr": "stt.engines.cf_workers_ai_asr:CfWorkersAiAsr",
    "dify-stt": "stt.engines.dify_stt:DifyStt",
    "azure-whisper": "stt.engines.openai.azure_whisper:AzureWhisper",
    "aliyun-asr": "stt.engines.aliyun_asr:AliyunAsr",
}

ROWS = "stt.engines.openai.engine:OpenAITranscriptions"
"""Engine for any transcription server with OpenAI's API, under the name its settings have."""


class Engine(Protocol):
    """Protocol of an engine: it turns sound into text."""

    first_byte_seconds: float
    """Usual time from a recording to the first piece of its transcript."""
    models: tuple[str, ...]
    """Names that may follow the slash of `whisper/small`; empty if any may, and the engine checks them itself."""
    only: str | None = None
    """The one language that the engine hears, ISO 639-1; None where it hears several, and detects which one is
    spoken."""

    @classmethod
    @abstractmethod
    def load(cls, name: str, report: Report) -> Self:
        """Load the engine, which may take minutes. Called in a thread.

        Raises:
            EngineUnavailable: The engine cannot be loaded; the message says what to do.
        """

    @abstractmethod
    def hears(self, language: str | None) -> bool:
        """Return True if the engine accepts sound in this language; None stands for a language that is not stated."""

    def needs(self, seconds: float) -> float:
        """Return the usual time to the first piece for a recording of this length."""
        return self.first_byte_seconds

    @abstractmethod
    def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        """Yield the transcript as it grows: at least one piece, without segments if nothing is said.

        A long recording comes in parts of half a minute at most. Closing the iterator ends the work.

        Raises:
            Declined: The engine does not hear that language.
            EngineFailed: The engine broke off.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections, threads and processes."""
