"""The owner is told of a crisis at an address of theirs: which kind, where, whose key and when.

No word of what was said is in it.
"""

import asyncio
import logging
from time import time

import msgspec

from chassis.errors import ApiError
from chassis.guard.rules import Side
from chassis.settings import SettingError
from chassis.upstream.client import Unusable, Upstream

MOST_WAITING = 64
"""Most notices that may wait; further ones are dropped."""
SECONDS = 5.0

log = logging.getLogger("talkbox.guard")


class Notices:
    """Sends notices one after another; nobody waits for them.

    Raises:
        SettingError: The address cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            self._owner = Upstream(url, {"content-type": "application/json"}, setting="GUARD_WEBHOOK_URL")
        except Unusable as exc:
            raise SettingError(f"GUARD_WEBHOOK_URL: {exc}.") from exc
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    @property
    def server(self) -> str:
        """Name of the server to which a crisis is reported."""
        return self._owner.shown

    def tell(self, kind: str, side: Side, key: str | None) -> None:
        """Send a notice, later."""
        notice = msgspec.json.encode({"kind": kind, "side": side, "key": key, "time": int(time())})
        if self._waiting.full():
            log.warning("a notice of the guard was dropped: %d are waiting", MOST_WAITING)
            return
        self._waiting.put_nowait(notice)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while not self._waiting.empty():
            notice = self._waiting.get_nowait()
            try:
                async with asyncio.timeout(SECONDS):
                    reply = await self._owner.post(notice, {})
                    await reply.aclose()
                    if reply.status >= 400:
                        log.warning("GUARD_WEBHOOK_URL answered %d", reply.status)
            except (ApiError, TimeoutError) as exc:
                log.warning("a notice of the guard did not arrive: %s", str(exc) or "too slow")

    async def aclose(self) -> None:
        """Send what waits, and close the connection."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=SECONDS)
            self._task.cancel()
        await self._owner.aclose()
