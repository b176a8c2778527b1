"""A limit of time for one wait, at a third of the price of asyncio's: each request waits so for its first piece."""

import asyncio
from types import TracebackType


class Patience:
    """Context manager that ends its block with `TimeoutError` after `seconds`, as `asyncio.timeout` does.

    Args:
        seconds: None: there is no limit.
    """

    __slots__ = ("_cancelling", "_seconds", "_task", "_timer", "is_over")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.is_over = False
        """The time was up before the block had ended."""

    def __enter__(self) -> "Patience":
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        if self._seconds is not None:
            self._timer = loop.call_later(max(0.0, self._seconds), self._end)
        return self

    def _end(self) -> None:
        self.is_over = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from raised
