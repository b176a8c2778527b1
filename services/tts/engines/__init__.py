"""Define the Protocol of engines that speak, and a table of them. Any other name is a row of settings for `openai`."""

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
    "dashscope": "tts.engines.dashscope_tts:DashscopeTts",
    "dify-tts": "tts.engines.dify_tts:DifyTts",
    "edge": "tts.engines.edge.engine:Edge",
    "edge-tts": "tts.engines.edge.engine:Edge",
    "elevenlabs": "tts.engines.elevenlabs:ElevenLabs",
    "espeak": "tts.engines.espeak:Espeak",
    "flite": "tts.engines.flite:Flite",
    "hibari": "tts.engines.hibari:Hibari",
    "inworld-tts": "tts.engines.inworld_tts:InworldTts",
    "minimax-tts": "tts.engines.minimax_tts:MiniMaxTts",
    "qwen-tts": "tts.engines.qwen_tts:QwenTts",
    "sherpa": "tts.engines.sherpa.engine:SherpaVoice",
    "volcengine-tts": "tts.engines.volcengine_tts:VolcengineTts",
}
ROWS = "tts.engines.openai.engine:OpenAISpeech"
"""Engine for any speech server with OpenAI's API, under the name its settings have."""


class Engine(Protocol):
    """Protocol of an engine: it turns text into sound, a clause at a time."""

    first_byte_seconds: float
    """Usual time from a clause to its first sound."""
    sound: Sound
    """Form of the sound that `speak` yields."""
    speeds: tuple[float, float]
    """Slowest and fastest speed at which the engine itself speaks; beyond them, its sound is stretched."""
    lengths: Lengths
    """Lengths of the clauses that suit the engine."""
    ahead: int
    """Number of clauses made while another one plays; each may take a connection of its own."""
    reads_figures: bool
    """True if the engine says numbers, dates, money and units as people do; otherwise it gets them in words."""

    works_here: bool = False
    """True if the sound is made by this machine's processors: the more speak at a time, the longer each takes."""
    billed: bool = False
    """True if each request may cost money, or another's server its time."""

    voices: Sequence[Voice]
    """Voices of the engine, as far as known without a request to a server; the preferred ones of a language first."""

    @property
    def likeness(self) -> str:
        """Text that differs wherever the same voice would sound different; it is part of the key of kept answers."""
        return ""

    def model(self, name: str) -> "Engine":
        """Return this engine with the model of that name.

        Raises:
            NotFound: The engine has no such model.
        """
        told = f"No model {name!r} here: ask for the engine alone, or for any other name to use the chain."
        raise NotFound(told, param="model", code="model_not_found")

    def instructed(self, instructions: str) -> "Engine":
        """Return this engine with instructions on how to speak; an engine that takes none is returned unchanged."""
        return self

    @abstractmethod
    def voice(self, name: str) -> Voice | None:
        """Return the engine's own voice of that name, or None."""

    @abstractmethod
    async def refresh_voices(self) -> None:
        """Ask the server for its voices, within 3 s; if that fails, keep those known before."""

    @abstractmethod
    def accept(self, text: str, voice: Voice) -> None:
        """Check the whole text before its first clause is spoken.

        Raises:
            Declined: The engine cannot read the text well.
        """

    @abstractmethod
    def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the sound of one clause as it is made; no bytes if the clause holds nothing to speak.

        Args:
            speed: Factor within `speeds`; 1 is the voice's own.

        Raises:
            EngineFailed: The sound broke off, or did not begin.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections and threads."""

    @classmethod
    @abstractmethod
    def load(cls, name: str, report: Report) -> Self:
        """Load the engine, which may take minutes. Called in a thread.

        Raises:
            EngineUnavailable: The engine cannot work here; the message says what to do.
        """
