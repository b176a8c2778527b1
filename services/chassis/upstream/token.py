"""Tokens that a provider gives for a key."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from time import monotonic
from typing import TypeVar

from chassis.errors import EngineRefused

T = TypeVar("T")

_TOKEN_MARGIN = 0.1
"""Share of a token's life before its end in which it is made anew."""


class Token:
    """A token that is made from a key, used until shortly before its end, and made anew when it is refused.

    Args:
        make: Asks for one; returns it with the seconds for which it is good.
    """

    def __init__(self, make: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._make = make
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """Return a token that is good now. Callers who come together wait for one request."""
        async with self._lock:
            if not self._token or monotonic() >= self._until:
                self._token, seconds = await self._make()
                self._until = monotonic() + seconds * (1 - _TOKEN_MARGIN)
            return self._token

    def forget(self, token: str) -> None:
        """Make a new one the next time, if `token` is still the present one: it was refused."""
        if token == self._token:
            self._token = ""

    async def renewed(self, begin: Callable[[str], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """Yield what `begin` yields for a token; one that is refused before the first item is made anew, once.

        Raises:
            EngineRefused: The new one is refused too.
        """
        token, began = await self.get(), False
        try:
            async with aclosing(begin(token)) as items:
                async for item in items:
                    began = True
                    yield item
        except EngineRefused:
            self.forget(token)
            if began:
                raise
        else:
            return
        async with aclosing(begin(await self.get())) as items:
            async for item in items:
                yield item
