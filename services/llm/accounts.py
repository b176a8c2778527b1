"""Account for tokens: those of each key and engine for Prometheus, and the budgets of keys."""

from collections.abc import Iterable

from chassis.budgets.key_budgets import KeyBudgets
from chassis.metrics import Counter, of
from llm.answer.usage import Counts, Tally
from llm.request.messages import estimated
from llm.settings import Settings
from llm.wire import ChatRequest

tokens = Counter("talkbox_tokens_total", "Tokens asked and answered", ["key", "engine", "kind", "counted"])
"""`kind`: prompt or completion; `counted`: upstream or estimate."""


class Accounts(KeyBudgets):
    """Accounts of the keys that may call.

    Args:
        names: Names of those keys.

    Raises:
        SettingError: A budget or the place to count it in cannot be used.
    """

    def __init__(self, settings: Settings, names: Iterable[str] = ()) -> None:
        super().__init__(settings, "tokens", settings.key_tokens, names)

    async def note(self, key: str | None, engine: str, wanted: ChatRequest, tally: Tally) -> Counts:
        """Note the cost of an answer, be it whole or not, and return it."""
        counts = tally.counts(lambda: estimated(wanted.messages))
        counted = "estimate" if tally.told is None else "upstream"
        of(tokens, key or "", engine, "prompt", counted).inc(counts.prompt_tokens)
        of(tokens, key or "", engine, "completion", counted).inc(counts.completion_tokens)
        await self.spend(key, counts.prompt_tokens + counts.completion_tokens)
        return counts
