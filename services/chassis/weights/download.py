"""Files by their address: fetched one after the other, continued where they broke off, and checked.

Callers need httpx.
"""

import hashlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from time import sleep

import httpx
import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable

TIMEOUT = httpx.Timeout(20.0, connect=6.0)
"""The connection and each pause between two bytes: a network that swallows packets must not hold us for ever."""
SPOILT_RETRY_SECONDS = 3600.0
_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.5


class RemoteFile(msgspec.Struct):
    """One file of a model, as a hub lists it. A `sha256` of None leaves only the size to be checked."""

    name: str
    url: str
    size: int | None
    sha256: str | None


class Incomplete(Exception):
    """A repository has no file for the patterns that are this exception's arguments."""


def choose(files: Sequence[RemoteFile], needed: Sequence[str], wanted: Sequence[str]) -> list[RemoteFile]:
    """Return the files to fetch: those that are only wanted first, and the largest last.

    So a folder that has all that is needed lacks nothing.

    Args:
        needed: Patterns such as `vocabulary.*`; of `a|b`, the first that any file fits.
        wanted: Patterns of what is taken where it is there.

    Raises:
        Incomplete: There is no file for some of `needed`.
    """
    found = {each: _fitting(files, each) for each in needed}
    if lost := [each for each, some in found.items() if not some]:
        raise Incomplete(*lost)
    first = {file.name: file for some in found.values() for file in some}
    more = {file.name: file for each in wanted for file in _fitting(files, each) if file.name not in first}
    return [file for some in (more, first) for file in sorted(some.values(), key=lambda file: file.size or 0)]


def _fitting(files: Sequence[RemoteFile], patterns: str) -> list[RemoteFile]:
    """Return the files that fit the first of `a|b` that any fits."""
    fits = ([file for file in files if _fits(file.name, pattern)] for pattern in patterns.split("|"))
    return next((some for some in fits if some), [])


def _fits(name: str, pattern: str) -> bool:
    """Match as a shell does: no `*` leads into another folder, and nothing leads out."""
    parts, wanted = PurePosixPath(name).parts, PurePosixPath(pattern).parts
    return ".." not in parts and len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def download(http: httpx.Client, files: Sequence[RemoteFile], model: str, folder: Path, report: Report) -> None:
    """Fetch the files that the folder lacks.

    Raises:
        EngineUnavailable: A file came whole and with a wrong checksum.
        httpx.HTTPError: The connection failed too often, or the hub refused.
        OSError: The folder cannot be written.
    """
    total = sum(file.size or 0 for file in files)
    before = 0
    for file in files:
        target = folder / file.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            for size in _download(http, target, file):
                done = before + size
                text = f"downloading {model}, {done / 1e6:.0f} of {total / 1e6:.0f} MB"
                report(text, min(1.0, done / total) if total else None)
        before += file.size or 0


def _download(http: httpx.Client, target: Path, file: RemoteFile) -> Iterator[int]:
    """Fetch one file under another name until it is complete and right; yield its size so far."""
    part = target.with_name(f"{target.name}.part")
    mixed = part.exists()  # perhaps begun by another version of the file
    while True:
        yield from _complete(http, part, file)
        if _right(part, file):
            part.replace(target)
            return
        part.unlink()
        if not mixed:
            host = httpx.URL(file.url).host
            message = f"{target.name} arrived from {host} with a wrong checksum"
            raise EngineUnavailable(message, retry_seconds=SPOILT_RETRY_SECONDS)
        mixed = False


def _complete(http: httpx.Client, part: Path, file: RemoteFile) -> Iterator[int]:
    """Append to `part` until all of it has come. Tries count anew whenever it grows."""
    tries = most = 0
    while True:
        try:
            for size in _append(http, part, file):
                if size > most:
                    most, tries = size, 0
                yield size
            if file.size is not None and part.stat().st_size < file.size:
                raise httpx.RemoteProtocolError("the file is cut short")
            return
        except httpx.TransportError:
            tries += 1
            if tries >= _TRIES:
                raise
            sleep(_FIRST_PAUSE_SECONDS * 2**tries)


def _append(http: httpx.Client, part: Path, file: RemoteFile) -> Iterator[int]:
    have = part.stat().st_size if part.exists() else 0
    with http.stream("GET", file.url, headers={"range": f"bytes={have}-"} if have else {}) as response:
        if response.status_code == 416:  # there is no more
            return
        response.raise_for_status()
        with part.open("ab" if response.status_code == 206 else "wb") as sink:
            for chunk in response.iter_bytes():
                sink.write(chunk)
                yield sink.tell()


def _right(part: Path, file: RemoteFile) -> bool:
    if file.size is not None and part.stat().st_size != file.size:
        return False
    return file.sha256 is None or sha256(part) == file.sha256


def sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
