"""Keep answers: nothing is synthesised twice, and what several callers ask for at the same moment is made once.

An answer is filed under the text for one engine, and its manner. So an answer that a later engine gave while an earlier
one was down belongs to the later one, and never passes for the earlier one's. Only whole answers are kept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from prometheus_client import Counter

from chassis import privacy
from chassis.errors import ApiError
from chassis.server.auth import KeyOptions
from tts.cache.entry import How, Kept, Made, Outgoing, key_of
from tts.cache.folder import Folder
from tts.cache.in_flight import Making, SharedAnswer
from tts.cache.memory import Memory
from tts.cache.settings import CacheOptions

CACHE_HEADER = "x-talkbox-cache"

_SLICE_BYTES = 32 * 2**10

DAY = 24 * 3600.0

answers = Counter("talkbox_speech_answers_total", "Answers, by where they came from", ["source"])


class Cache:
    """Answers in memory, then in the folder, then those being made at the moment."""

    def __init__(self, options: CacheOptions, *, apart: bool = False) -> None:
        """Args:
            apart: Each caller has its own answers.

        Raises:
        SettingError: The folder cannot be used.
        """
        self._apart, lasts = apart, options.cache_days * DAY
        self._memory = Memory(options.cache_mb * 2**20, lasts)
        folder = Path(options.cache_dir).expanduser() if options.cache_dir else None
        self._folder = Folder(folder, options.cache_dir_mb * 2**20, lasts) if folder else None
        self.keeps = tuple(_entries(options))
        """Entries for the sheet of what is kept."""
        self._under_way: dict[bytes, Making] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, options: CacheOptions, keys: KeyOptions) -> "Cache | None":
        """Return the cache that the settings ask for; None for none."""
        may_be_several = len(keys.named) > 1 or keys.api_keys_file is not None
        apart = may_be_several if options.cache_apart == "auto" else options.cache_apart == "on"
        return cls(options, apart=apart) if options.cache else None

    async def answer(
        self,
        asked: bytes,
        keys: Iterable[bytes],
        make: Callable[[], Awaitable[Made]],
        *,
        caller: str = "",
        ahead: bool = False,
    ) -> Outgoing:
        """Return an answer that was kept, or one being made for another caller, or begin a new one.

        Args:
            asked: Key that is equal for all requests which one answer can serve.
            keys: Keys under which the answer may be kept, the best first.
            make: Function that begins to make the answer.
            caller: Name of the caller's key.
            ahead: Nobody has asked for it yet.

        Raises:
            Exception: Any error that `make` raises; one of an answer made ahead is for whoever wanted it ahead alone.
        """
        owner = caller if self._apart else ""
        asked, keys = _owned(asked, owner), [_owned(key, owner) for key in keys]
        found: Outgoing | None = self._joined(asked) or self._in_memory(keys)
        if found is None and self._folder is not None:
            found = await self._in_folder(self._folder, keys)
        making = found or self._joined(asked) or self._begun(asked, make, owner, ahead=ahead)
        if isinstance(making, SharedAnswer):
            try:
                await making.first()
            except ApiError:
                if ahead or not making.ahead:
                    raise
                making = self._begun(asked, make, owner)
                await making.first()
        if making.how:
            answers.labels("ahead" if ahead else making.how).inc()
        return making

    def _joined(self, asked: bytes) -> "SharedAnswer | None":
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

    def _begun(
        self, asked: bytes, make: Callable[[], Awaitable[Made]], owner: str, *, ahead: bool = False
    ) -> "SharedAnswer":
        def close() -> None:
            if self._under_way.get(asked) is making:
                del self._under_way[asked]

        making = self._under_way[asked] = Making(close, ahead=ahead)
        making.task = asyncio.create_task(self._run(making, make, owner))
        self._tasks.add(making.task)
        making.task.add_done_callback(self._tasks.discard)
        return making.listen("miss")

    async def _run(self, making: "Making", make: Callable[[], Awaitable[Made]], owner: str) -> None:
        done = await making.run(make)
        if done is None:
            return making.close()
        key, kept = _owned(done[0], owner), done[1]
        self._memory.keep(key, kept)
        making.close()
        if self._folder is not None:
            await asyncio.to_thread(self._folder.write, key, kept)


def _owned(key: bytes, owner: str) -> bytes:
    """Return the key of one owner's answer; everybody's is the key itself."""
    return key_of(key.hex(), owner) if owner else key


class Replay(AsyncIterator[bytes]):
    """Kept answer on its way to a caller, in slices."""

    how: How | None = "hit"

    def __init__(self, kept: Kept) -> None:
        self.engine: str | None = kept.engine
        self.seconds = kept.seconds
        self.sound = sound = kept.sound
        self._slices = iter([sound[at : at + _SLICE_BYTES] for at in range(0, len(sound), _SLICE_BYTES)])

    async def __anext__(self) -> bytes:
        for piece in self._slices:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Do nothing: no resource is open."""


def _entries(options: CacheOptions) -> Iterator[privacy.Storage]:
    if options.cache_mb:
        setting, most = "TTS_CACHE, TTS_CACHE_MB", options.cache_mb
        yield privacy.Storage("speech", "memory", words=True, setting=setting, days=options.cache_days, megabytes=most)
    if options.cache_dir:
        setting, most, place = "TTS_CACHE_DIR", options.cache_dir_mb, options.cache_dir
        yield privacy.Storage(
            "speech", "disk", words=True, setting=setting, days=options.cache_days, megabytes=most, address=place
        )
