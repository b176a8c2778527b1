"""What an engine is, and which there are. A name that is not in the table is a row of settings for `openai`."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, Self

from chassis.chain.seat import Report
from chassis.errors import NotFound
from tts.audio.pcm import Sound
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

ENGINES = {
    "aliyun-tts": "tts.engines.aliyun_tts:AliyunTts",
    "azure-tts": "tts.engines.azure_tts:AzureTts",
    "dify-tts": "tts.engines.dify_tts:DifyTts",
    "edge": "tts.engines.edge.engine:Edge",
    "edge-tts": "tts.engines.edge.engine:Edge",
    "elevenlabs": "tts.engines.elevenlabs:ElevenLabs",
    "espeak": "tts.engines.espeak:Espeak",
    "flite": "tts.engines.flite:Flite",
    "hibari": "tts.engines.hibari:Hibari",
    "inworld-tts": "tts.engines.inworld_tts:InworldTts",
    "minimax-tts": "tts.engines.minimax_tts:MiniMaxTts",
    "sherpa": "tts.engines.sherpa:Sherpa",
    "volcengine-tts": "tts.engines.volcengine_tts:VolcengineTts",
}
ROWS = "tts.engines.openai.engine:OpenAI"
"""Any speech server that speaks the dialect, under the name its settings have."""


class Engine(Protocol):
    """Words in, sound out, a clause at a time."""

    first_byte_seconds: float
    """What it needs to its first sound as a rule."""
    sound: Sound
    """The form of what `speak` gives."""
    speeds: tuple[float, float]
    """The slowest and the fastest it speaks by itself; beyond, its sound is stretched."""
    lengths: Lengths
    """How long the clauses are that it likes to be given."""
    ahead: int
    """How many it makes while another one plays; each may be a connection of its own."""
    reads_figures: bool
    """Says numbers, dates, money and units as people do; else it is given them in words."""

    voices: Sequence[Voice]
    """Those it has, as far as it knows without asking anybody; the preferred ones of a language first."""

    @property
    def likeness(self) -> str:
        """Another wherever the same voice would sound otherwise: kept sound is known by it."""
        return ""

    def model(self, name: str) -> "Engine":
        """Itself, speaking with the model of that name.

        Raises:
            NotFound: It has no such model.
        """
        told = f"No model {name!r} here: ask for the engine alone, or for any other name to use the chain."
        raise NotFound(told, param="model", code="model_not_found")

    def instructed(self, instructions: str) -> "Engine":
        """Itself, speaking as it is told to, where it takes instructions."""
        return self

    @abstractmethod
    def voice(self, name: str) -> Voice | None:
        """Its own voice of that name."""

    @abstractmethod
    async def refresh_voices(self) -> None:
        """Ask whoever has the voices which there are; keeps what it knew where that fails. Takes 3 s at most."""

    @abstractmethod
    def accept(self, text: str, voice: Voice) -> None:
        """Look at the whole text before its first clause is spoken.

        Raises:
            Declined: It cannot be read well.
        """

    @abstractmethod
    def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """One clause, as it is made; nothing at all where there is nothing to be heard in it.

        Args:
            speed: Within `speeds`; 1 is the voice's own.

        Raises:
            EngineFailed: It broke off, or did not begin.
        """

    @abstractmethod
    async def aclose(self) -> None: ...

    @classmethod
    @abstractmethod
    def load(cls, name: str, report: Report) -> Self:
        """Raises:
        EngineUnavailable: It cannot work here; the message says what to do.
        """
