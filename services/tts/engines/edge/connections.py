"""Connections to Edge's service opened ahead, so that the next sentence waits for no handshake.

edge-tts opens a WebSocket for each thing it is to say, and has no place where one could be given to it. So it finds
our `Aiohttp` where it looks for aiohttp: whose sessions open a connection as ever, or hand out one that is open. All
else, its remedy for a wrong clock included, stays edge-tts's own; and where a later version should not look there any
more, nothing is lost but the time.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import uuid4

import aiohttp
import edge_tts.communicate

MOST = 2
"""Toys' servers ask for two sentences at a time."""
SECONDS = 15.0
"""How long one is kept for whoever speaks next: a conversation's next sentence comes sooner, and a connection that has
been idle for longer may be dead without a sign."""
REST_SECONDS = 60.0
"""Where one could not be opened ahead."""
CONNECTION_ID = re.compile(r"(?<=&ConnectionId=)[0-9a-f]+")


class Open(NamedTuple):
    """A connection that nobody has said anything on yet."""

    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse[Any]

    async def aclose(self) -> None:
        try:
            await self.socket.close()
        finally:
            await self.session.close()


class Handshakes:
    """The few that are open ahead: as many as were just in use, and only for a while after."""

    def __init__(self) -> None:
        self._spare: dict[asyncio.Task[None], Open] = {}
        """By what watches them."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = 0
        self._not_before = 0.0

    @property
    def ready(self) -> int:
        return len(self._spare)

    @contextmanager
    def lent(self, *, new: bool = False) -> "Iterator[Borrower]":
        """What edge-tts opens in here may be one that is open.

        Args:
            new: It may not.
        """
        borrower = Borrower(self, new=new)
        token = _borrowers.set(borrower)
        try:
            yield borrower
        finally:
            _borrowers.reset(token)

    async def take(self) -> Open | None:
        """One that is open, as far as can be known."""
        while self._spare:
            watch, spare = self._spare.popitem()
            watch.cancel()
            await asyncio.wait({watch})
            if not spare.socket.closed:
                return spare
            await spare.session.close()
        return None

    def open_another(self, url: str, for_session: dict[str, Any], for_socket: dict[str, Any]) -> None:
        """In the background, as the one before was opened."""
        now = asyncio.get_running_loop().time()
        if len(self._spare) + self._opening < MOST and now >= self._not_before:
            self._opening += 1
            task = asyncio.create_task(self._open(CONNECTION_ID.sub(uuid4().hex, url), for_session, for_socket))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self, url: str, for_session: dict[str, Any], for_socket: dict[str, Any]) -> None:
        session = aiohttp.ClientSession(**for_session)
        try:
            socket = await session.ws_connect(url, **for_socket)
        except BaseException as exc:
            await session.close()
            if not isinstance(exc, (aiohttp.ClientError, OSError, TimeoutError)):
                raise
            self._not_before = asyncio.get_running_loop().time() + REST_SECONDS
            return
        finally:
            self._opening -= 1
        watch = asyncio.create_task(self._watch(Open(session, socket)))
        self._spare[watch] = Open(session, socket)
        self._tasks.add(watch)
        watch.add_done_callback(self._tasks.discard)

    async def _watch(self, spare: Open) -> None:
        """Until its time is over, or the other side has had enough of it; whoever takes it ends this."""
        try:
            async with asyncio.timeout(SECONDS):
                await spare.socket.receive()
        except TimeoutError:
            pass
        this = asyncio.current_task()
        assert this is not None
        self._spare.pop(this, None)
        await spare.aclose()

    async def aclose(self) -> None:
        if self._opening:  # a handshake is ended more easily when it is over
            await asyncio.wait([task for task in self._tasks if task not in self._spare], timeout=0.5)
        spare, self._spare = list(self._spare.values()), {}
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in spare:
            await each.aclose()


class Borrower:
    """One sentence's claim on them."""

    def __init__(self, handshakes: Handshakes, *, new: bool) -> None:
        self._handshakes, self._new = handshakes, new
        self.borrowed = False
        """It was given one that was open already."""

    async def connect(self, url: str, for_session: dict[str, Any], for_socket: dict[str, Any]) -> Open:
        """Raises:
        aiohttp.ClientError: A new one could not be opened.
        """
        found = None if self._new else await self._handshakes.take()
        self.borrowed = found is not None
        if found is None:
            session = aiohttp.ClientSession(**for_session)
            try:
                found = Open(session, await session.ws_connect(url, **for_socket))
            except BaseException:
                await session.close()
                raise
        self._handshakes.open_another(url, for_session, for_socket)
        return found


_borrowers: ContextVar[Borrower | None] = ContextVar("borrowers", default=None)


class _Session:
    """What edge-tts takes for a session."""

    def __init__(self, borrower: Borrower, how: dict[str, Any]) -> None:
        self._borrower, self._how = borrower, how

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Its connection is closed by itself."""

    def ws_connect(self, url: str, **how: Any) -> "_Connection":
        return _Connection(self._borrower, url, self._how, how)


class _Connection:
    def __init__(self, borrower: Borrower, url: str, for_session: dict[str, Any], for_socket: dict[str, Any]) -> None:
        self._connect = (url, for_session, for_socket)
        self._borrower = borrower

    async def __aenter__(self) -> aiohttp.ClientWebSocketResponse[Any]:
        self._open = await self._borrower.connect(*self._connect)
        return self._open.socket

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()


class Aiohttp:
    """aiohttp, with sessions that may borrow."""

    def __getattr__(self, name: str) -> Any:
        return getattr(aiohttp, name)

    def ClientSession(self, **how: Any) -> Any:
        borrower = _borrowers.get()
        return aiohttp.ClientSession(**how) if borrower is None else _Session(borrower, how)


vars(edge_tts.communicate)["aiohttp"] = Aiohttp()
