"""Define the Protocol of engines that chat, and a table of them. Any other name is a row of settings for `openai`."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol, Self

from chassis.chain.seat import Report
from llm.wire import Asked

COMPANION = "companion"
ENGINES = {
    "coze": "llm.engines.coze:Coze",
    "dify": "llm.engines.dify:Dify",
    "gguf": "llm.engines.gguf.engine:Gguf",
    "local": "llm.engines.openai.local:Local",
    COMPANION: "llm.engines.companion.engine:Companion",
}
ROWS = "llm.engines.openai.engine:OpenAIChat"
"""Engine for any upstream with OpenAI's API, under the name its settings have."""


class Engine(Protocol):
    """Protocol of an engine: it takes a conversation and gives the next answer."""

    first_byte_seconds: float
    """Usual time from a request to the first byte of its answer."""

    @classmethod
    @abstractmethod
    def load(cls, name: str, report: Report) -> Self:
        """Load the engine, which may take minutes. Called in a thread.

        Raises:
            EngineUnavailable: The engine cannot be loaded; the message says what to do.
        """

    @property
    @abstractmethod
    def models(self) -> tuple[str, ...]:
        """Names of the models that can be picked as `engine/model`, as far as known by now."""

    async def ask_for_models(self) -> None:
        """Complete `models` if an upstream knows them; never takes long."""
        return

    @abstractmethod
    def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        """Yield the answer in OpenAI's format: whole events up to `[DONE]` for a stream, else one JSON object.

        Raises:
            BadRequest: The request is invalid, or moderation refused it.
            Declined: This engine cannot do what the request asks for.
            EngineFailed: No usable answer came, or (later) it broke off.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close connections, and stop what is being made."""
