"""What is used: tokens of each key and engine for Prometheus, and the budgets of keys."""

from typing import TYPE_CHECKING

from prometheus_client import Counter

from chassis.errors import TooBusy
from llm.conversation import estimated
from llm.settings import Settings
from llm.usage import Tally
from llm.wire import ChatRequest

if TYPE_CHECKING:
    from llm.budgets import Rate

tokens = Counter("talkbox_tokens_total", "Tokens asked and answered", ["key", "engine", "kind", "counted"])
"""`kind`: prompt or completion; `counted`: by whom, upstream or estimate."""

NOBODY = "anyone"
"""Whose budget it is where no keys are asked for."""


class Accounts:
    """Of one service.

    Raises:
        SettingError: A budget cannot be understood.
    """

    def __init__(self, settings: Settings) -> None:
        self._requests = _rate(settings.key_requests, "LLM_KEY_REQUESTS", settings.budgets_url)
        self._tokens = _rate(settings.key_tokens, "LLM_KEY_TOKENS", settings.budgets_url)

    async def admit(self, key: str | None) -> None:
        """Raises:
        TooBusy: The key has used up what it may.
        """
        if self._requests is None and self._tokens is None:
            return
        whose = key or NOBODY
        for what, rate in (("requests", self._requests), ("tokens", self._tokens)):
            if rate is not None and (wait := await rate.wait(f"{what}:{whose}")):
                raise TooBusy(f"This key has used up its {what}. Try again in {wait:.0f} s.", retry_after=wait)
        if self._requests is not None:
            await self._requests.spend(f"requests:{whose}")

    async def note(self, key: str | None, engine: str, wanted: ChatRequest, tally: Tally) -> None:
        """What an answer has cost, be it whole or not."""
        counts = tally.counts(lambda: estimated(wanted.messages))
        counted = "estimate" if tally.told is None else "upstream"
        tokens.labels(key or "", engine, "prompt", counted).inc(counts.prompt_tokens)
        tokens.labels(key or "", engine, "completion", counted).inc(counts.completion_tokens)
        if self._tokens is not None and (spent := counts.prompt_tokens + counts.completion_tokens):
            await self._tokens.spend(f"tokens:{key or NOBODY}", spent)


def _rate(text: str, variable: str, place: str) -> "Rate | None":
    if not text:
        return None
    from llm.budgets import Rate  # its library is large, and few want it

    return Rate(text, variable, place)
