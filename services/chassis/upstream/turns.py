"""One result of work that is begun anew with another key, or another token."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def once(
    turns: Callable[[Callable[[str], AsyncGenerator[T, None]]], AsyncGenerator[T, None]],
    work: Callable[[str], Awaitable[T]],
) -> T:
    """Return the result of `work` with a key or token that was not refused.

    Args:
        turns: `Vendor.in_turn` or `Token.renewed`.

    Raises:
        ApiError: The meaning of the last refusal.
    """

    async def only(secret: str) -> AsyncGenerator[T, None]:
        yield await work(secret)

    async with aclosing(turns(only)) as results:
        return await anext(results)
