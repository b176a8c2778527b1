"""Whisper's weights by name: from a folder, or fetched from a hub, resumed where it broke off, and checked."""

import hashlib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from time import sleep
from typing import Literal

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
AT_MODELSCOPE = {
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo": "pengzhendong/faster-whisper-large-v3-turbo",
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
    modelscope_endpoint: str = "https://modelscope.cn"
    models_source: Literal["huggingface", "modelscope"] = "huggingface"
    """Which of the two; ModelScope is near to China."""
    models_offline: bool = False
    hf_hub_offline: bool = False
    """Either: ask nobody, use what is there."""
    models_dir: Path = Path("models")


class _Blob(msgspec.Struct):
    sha256: str


class _Sibling(msgspec.Struct):
    rfilename: str
    size: int | None = None
    lfs: _Blob | None = None


class _Repository(msgspec.Struct):
    sha: str
    siblings: list[_Sibling]


class _Entry(msgspec.Struct, rename="pascal"):
    path: str
    size: int | None = None
    sha256: str = ""


class _Entries(msgspec.Struct, rename="pascal"):
    files: list[_Entry]


class _Listing(msgspec.Struct, rename="pascal"):
    data: _Entries


class _File(msgspec.Struct):
    name: str
    url: str
    size: int | None
    sha256: str | None
    """None: only the size can be checked."""


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
    owner_and_name = repository(name, options.models_source)
    folder = options.models_dir / "whisper" / repository(name).replace("/", "--")
    if not complete(folder):
        if options.models_offline or options.hf_hub_offline:
            raise EngineUnavailable(
                f"{owner_and_name} is not in MODELS_DIR, and MODELS_OFFLINE or HF_HUB_OFFLINE forbids to fetch it."
            )
        fetch(owner_and_name, folder, report, options)
    return folder


def repository(name: str, source: str = "huggingface") -> str:
    """`Systran/faster-whisper-base` for `base`. Under that name both have it, with few exceptions."""
    found = name if "/" in name else SHORT_NAMES.get(name, f"Systran/faster-whisper-{name}")
    return AT_MODELSCOPE.get(found, found) if source == "modelscope" else found


def fetch(repository: str, folder: Path, report: Report, options: HubOptions) -> None:
    """Download what is missing.

    Raises:
        EngineUnavailable: Now is not the time, or there is no such model.
    """
    modelscope = options.models_source == "modelscope"
    endpoint = (options.modelscope_endpoint if modelscope else options.hf_endpoint).rstrip("/")
    listed = _at_modelscope if modelscope else _at_huggingface
    report(f"asking {endpoint} for {repository}", None)
    elsewhere = "MODELS_SOURCE" if modelscope else "HF_ENDPOINT to a mirror, MODELS_SOURCE to modelscope"
    advice = f"Set {elsewhere}, or WHISPER_MODEL to the folder of a model; other engines answer meanwhile."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as http:
            _fetch(http, listed(http, endpoint, repository), repository, folder, report)
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


def _at_huggingface(http: httpx.Client, endpoint: str, repository: str) -> list[_File]:
    """All files; asked once, since whoever waits wants to know that there is no network."""
    answer = http.get(f"{endpoint}/api/models/{repository}/revision/main", params={"blobs": "true"})
    found = msgspec.json.decode(answer.raise_for_status().content, type=_Repository)
    place = f"{endpoint}/{repository}/resolve/{found.sha}"
    return [
        _File(each.rfilename, f"{place}/{each.rfilename}", each.size, each.lfs.sha256 if each.lfs else None)
        for each in found.siblings
    ]


def _at_modelscope(http: httpx.Client, endpoint: str, repository: str) -> list[_File]:
    place = f"{endpoint}/api/v1/models/{repository}/repo"
    answer = http.get(f"{place}/files", params={"Revision": "master", "Recursive": "true"})
    found = msgspec.json.decode(answer.raise_for_status().content, type=_Listing)
    return [
        _File(
            each.path,
            str(httpx.URL(place, params={"Revision": "master", "FilePath": each.path})),
            each.size,
            each.sha256 or None,
        )
        for each in found.data.files
    ]


def _fetch(http: httpx.Client, all_files: list[_File], repository: str, folder: Path, report: Report) -> None:
    files = [file for file in all_files if any(fnmatch(file.name, wanted) for wanted in WANTED)]
    missing = [needed for needed in NEEDED if not any(fnmatch(file.name, needed) for file in files)]
    if missing:
        raise EngineUnavailable(f"{repository} is no CTranslate2 Whisper model: it has no {', '.join(missing)}.")
    total = sum(file.size or 0 for file in files)
    before = 0
    for file in sorted(files, key=lambda file: file.size or 0):
        target = folder / file.name
        if not target.exists():
            for size in _download(http, target, file):
                done = before + size
                text = f"downloading {repository}, {done / 1e6:.0f} of {total / 1e6:.0f} MB"
                report(text, min(1.0, done / total) if total else None)
        before += file.size or 0


def _download(http: httpx.Client, target: Path, file: _File) -> Iterator[int]:
    """Fetch one file under another name until it is complete and right; yields its size so far."""
    part = target.with_name(f"{target.name}.part")
    tries = most = 0
    mixed = part.exists()  # of another version, perhaps
    while True:
        have = part.stat().st_size if part.exists() else 0
        try:
            with http.stream("GET", file.url, headers={"range": f"bytes={have}-"} if have else {}) as response:
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
            message = f"{target.name} arrived from {httpx.URL(file.url).host} with a wrong checksum."
            raise EngineUnavailable(
                f"{message} Set HF_ENDPOINT or MODELS_SOURCE to another hub.", retry_seconds=SPOILT_RETRY_SECONDS
            )
        mixed = False


def _right(part: Path, file: _File) -> bool:
    if file.size is not None and part.stat().st_size != file.size:
        return False
    if file.sha256 is None:
        return True
    with part.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest() == file.sha256
