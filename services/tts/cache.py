"""Answers kept: what was said once is not made again, and what many ask for at the same moment is made once.

An answer is filed under what one engine was to say, and how. So what a later engine said while an earlier one was down
is the later one's alone, and is never taken for the earlier one's. Only whole answers are kept.
"""

import asyncio
import logging
import os
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta
from prometheus_client import Counter

from chassis.errors import EngineFailed
from chassis.settings import Options, SettingError

CACHE_HEADER = "x-talkbox-cache"
FORM = 3
"""Raise it when the same settings and words sound otherwise than before, or files look otherwise."""
MOST_BYTES = 8 * 2**20
"""Of one answer: a longer one is neither kept nor shared any further."""
AHEAD_BYTES = 2**20
"""How far an answer is made ahead of whoever listens."""
SLICE_BYTES = 32 * 2**10
OVERHEAD_BYTES = 512
"""What an entry takes in memory beside its sound."""
SWEEP_SHARE = 1 / 16
"""Of the folder's size: after so much has been written, what is old or too much goes."""
ROOM_SHARE = 0.9
"""How full the folder is after that."""
STALE_SECONDS = 3600.0
"""After which an unfinished file is left over from a crash."""
DAY = 24 * 3600.0

How = Literal["hit", "shared", "miss"]
Megabytes = Annotated[int, Meta(ge=0)]

answers = Counter("talkbox_speech_answers_total", "Answers, by where they came from", ["source"])
log = logging.getLogger("talkbox.cache")


class CacheOptions(Options, frozen=True, kw_only=True):
    """What is kept, and where."""

    prefix = "TTS_"
    cache: bool = True
    """Off: nothing is kept, and nothing is shared."""
    cache_mb: Megabytes = 64
    """In the memory of each process."""
    cache_dir: str = ""
    """A folder, which several processes and machines may share; empty: nothing is written."""
    cache_dir_mb: Megabytes = 1024
    cache_days: Annotated[float, Meta(gt=0)] = 30.0
    """After that it is made anew."""


class Outgoing(Protocol):
    """An answer on its way out."""

    @property
    def engine(self) -> str | None:
        """Who spoke it; None: nobody needed to."""

    @property
    def how(self) -> How | None:
        """Where it came from; None: it was made for this caller alone."""

    @property
    def seconds(self) -> float:
        """How long it sounds; known once it has ended."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class Made(Outgoing, Protocol):
    """One that is being made."""

    @property
    def key(self) -> bytes:
        """What it is to be filed under."""


class Kept(msgspec.Struct, frozen=True):
    """A whole answer."""

    engine: str
    seconds: float
    made: float
    """Seconds since 1970."""
    sound: bytes


def key_of(*parts: object) -> bytes:
    """What an answer is filed under: all that decides how it sounds."""
    return blake2b(msgspec.json.encode([FORM, *parts]), digest_size=32).digest()


class Cache:
    """All of it: memory, then the folder, then what is being made just now."""

    def __init__(self, options: CacheOptions) -> None:
        """Raises:
        SettingError: The folder cannot be used.
        """
        lasts = options.cache_days * DAY
        self._memory = Memory(options.cache_mb * 2**20, lasts)
        folder = Path(options.cache_dir).expanduser() if options.cache_dir else None
        self._folder = Folder(folder, options.cache_dir_mb * 2**20, lasts) if folder else None
        self._under_way: dict[bytes, Making] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, options: CacheOptions) -> "Cache | None":
        return cls(options) if options.cache else None

    async def answer(self, asked: bytes, keys: Iterable[bytes], make: Callable[[], Awaitable[Made]]) -> Outgoing:
        """One that was kept, or is being made for somebody else, or is made now.

        Args:
            asked: The same for requests that one answer can serve.
            keys: Under which it may be found, the best first.
            make: Begins to make it.

        Raises:
            Exception: Whatever `make` raises.
        """
        keys = list(keys)
        found: Outgoing | None = self._joined(asked) or self._in_memory(keys)
        if found is None and self._folder is not None:
            found = await self._in_folder(self._folder, keys)
        making = found or self._joined(asked) or self._begun(asked, make)
        if isinstance(making, Listener):
            await making.first()
        if making.how:
            answers.labels(making.how).inc()
        return making

    def _joined(self, asked: bytes) -> "Listener | None":
        making = self._under_way.get(asked)
        return making.listen("shared") if making else None

    def _in_memory(self, keys: list[bytes]) -> "Replay | None":
        for key in keys:
            if kept := self._memory.get(key):
                return Replay(kept)
        return None

    async def _in_folder(self, folder: "Folder", keys: list[bytes]) -> "Replay | None":
        for key in keys:
            if kept := await asyncio.to_thread(folder.read, key):
                self._memory.keep(key, kept)
                return Replay(kept)
        return None

    def _begun(self, asked: bytes, make: Callable[[], Awaitable[Made]]) -> "Listener":
        def close() -> None:
            if self._under_way.get(asked) is making:
                del self._under_way[asked]

        making = self._under_way[asked] = Making(close)
        making.task = asyncio.create_task(self._run(making, make))
        self._tasks.add(making.task)
        making.task.add_done_callback(self._tasks.discard)
        return making.listen("miss")

    async def _run(self, making: "Making", make: Callable[[], Awaitable[Made]]) -> None:
        done = await making.run(make)
        if done is not None:
            self._memory.keep(*done)
        making.close()
        if done is not None and self._folder is not None:
            await asyncio.to_thread(self._folder.write, *done)


class Replay(AsyncIterator[bytes]):
    """What was kept."""

    how: How | None = "hit"

    def __init__(self, kept: Kept) -> None:
        self.engine: str | None = kept.engine
        self.seconds = kept.seconds
        sound = kept.sound
        self._slices = iter([sound[at : at + SLICE_BYTES] for at in range(0, len(sound), SLICE_BYTES)])

    async def __anext__(self) -> bytes:
        for piece in self._slices:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Nothing is open."""


class Making:
    """One answer being made, for all who listen. It stops when nobody does any more.

    Args:
        close: Lets nobody else in.
    """

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close
        self.engine: str | None = None
        self.seconds = 0.0
        self.task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._over = False
        self._pieces: deque[bytes] = deque()
        self._gone = 0
        """How many pieces are no longer there."""
        self._bytes = 0
        self._whole = True
        self._listeners: set[Listener] = set()
        self._changed = asyncio.Event()

    async def run(self, make: Callable[[], Awaitable[Made]]) -> tuple[bytes, Kept] | None:
        """To the end. What goes wrong is told to those who listen.

        Returns:
            What to keep, and under what; None where it is not whole.
        """
        try:
            made = await make()
            try:
                self.engine = made.engine
                async for piece in made:
                    await self._add(piece)
                self.seconds = made.seconds
            finally:
                await made.aclose()
        except Exception as exc:
            self._error = exc
            self.close()
        except asyncio.CancelledError:
            self._error = EngineFailed("was stopped")
            raise
        finally:
            self._over = True
            self._notify()
        if self._error is not None or not self._whole or not made.engine:
            return None
        return made.key, Kept(made.engine, made.seconds, time.time(), b"".join(self._pieces))

    async def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._bytes += len(piece)
        self._notify()
        if self._whole and self._bytes > MOST_BYTES:
            self._whole = False
            self.close()
        await self._not_too_far_ahead()

    async def _not_too_far_ahead(self) -> None:
        while True:
            taken = [listener.taken for listener in self._listeners] or [self._bytes]
            if self._bytes - (max(taken) if self._whole else min(taken)) <= AHEAD_BYTES:
                return
            await self._changed.wait()

    def listen(self, how: How) -> "Listener":
        listener = Listener(self, how)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: "Listener") -> None:
        self._listeners.discard(listener)
        if not self._listeners and not self._over and self.task is not None:
            self.close()
            self.task.cancel()
        self._progressed()

    def _progressed(self) -> None:
        if not self._whole and self._listeners:
            place = min(listener.place for listener in self._listeners)
            while self._gone < place:
                self._pieces.popleft()
                self._gone += 1
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def piece(self, listener: "Listener") -> bytes:
        """The one that comes next for it.

        Raises:
            StopAsyncIteration: All have come.
            Exception: What the making ended with.
        """
        while listener.place - self._gone >= len(self._pieces):
            if self._error is not None:
                raise self._error
            if self._over:
                raise StopAsyncIteration
            await self._changed.wait()
        piece = self._pieces[listener.place - self._gone]
        listener.place += 1
        listener.taken += len(piece)
        self._progressed()
        return piece

    async def begun(self) -> None:
        """Until the first piece is there.

        Raises:
            Exception: There will be none.
        """
        while not self._pieces and not self._gone:
            if self._error is not None:
                raise self._error
            if self._over:
                return
            await self._changed.wait()


class Listener(AsyncIterator[bytes]):
    """One caller's way through it. Close it."""

    def __init__(self, making: Making, how: How) -> None:
        self.how: How | None = how
        self.place = self.taken = 0
        """Pieces and bytes that it has had."""
        self._making = making

    @property
    def engine(self) -> str | None:
        return self._making.engine

    @property
    def seconds(self) -> float:
        return self._making.seconds

    async def first(self) -> None:
        try:
            await self._making.begun()
        except BaseException:
            await self.aclose()
            raise

    async def __anext__(self) -> bytes:
        return await self._making.piece(self)

    async def aclose(self) -> None:
        self._making.leave(self)


class Memory:
    """The latest answers, up to a size."""

    def __init__(self, most_bytes: int, lasts_seconds: float) -> None:
        self._most, self._lasts = most_bytes, lasts_seconds
        self._entries: OrderedDict[bytes, Kept] = OrderedDict()
        self.bytes = 0

    def get(self, key: bytes) -> Kept | None:
        kept = self._entries.get(key)
        if kept is None:
            return None
        if time.time() - kept.made > self._lasts:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return kept

    def keep(self, key: bytes, kept: Kept) -> None:
        if _size(kept) > self._most:
            return
        if key in self._entries:
            self._drop(key)
        self._entries[key] = kept
        self.bytes += _size(kept)
        while self.bytes > self._most:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        self.bytes -= _size(self._entries.pop(key))


def _size(kept: Kept) -> int:
    return len(kept.sound) + OVERHEAD_BYTES


class Head(msgspec.Struct, frozen=True):
    """The first line of a file; the sound follows."""

    form: int
    key: str
    engine: str
    seconds: float
    made: float
    bytes: int
    sum: str


class Folder:
    """Answers in files, one each; several processes may use it at a time. All of it blocks: call it in a thread.

    A file appears whole or not at all, says what it should hold, and is dropped where it does not. Its time of
    modification is when it was made, its time of access when it was last wanted.

    Args:
        path: Made if it is not there; nobody else may read in it.
    """

    def __init__(self, path: Path, most_bytes: int, lasts_seconds: float) -> None:
        """Raises:
        SettingError: Nothing can be written there.
        """
        self.path, self._most, self._lasts = path, most_bytes, lasts_seconds
        self._numbers = count()
        self._unswept: float = most_bytes  # whatever is there already: look after it with the first that is written
        self._told = False
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self._unfinished(path)
            probe.touch(0o600)
            probe.unlink()
        except OSError as exc:
            raise SettingError(f"TTS_CACHE_DIR: cannot write in {str(path)!r} ({exc.strerror}).") from exc

    def read(self, key: bytes) -> Kept | None:
        """What is kept under it, if it is whole and not too old."""
        path = self._place(key)
        try:
            line, _, sound = path.read_bytes().partition(b"\n")
        except OSError:
            return None
        kept = _checked(line, sound, key)
        if kept is None or time.time() - kept.made > self._lasts:
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path, (time.time(), kept.made))
        return kept

    def write(self, key: bytes, kept: Kept) -> None:
        head = Head(FORM, key.hex(), kept.engine, kept.seconds, kept.made, len(kept.sound), _sum(kept.sound))
        data = msgspec.json.encode(head) + b"\n" + kept.sound
        if len(data) > self._most:
            return
        path = self._place(key)
        unfinished = self._unfinished(path.parent)
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            os.utime(unfinished, (kept.made, kept.made))
            unfinished.replace(path)
        except OSError as exc:
            with suppress(OSError):
                unfinished.unlink()
            if not self._told:
                log.warning("nothing can be kept in %s: %s", self.path, exc.strerror)
            self._told = True
            return
        self._unswept += len(data)
        if self._unswept > SWEEP_SHARE * self._most:
            self.sweep()

    def sweep(self) -> None:
        """Drop what is too old or left over, and of the rest what was wanted longest ago until there is room."""
        self._unswept = 0
        now, total, entries = time.time(), 0, []
        for path, status in self._files():
            unfinished = path.suffix == ".tmp"
            if now - status.st_mtime > (STALE_SECONDS if unfinished else self._lasts):
                _remove(path)
            elif not unfinished:
                total += status.st_size
                entries.append((status.st_atime, status.st_size, path))
        if total <= self._most:
            return
        for _, size, path in sorted(entries):
            if total <= ROOM_SHARE * self._most:
                return
            _remove(path)
            total -= size

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.path.glob("??/*"):
            with suppress(OSError):  # another process may have dropped it
                yield path, path.stat()

    def _place(self, key: bytes) -> Path:
        name = key.hex()
        return self.path / name[:2] / name

    def _unfinished(self, folder: Path) -> Path:
        return folder / f"{os.uname().nodename}-{os.getpid()}-{next(self._numbers)}.tmp"


def _checked(line: bytes, sound: bytes, key: bytes) -> Kept | None:
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = (head.form, head.key, head.bytes, head.sum) == (FORM, key.hex(), len(sound), _sum(sound))
    return Kept(head.engine, head.seconds, head.made, sound) if whole else None


def _sum(sound: bytes) -> str:
    return blake2b(sound, digest_size=16).hexdigest()


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
