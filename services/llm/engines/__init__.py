"""What an engine is, and which there are. A name that is not in the table is a row of settings for `openai`."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol

from llm.wire import Asked

COMPANION = "companion"
ENGINES = {
    "dify": "llm.engines.dify:Dify",
    "gguf": "llm.engines.gguf.engine:Gguf",
    "local": "llm.engines.openai.local:Local",
    COMPANION: "llm.engines.companion.engine:Companion",
}
ROWS = "llm.engines.openai.engine:OpenAI"
"""Any upstream that speaks the dialect, under the name its settings have."""


class Engine(Protocol):
    """A conversation in, the next words out."""

    first_byte_seconds: float

    @property
    @abstractmethod
    def models(self) -> tuple[str, ...]:
        """Models that can be picked as `engine/model`, as far as they are known by now."""

    async def ask_for_models(self) -> None:
        """Make `models` complete where somebody else knows them; never takes long."""
        return

    @abstractmethod
    def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        """The answer in OpenAI's dialect: whole events up to `[DONE]` where a stream is wanted, else one JSON object.

        Raises:
            BadRequest: The caller's mistake, or refused by moderation.
            Declined: Not what this engine can do.
            EngineFailed: Nothing usable came, or (later) not to its end.
        """

    @abstractmethod
    async def aclose(self) -> None: ...
