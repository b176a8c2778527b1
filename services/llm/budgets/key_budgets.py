"""Account for tokens: those of each key and engine for Prometheus, and the budgets of keys."""

import logging
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from prometheus_client import Counter

from chassis.errors import TooBusy
from chassis.metrics import of
from chassis.privacy import Storage
from chassis.settings import by_name
from llm.answer.usage import Counts, Tally
from llm.request.messages import estimated
from llm.settings import MEMORY, Settings
from llm.wire import ChatRequest

if TYPE_CHECKING:
    from llm.budgets.counters import Rate, Spent, Store

tokens = Counter("talkbox_tokens_total", "Tokens asked and answered", ["key", "engine", "kind", "counted"])
"""`kind`: prompt or completion; `counted`: upstream or estimate."""

_NOBODY = "anyone"
"""Name of the one budget where no keys are needed."""
_EVERYBODY = ""
_UNLIMITED = "off"
_DAY_SECONDS = 86_400

log = logging.getLogger("talkbox.llm")


class Overdrawn(TooBusy):
    """A key has used up its budget.

    Args:
        lasting: The budget comes back too late for another try; OpenAI has another code for that.
    """

    def __init__(self, message: str, *, retry_after: float, lasting: bool) -> None:
        super().__init__(message, reason="budget", retry_after=retry_after)
        self.lasting = lasting
        if lasting:
            self.body |= {"type": "insufficient_quota", "code": "insufficient_quota"}

    @property
    def headers(self) -> dict[str, str]:
        told = {"retry-after": str(math.ceil(self.retry_after or 1))}
        return told | ({"x-should-retry": "false"} if self.lasting else {})


class Accounts:
    """Accounts of one service.

    Args:
        names: Names of the keys that may call.

    Raises:
        SettingError: A budget or the place to count it in cannot be used.
    """

    def __init__(self, settings: Settings, names: Iterable[str] = ()) -> None:
        wanted = settings.key_requests or settings.key_tokens
        self._place = settings.budgets_url
        self._store = _store(settings.budgets_url) if wanted else None
        self._requests = Budgets(settings.key_requests, "LLM_KEY_REQUESTS", self._store, names)
        self._tokens = Budgets(settings.key_tokens, "LLM_KEY_TOKENS", self._store, names)

    @property
    def keeps(self) -> tuple[Storage, ...]:
        """Entries for the sheet of what is kept."""
        if self._store is None:
            return ()
        where: Literal["memory", "server"] = "memory" if self._place == MEMORY else "server"
        setting = "LLM_KEY_REQUESTS, LLM_KEY_TOKENS"
        return (Storage("budgets by the name of a key", where, words=False, setting=setting, days=1.0),)

    async def aclose(self) -> None:
        if self._store is not None:
            await self._store.aclose()

    async def admit(self, key: str | None) -> None:
        """Take a request from the key's budget.

        Raises:
            Overdrawn: The key has used up its budget.
        """
        whose = key or _NOBODY
        if (rate := self._tokens.of(whose)) is not None and (spent := await rate.left(f"tokens:{whose}")):
            raise _overdrawn("tokens", spent)
        if (rate := self._requests.of(whose)) is not None and (spent := await rate.take(f"requests:{whose}")):
            raise _overdrawn("requests", spent)

    async def note(self, key: str | None, engine: str, wanted: ChatRequest, tally: Tally) -> Counts:
        """Note the cost of an answer, be it whole or not, and return it."""
        counts = tally.counts(lambda: estimated(wanted.messages))
        counted = "estimate" if tally.told is None else "upstream"
        of(tokens, key or "", engine, "prompt", counted).inc(counts.prompt_tokens)
        of(tokens, key or "", engine, "completion", counted).inc(counts.completion_tokens)
        whose = key or _NOBODY
        if (rate := self._tokens.of(whose)) is not None and (cost := counts.prompt_tokens + counts.completion_tokens):
            await rate.spend(f"tokens:{whose}", cost)
        return counts


class Budgets:
    """Limits of each key, as in `20/minute; 500/day, kitchen: 100/minute, guest: off`.

    Limits without a name hold for each key that is not named.
    """

    def __init__(self, text: str, variable: str, store: "Store | None", names: Iterable[str]) -> None:
        """Read the limits.

        Raises:
            SettingError: The text cannot be understood.
        """
        known, limits_of = frozenset(names), by_name(text)
        for name in limits_of:
            if name and name not in known:
                there_are = ", ".join(sorted(known)) or "none"
                log.warning(
                    "%s names %r, but no key of API_KEYS is called that; there are: %s", variable, name, there_are
                )
        self._of = {name: _rate("; ".join(limits), variable, store) for name, limits in limits_of.items()}

    def of(self, key: str) -> "Rate | None":
        return self._of[key] if key in self._of else self._of.get(_EVERYBODY)


def _store(place: str) -> "Store":
    from llm.budgets.counters import Store  # its library is large, and few want it

    return Store(place)


def _rate(limits: str, variable: str, store: "Store | None") -> "Rate | None":
    if limits.lower() == _UNLIMITED:
        return None
    from llm.budgets.counters import Rate

    return Rate(limits, variable, store)


def _overdrawn(what: str, spent: "Spent") -> Overdrawn:
    message = f"This key has used up its {what} ({spent.limit}). Try again in {_shown(spent.seconds)}."
    return Overdrawn(message, retry_after=spent.seconds, lasting=spent.window_seconds >= _DAY_SECONDS)


def _shown(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
