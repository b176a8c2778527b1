"""Keep the work on long texts off the event loop, so that other callers are answered meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LONG = 600
"""Characters that take a few milliseconds, whatever they are: about as long as the way to a thread is worth."""


async def aside(text: str, work: Callable[[], T]) -> T:
    """Return what `work` makes of the text: in a thread if it is long, else at once."""
    return await asyncio.to_thread(work) if len(text) > LONG else work()
