"""The context that all talks of one model share: each takes the tokens that it may need, or waits for them.

llama.cpp ends every answer that is being made when the tokens of all together become too many. So no question is let
in that does not fit, with its longest answer, beside those of the others.
"""

import asyncio
from collections import deque
from contextlib import suppress

from chassis.errors import TooBusy

LEAVING_SECONDS = 1.5
"""Time for which the tokens of a caller who left may still be in use: llama.cpp looks for its caller once a second."""


class SharedContext:
    """Tokens, given out in the order of arrival.

    Args:
        tokens: Tokens of the context.
        patience_seconds: Longest wait for some of them.
    """

    def __init__(self, tokens: int, patience_seconds: float) -> None:
        self.tokens = self.free = tokens
        self.patience_seconds = patience_seconds
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, wanted: int) -> int:
        """Take tokens for one answer, at most all there are; return how many, for `give_back` or `leave`.

        Raises:
            TooBusy: They are not free in time.
        """
        tokens = min(wanted, self.tokens)
        if tokens <= self.free and not self._waiting:
            self.free -= tokens
            return tokens
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((tokens, turn))
        try:
            async with asyncio.timeout(self.patience_seconds):
                await turn
        except BaseException as exc:
            with suppress(ValueError):
                self._waiting.remove((tokens, turn))
            self.give_back(0 if turn.cancelled() else tokens)  # they came together with the end of patience
            if isinstance(exc, TimeoutError):
                message = "Others talk, and leave too little of the context. Try again in a moment."
                raise TooBusy(message, reason="context", retry_after=1.0) from exc
            raise
        return tokens

    def give_back(self, tokens: int) -> None:
        """Give back the tokens of an answer that has ended, to those who wait."""
        self.free += tokens
        while self._waiting and self._waiting[0][0] <= self.free:
            needed, turn = self._waiting.popleft()
            if not turn.done():
                self.free -= needed
                turn.set_result(None)

    def leave(self, tokens: int) -> None:
        """Give back the tokens of an answer whose caller left, once llama.cpp must have noticed."""
        asyncio.get_running_loop().call_later(LEAVING_SECONDS, self.give_back, tokens)
