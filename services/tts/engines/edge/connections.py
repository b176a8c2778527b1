"""Open connections to Edge's service ahead, so that the next sentence waits for no handshake.

edge-tts opens a WebSocket for each sentence, and has no parameter for one that is open already. So its name `aiohttp`
is replaced by `Aiohttp`, whose sessions open a connection as usual, or hand out an open one. All else stays
edge-tts's own, its remedy for a wrong clock included. If a later version does not use that name any more, only the
time of the handshakes is lost.
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

_MOST = 2
"""Number of connections kept open: servers of toys ask for two sentences at a time."""
_SECONDS = 15.0
"""Time that an idle connection is kept: a conversation's next sentence comes sooner, and a connection that was idle for
longer may be dead without a sign."""
REST_SECONDS = 60.0
"""Pause after a connection could not be opened ahead."""
_CONNECTION_ID = re.compile(r"(?<=&ConnectionId=)[0-9a-f]+")


class Open(NamedTuple):
    """Open connection on which nothing was sent yet."""

    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse[Any]

    async def aclose(self) -> None:
        try:
            await self.socket.close()
        finally:
            await self.session.close()


class Handshakes:
    """Connections that are open ahead: as many as were in use lately, and only for a while after."""

    def __init__(self) -> None:
        self._spare: dict[asyncio.Task[None], Open] = {}
        """Open connections by the task that watches each."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = 0
        self._not_before = 0.0

    @property
    def ready(self) -> int:
        return len(self._spare)

    @contextmanager
    def lent(self, *, new: bool = False) -> "Iterator[Borrower]":
        """Let edge-tts use an open connection inside this context.

        Args:
            new: True to have a new connection opened in any case.
        """
        borrower = Borrower(self, new=new)
        token = _borrowers.set(borrower)
        try:
            yield borrower
        finally:
            _borrowers.reset(token)

    async def take(self) -> Open | None:
        """Return a connection that is open, as far as can be known, or None."""
        while self._spare:
            watch, spare = self._spare.popitem()
            watch.cancel()
            await asyncio.wait({watch})
            if not spare.socket.closed:
                return spare
            await spare.session.close()
        return None

    def open_another(self, url: str, for_session: dict[str, Any], for_socket: dict[str, Any]) -> None:
        """Open a connection in the background, with the arguments of the one before."""
        now = asyncio.get_running_loop().time()
        if len(self._spare) + self._opening < _MOST and now >= self._not_before:
            self._opening += 1
            task = asyncio.create_task(self._open(_CONNECTION_ID.sub(uuid4().hex, url), for_session, for_socket))
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
        """Close an idle connection when its time is over or the service ends it; `take` cancels this."""
        try:
            async with asyncio.timeout(_SECONDS):
                await spare.socket.receive()
        except TimeoutError:
            pass
        this = asyncio.current_task()
        assert this is not None
        self._spare.pop(this, None)
        await spare.aclose()

    async def aclose(self) -> None:
        if self._opening:  # a finished handshake is easier to close than one under way
            await asyncio.wait([task for task in self._tasks if task not in self._spare], timeout=0.5)
        spare, self._spare = list(self._spare.values()), {}
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in spare:
            await each.aclose()


class Borrower:
    """Claim of one sentence on the open connections."""

    def __init__(self, handshakes: Handshakes, *, new: bool) -> None:
        self._handshakes, self._new = handshakes, new
        self.borrowed = False
        """True if the sentence got a connection that was open already."""

    async def connect(self, url: str, for_session: dict[str, Any], for_socket: dict[str, Any]) -> Open:
        """Return an open connection, or a new one.

        Raises:
            aiohttp.ClientError: A new connection could not be opened.
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
    """Stand-in for the session that edge-tts opens."""

    def __init__(self, borrower: Borrower, how: dict[str, Any]) -> None:
        self._borrower, self._how = borrower, how

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: `_Connection` closes the connection."""

    def ws_connect(self, url: str, **how: Any) -> "_Connection":
        return _Connection(self._borrower, url, self._how, how)


class _Connection:
    """Stand-in for the connection that edge-tts opens."""

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
    """Stand-in for the module aiohttp, whose sessions may hand out open connections."""

    def __getattr__(self, name: str) -> Any:
        return getattr(aiohttp, name)

    def ClientSession(self, **how: Any) -> Any:
        borrower = _borrowers.get()
        return aiohttp.ClientSession(**how) if borrower is None else _Session(borrower, how)


vars(edge_tts.communicate)["aiohttp"] = Aiohttp()
