"""Which models an upstream says it has: asked in the background; only the first callers wait for it, a little."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from time import monotonic

import msgspec
from msgspec import Struct

from chassis.errors import EngineFailed

FRESH_SECONDS = 300.0
AGAIN_SECONDS = 30.0
"""Until one that told nothing is asked again."""
SECONDS = 5.0
FIRST_SECONDS = 1.0
"""How long the first callers wait, all together."""
MOST = 500
LONGEST_NAME = 200
MAX_BYTES = 4 * 2**20

log = logging.getLogger("talkbox.llm")


class _Model(Struct):
    id: str


class _List(Struct):
    data: list[_Model]


class Listed:
    """The names, as of some minutes ago at most.

    Args:
        ask: Fetches the list, as JSON in OpenAI's shape.
    """

    def __init__(self, ask: Callable[[], Awaitable[bytes]]) -> None:
        self._ask = ask
        self.names: tuple[str, ...] = ()
        """What is known by now."""
        self._since = 0.0
        self._next = -math.inf
        self._asking: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Where what is known is old, it is asked for again, for the next caller; where nothing is, wait a little."""
        if monotonic() > self._next and self._asking is None:
            self._since = monotonic()
            self._asking = asyncio.create_task(self._refresh())
        left = self._since + FIRST_SECONDS - monotonic()
        if self._asking is not None and not self.names and left > 0:
            await asyncio.wait({self._asking}, timeout=left)

    async def _refresh(self) -> None:
        again = AGAIN_SECONDS
        try:
            async with asyncio.timeout(SECONDS):
                self.names = names_in(await self._ask())
            again = FRESH_SECONDS
        except (EngineFailed, TimeoutError, ValueError) as exc:
            log.info("models were not told: %s", type(exc).__name__)  # many an upstream has no such path
        finally:
            self._next = monotonic() + again
            self._asking = None

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})


def names_in(body: bytes) -> tuple[str, ...]:
    """Raises:
    ValueError: It is no list of models.
    """
    listed = msgspec.json.decode(body, type=_List)
    names = (model.id for model in listed.data if 0 < len(model.id) <= LONGEST_NAME and model.id.isprintable())
    return tuple(dict.fromkeys(names))[:MOST]
