"""The models that an upstream reports: asked for in the background; only the first callers wait for it, a little."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from time import monotonic

from chassis.errors import EngineFailed
from chassis.upstream.model_names import listed_in

_FRESH_SECONDS = 300.0
AGAIN_SECONDS = 30.0
"""Time until an upstream that gave no list is asked again."""
_DAY_SECONDS = 86400.0
SECONDS = 5.0
FIRST_SECONDS = 1.0
"""Time that the first callers wait, all together."""
MAX_BYTES = 4 * 2**20

log = logging.getLogger("talkbox.llm")


class Listed:
    """The names of an upstream's models, some minutes old at most.

    Args:
        ask: Fetches the list, as JSON in OpenAI's shape.
        learn: Called with each list: its models, and the day each ends, where that is given.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[bytes]],
        learn: Callable[[Mapping[str, date | None]], None] = lambda listed: None,
    ) -> None:
        self._ask, self._learn = ask, learn
        self.names: tuple[str, ...] = ()
        """Names known by now."""
        self._since = -math.inf
        self._next = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Ask for the list again where it is old, for the next caller; where there is none yet, wait a little."""
        self.ask_again()
        left = self._since + FIRST_SECONDS - monotonic()
        if self._asking is not None and not self.names and left > 0:
            await asyncio.wait({self._asking}, timeout=left)

    def ask_daily(self) -> None:
        """Ask for the list in the background, unless that was done today."""
        if monotonic() > self._since + _DAY_SECONDS:
            self.ask_again()

    def ask_again(self) -> None:
        """Ask for the list in the background, where it is old."""
        if monotonic() > self._next and self._asking is None:
            self._since = monotonic()
            self._asking = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        again = AGAIN_SECONDS
        try:
            async with asyncio.timeout(SECONDS):
                listed = listed_in(await self._ask())
            self.names = tuple(listed)
            self._learn(listed)
            again = _FRESH_SECONDS
        except (EngineFailed, TimeoutError, ValueError) as exc:
            log.info("the list of models could not be read (%s)", type(exc).__name__)  # many have no such path
        finally:
            self._next = monotonic() + again
            self._asking = None

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
