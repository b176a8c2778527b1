"""Which models an upstream says it has: asked in the background, so that no answer waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

import msgspec
from msgspec import Struct

from chassis.errors import EngineFailed

FRESH_SECONDS = 300.0
SECONDS = 5.0
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
        self._names: tuple[str, ...] = ()
        self._asked: float | None = None
        self._asking: asyncio.Task[None] | None = None

    def names(self) -> tuple[str, ...]:
        """What is known; where that is old, it is asked for again, for the next caller."""
        stale = self._asked is None or monotonic() - self._asked > FRESH_SECONDS
        if stale and self._asking is None:
            self._asked = monotonic()
            self._asking = asyncio.create_task(self._refresh())
        return self._names

    async def refreshed(self) -> None:
        """Until what is under way has come to its end."""
        if self._asking is not None:
            await asyncio.wait({self._asking})

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                self._names = names_in(await self._ask())
        except (EngineFailed, TimeoutError, ValueError) as exc:
            log.info("models were not told: %s", type(exc).__name__)  # many an upstream has no such path
        finally:
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
