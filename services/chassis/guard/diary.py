"""A diary of the minutes in which each key talked, kept over a restart: a file, or a Valkey of several machines.

It holds names of keys and minutes of today, and nothing that was said.
"""

import asyncio
import logging
import os
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Protocol

from chassis.privacy import Storage
from chassis.settings import SettingError, value_of

_SERVERS = ("redis://", "rediss://", "valkey://", "valkeys://")
FILE = "limits.db"
_LOCK_SECONDS = 2.0
PATIENCE_SECONDS = 0.25
_DAY_SECONDS = 86_400

log = logging.getLogger("talkbox.guard")


class _Pages(Protocol):
    async def note(self, key: str, day: date, minute: int) -> set[int]:
        """Note a minute; return those of that key and day that were noted before.

        Raises:
            OSError: The place is away.
        """

    async def aclose(self) -> None:
        """Close what is open."""


class Diary:
    """Notes minutes where `place` says, and beside that in this process, which has to do while that place is away.

    Args:
        place: A file, or `redis://host:6379` (Valkey's the same); empty: `limits.db` beside the weights.

    Raises:
        SettingError: The address of the server cannot be used.
    """

    def __init__(self, place: str = "") -> None:
        path = place or str(Path(value_of("MODELS_DIR") or "models") / FILE)
        self._is_server = path.startswith(_SERVERS)
        self.place = path.rpartition("@")[2] if self._is_server else path
        self._pages: _Pages = _Server(path) if self._is_server else _File(Path(path).expanduser())
        self._own: dict[tuple[str, date], set[int]] = {}
        self._is_away = False

    @property
    def keeps(self) -> Storage:
        """Entry for the sheet of what is kept."""
        where = "minutes of talk by the name of a key"
        return Storage(
            where,
            "server" if self._is_server else "disk",
            words=False,
            setting="LIMITS_MINUTES, LIMITS_STORE",
            days=1.0,
            address=self.place,
        )

    async def note(self, key: str, day: date, minute: int) -> list[int]:
        """Note that a key talked in this minute of a day; return its minutes of that day that were noted before."""
        for old in [each for each in self._own if each[1] != day]:
            del self._own[old]
        own = self._own.setdefault((key, day), set())
        try:
            own |= await self._pages.note(key, day, minute)
        except OSError as exc:
            if not self._is_away:
                log.warning("LIMITS_STORE: minutes cannot be written to %s (%s); this process counts", self.place, exc)
            self._is_away = True
        else:
            self._is_away = False
        before = sorted(own)
        own.add(minute)
        return before

    async def aclose(self) -> None:
        await self._pages.aclose()


class _File(_Pages):
    """Minutes in a file of SQLite, which several processes may share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def note(self, key: str, day: date, minute: int) -> set[int]:
        return await asyncio.to_thread(self._note, key, day.isoformat(), minute)

    def _note(self, key: str, day: str, minute: int) -> set[int]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self._path, timeout=_LOCK_SECONDS)) as file, file:
                file.execute(
                    "create table if not exists talk (key text, day text, minute int, unique (key, day, minute))"
                )
                file.execute("delete from talk where day < ?", (day,))
                rows = file.execute("select minute from talk where key = ? and day = ?", (key, day)).fetchall()
                file.execute("insert or ignore into talk values (?, ?, ?)", (key, day, minute))
        except sqlite3.Error as exc:
            raise OSError(str(exc)) from exc
        return {found for (found,) in rows}

    async def aclose(self) -> None:
        """Do nothing: no file stays open between two notes."""


class _Server(_Pages):
    """Minutes at a server that several machines share."""

    def __init__(self, url: str) -> None:
        from redis.asyncio import Redis  # a large library, and few want it

        try:
            self._server = Redis.from_url(
                "redis" + url.removeprefix("valkey") if url.startswith("valkey") else url,
                socket_timeout=PATIENCE_SECONDS,
                socket_connect_timeout=PATIENCE_SECONDS,
            )
        except ValueError as exc:
            raise SettingError(f"LIMITS_STORE: {exc}.") from exc

    async def note(self, key: str, day: date, minute: int) -> set[int]:
        from redis.exceptions import RedisError

        name = f"talkbox:minutes:{day.isoformat()}:{key}"
        try:
            async with self._server.pipeline() as pipe:
                pipe.smembers(name)
                pipe.sadd(name, minute)
                pipe.expire(name, 2 * _DAY_SECONDS)
                found, *_ = await pipe.execute()
        except RedisError as exc:
            raise OSError(type(exc).__name__) from exc
        return {int(each) for each in found}

    async def aclose(self) -> None:
        await self._server.aclose()
