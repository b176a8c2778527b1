"""Answers kept: what was said once is not made again, and what many ask for at the same moment is made once.

An answer is filed under what one engine was to say, and how. So what a later engine said while an earlier one was down
is the later one's alone, and is never taken for the earlier one's. Only whole answers are kept.
"""

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

SWEEP_SHARE = 1 / 16
"""Of the folder's size: after so much has been written, what is old or too much goes."""

ROOM_SHARE = 0.9
"""How full the folder is after that."""

STALE_SECONDS = 3600.0
"""After which an unfinished file is left over from a crash."""

log = logging.getLogger("talkbox.cache")


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
