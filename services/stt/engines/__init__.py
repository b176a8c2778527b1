"""What an engine that hears is, and which there are. A name not in the table is a row of settings for `openai`."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol, Self

from chassis.chain.seat import Report
from stt.hearing import Heard, Hints, Pcm

ENGINES = {
    "whisper": "stt.engines.whisper.model_pool:Shelf",
    "sphinx": "stt.engines.sphinx.engine:Sphinx",
    "sensevoice": "stt.engines.sherpa:Sherpa",
    "paraformer": "stt.engines.sherpa:Sherpa",
    "zipformer": "stt.engines.sherpa:Sherpa",
    "moonshine": "stt.engines.sherpa:Sherpa",
    "whisper-onnx": "stt.engines.sherpa:Sherpa",
}

ROWS = "stt.engines.openai.engine:OpenAI"
"""Any transcription server that speaks the dialect, under the name its settings have."""


class Engine(Protocol):
    """Sound in, words out."""

    first_byte_seconds: float
    models: tuple[str, ...]
    """What may stand after the slash of `whisper/small`; none: anything, which only the engine can know."""

    @classmethod
    @abstractmethod
    def load(cls, name: str, report: Report) -> Self:
        """May take minutes. Called in a thread.

        Raises:
            EngineUnavailable: It cannot be loaded; the message says what to do.
        """

    @abstractmethod
    def hears(self, language: str | None) -> bool:
        """Whether it would take on sound in this language."""

    @abstractmethod
    def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        """What is said, as it is made out: at least one piece, if there is nothing then one without segments.

        Of a long recording it is given one part after the other, of half a minute at most.

        Closing the iterator ends the work.

        Raises:
            Declined: It does not `hear` that language.
            EngineFailed: It broke off.
        """

    @abstractmethod
    async def aclose(self) -> None: ...
