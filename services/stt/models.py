"""Whisper's weights by name: from a folder, or fetched from a hub, resumed where it broke off, and checked."""

import hashlib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from time import sleep

import httpx
import msgspec

from chassis.errors import EngineUnavailable
from chassis.settings import Options

NEEDED = ("config.json", "model.bin", "tokenizer.json", "vocabulary.*")
WANTED = (*NEEDED, "preprocessor_config.json")
SHORT_NAMES = {
    "large": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
TIMEOUT = httpx.Timeout(20.0, connect=6.0)
"""Between two bytes, and to connect: a network that swallows packets must not hold us for ever."""
TRIES = 4
FIRST_PAUSE_SECONDS = 0.5
RETRY_SECONDS, SPOILT_RETRY_SECONDS = 60.0, 3600.0

Report = Callable[[str, float | None], None]


class HubOptions(Options, frozen=True, kw_only=True):
    """Where weights come from and where they are kept."""

    hf_endpoint: str = "https://huggingface.co"
    """A hub or a mirror of it, such as https://hf-mirror.com."""
    models_dir: Path = Path("models")


class _Blob(msgspec.Struct):
    sha256: str


class _File(msgspec.Struct):
    rfilename: str
    size: int | None = None
    lfs: _Blob | None = None


class _Repository(msgspec.Struct):
    sha: str
    siblings: list[_File]


def complete(folder: Path) -> bool:
    """Whether all that a model needs is there."""
    return all(any(folder.glob(name)) for name in NEEDED)


def find(name: str, report: Report, options: HubOptions) -> Path:
    """The folder of a model: `name` itself if it is one, else the one it was or is now fetched to.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    local = Path(name).expanduser()
    if local.is_absolute() or local.is_dir():
        if not complete(local):
            raise EngineUnavailable(f"WHISPER_MODEL is a folder without a model: {', '.join(NEEDED)} belong there.")
        return local
    owner_and_name = repository(name)
    folder = options.models_dir / "whisper" / owner_and_name.replace("/", "--")
    if not complete(folder):
        fetch(owner_and_name, folder, report, options.hf_endpoint.rstrip("/"))
    return folder


def repository(name: str) -> str:
    """`Systran/faster-whisper-base` for `base`."""
    return name if "/" in name else SHORT_NAMES.get(name, f"Systran/faster-whisper-{name}")


def fetch(repository: str, folder: Path, report: Report, endpoint: str) -> None:
    """Download what is missing.

    Raises:
        EngineUnavailable: Now is not the time, or there is no such model.
    """
    report(f"asking {endpoint} for {repository}", None)
    advice = "Set HF_ENDPOINT to a mirror, or WHISPER_MODEL to the folder of a model; other engines answer meanwhile."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as http:
            _fetch(http, f"{endpoint}/api/models/{repository}/revision/main", repository, folder, report, endpoint)
    except httpx.HTTPStatusError as exc:
        status = exc.response.status_code
        if status in (401, 404):  # the hub says 401 of what does not exist
            raise EngineUnavailable(f"{endpoint} has no model {repository}. Look at WHISPER_MODEL.") from exc
        raise EngineUnavailable(f"{endpoint} answered {status}. {advice}", retry_seconds=RETRY_SECONDS) from exc
    except (httpx.HTTPError, msgspec.DecodeError) as exc:
        message = f"{repository} cannot be fetched from {endpoint} ({type(exc).__name__}). {advice}"
        raise EngineUnavailable(message, retry_seconds=RETRY_SECONDS) from exc
    except OSError as exc:
        message = f"{repository} cannot be kept in MODELS_DIR ({exc.strerror})."
        raise EngineUnavailable(message, retry_seconds=RETRY_SECONDS) from exc


def _fetch(http: httpx.Client, index: str, repository: str, folder: Path, report: Report, endpoint: str) -> None:
    listing = http.get(index, params={"blobs": "true"})  # once: whoever waits wants to know that there is no network
    found = msgspec.json.decode(listing.raise_for_status().content, type=_Repository)
    files = [file for file in found.siblings if any(fnmatch(file.rfilename, wanted) for wanted in WANTED)]
    missing = [needed for needed in NEEDED if not any(fnmatch(file.rfilename, needed) for file in files)]
    if missing:
        raise EngineUnavailable(f"{repository} is no CTranslate2 Whisper model: it has no {', '.join(missing)}.")
    total = sum(file.size or 0 for file in files)
    before = 0
    for file in sorted(files, key=lambda file: file.size or 0):
        target = folder / file.rfilename
        if not target.exists():
            url = f"{endpoint}/{repository}/resolve/{found.sha}/{file.rfilename}"
            for size in _download(http, url, target, file):
                done = before + size
                text = f"downloading {repository}, {done / 1e6:.0f} of {total / 1e6:.0f} MB"
                report(text, min(1.0, done / total) if total else None)
        before += file.size or 0


def _download(http: httpx.Client, url: str, target: Path, file: _File) -> Iterator[int]:
    """Fetch one file under another name until it is complete and right; yields its size so far."""
    part = target.with_name(f"{target.name}.part")
    tries = most = 0
    mixed = part.exists()  # of another version, perhaps
    while True:
        have = part.stat().st_size if part.exists() else 0
        try:
            with http.stream("GET", url, headers={"range": f"bytes={have}-"} if have else {}) as response:
                if response.status_code != 416:  # that is: there is no more
                    response.raise_for_status()
                    with part.open("ab" if response.status_code == 206 else "wb") as sink:
                        for chunk in response.iter_bytes():
                            sink.write(chunk)
                            if sink.tell() > most:  # it goes on, however often it breaks off
                                most, tries = sink.tell(), 0
                            yield sink.tell()
            if file.size is not None and part.stat().st_size < file.size:
                raise httpx.RemoteProtocolError("the file is cut short")
        except httpx.TransportError:
            tries += 1
            if tries >= TRIES:
                raise
            sleep(FIRST_PAUSE_SECONDS * 2**tries)
            continue
        if _right(part, file):
            part.replace(target)
            return
        part.unlink()
        if not mixed:
            message = f"{target.name} arrived from {httpx.URL(url).host} with a wrong checksum."
            raise EngineUnavailable(f"{message} Set HF_ENDPOINT to another hub.", retry_seconds=SPOILT_RETRY_SECONDS)
        mixed = False


def _right(part: Path, file: _File) -> bool:
    if file.size is not None and part.stat().st_size != file.size:
        return False
    if file.lfs is None:
        return True
    with part.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest() == file.lfs.sha256
