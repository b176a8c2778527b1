"""Keep answers in a folder, where they outlast a restart."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from itertools import count
from pathlib import Path

import msgspec

from chassis.settings import SettingError
from tts.cache.entry import FORM, Kept

_SWEEP_SHARE = 1 / 16
"""Share of the folder's size after whose writing the folder is swept."""

_ROOM_SHARE = 0.9
"""Share of the folder's size that is in use after a sweep."""

_STALE_SECONDS = 3600.0
"""Age from which on an unfinished file counts as left over from a crash."""

log = logging.getLogger("talkbox.cache")


class Head(msgspec.Struct, frozen=True):
    """First line of a file, before the sound."""

    form: int
    key: str
    engine: str
    seconds: float
    made: float
    bytes: int
    sum: str


class Folder:
    """Answers in files, one each. Several processes may use the folder; every method blocks, so call it in a thread.

    A file appears whole or not at all. Its first line describes its content, and a file that differs is dropped. Its
    time of modification is when the answer was made, its time of access when it was last asked for.

    Args:
        path: The folder, created if it is missing; other users may not read it.
        most_bytes: Size of the folder.
        lasts_seconds: Age from which on an answer is dropped.
    """

    def __init__(self, path: Path, most_bytes: int, lasts_seconds: float) -> None:
        """Raises:
        SettingError: The folder cannot be written to.
        """
        self.path, self._most, self._lasts = path, most_bytes, lasts_seconds
        self._numbers = count()
        self._unswept: float = most_bytes  # the first write sweeps, whatever the folder holds already
        self._told = False
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self._unfinished(path)
            probe.touch(0o600)
            probe.unlink()
        except OSError as exc:
            raise SettingError(f"TTS_CACHE_DIR: cannot write in {str(path)!r} ({exc.strerror}).") from exc

    def read(self, key: bytes) -> Kept | None:
        """Return the answer kept under `key`, if it is whole and not too old."""
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
        """Keep an answer; if the file cannot be written, log that once and go on without it."""
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
        if self._unswept > _SWEEP_SHARE * self._most:
            self.sweep()

    def sweep(self) -> None:
        """Drop files that are too old or unfinished, then those asked for longest ago until there is room."""
        self._unswept = 0
        now, total, entries = time.time(), 0, []
        for path, status in self._files():
            unfinished = path.suffix == ".tmp"
            if now - status.st_mtime > (_STALE_SECONDS if unfinished else self._lasts):
                _remove(path)
            elif not unfinished:
                total += status.st_size
                entries.append((status.st_atime, status.st_size, path))
        if total <= self._most:
            return
        for _, size, path in sorted(entries):
            if total <= _ROOM_SHARE * self._most:
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
