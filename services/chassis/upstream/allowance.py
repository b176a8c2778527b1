"""How often a provider may be asked, and by how many at a time: what was bought is kept to before it has to refuse."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from chassis.errors import TooBusy
from chassis.settings import Count, Options

_PATIENCE_SECONDS = 1.0
"""Longest wait for a place; then the next engine is asked."""
_UNLIMITED = nullcontext()


class LimitOptions(Options, frozen=True, kw_only=True):
    """Limits of one provider; beyond them the next engine answers."""

    prefix = "<SERVICE>_<NAME>_"
    concurrent: Count | None = None
    """Requests at a time, as many as were bought; others wait for a moment. Unset: no limit."""
    requests: str = ""
    """Requests in a time, such as `20/minute; 1000/day`, counted in each process. Empty: no limit."""

    def spare(self, wanted: int) -> int:
        """Return how many more requests one caller may have under way beside the first, of those that are `wanted`."""
        return wanted if self.concurrent is None else min(wanted, self.concurrent - 1)


class Allowance:
    """The places at one provider.

    Args:
        prefix: Start of the variables that hold the limits, for messages.

    Raises:
        SettingError: The rate cannot be understood.
    """

    def __init__(self, limits: LimitOptions, name: str, prefix: str) -> None:
        self._name = name
        self._places = self._rate = None
        if limits.concurrent is not None:
            self._places = asyncio.Semaphore(limits.concurrent)
        if limits.requests:
            from chassis.budgets.counters import Rate  # its library is large, and few want it

            self._rate = Rate(limits.requests, f"{prefix}REQUESTS")

    def place(self) -> AbstractAsyncContextManager[None]:
        """Return what holds a place for one request, to the end of its answer.

        Raises:
            TooBusy: All places are taken, or the rate is used up.
        """
        return _UNLIMITED if self._places is None and self._rate is None else self._limited()

    @asynccontextmanager
    async def _limited(self) -> AsyncGenerator[None, None]:
        if self._places is not None:
            await self._enter(self._places)
        try:  # who finds no place is not counted
            if self._rate is not None and (spent := await self._rate.take(self._name)):
                raise TooBusy(
                    f"{self._name} has been asked as often as it may be.",
                    reason="engine_rate",
                    retry_after=spent.seconds,
                )
            yield
        finally:
            if self._places is not None:
                self._places.release()

    async def _enter(self, places: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await places.acquire()
        except TimeoutError as exc:
            message = f"All places at {self._name} are taken. Try again in a moment."
            raise TooBusy(message, reason="engine_places", retry_after=_PATIENCE_SECONDS) from exc
