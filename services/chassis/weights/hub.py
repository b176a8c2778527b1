"""Weights by name: fetched from a hub, resumed where it broke off, checked, and kept for the next time.

Whoever fetches needs httpx.
"""

import fcntl
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from time import sleep
from typing import Literal, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options

TIMEOUT = httpx.Timeout(20.0, connect=6.0)
"""Between two bytes, and to connect: a network that swallows packets must not hold us for ever."""
TRIES = 4
FIRST_PAUSE_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 0.5
RETRY_SECONDS, SPOILT_RETRY_SECONDS = 60.0, 3600.0


class HubOptions(Options, frozen=True, kw_only=True):
    """Weights of models: the hub they are downloaded from, and the folder they are kept in."""

    hf_endpoint: str = "https://huggingface.co"
    """Address of Hugging Face or of a mirror, such as `https://hf-mirror.com`."""
    modelscope_endpoint: str = "https://modelscope.cn"
    """Address of ModelScope."""
    models_source: Literal["huggingface", "modelscope"] = "huggingface"
    """Hub to download from: `huggingface`, or `modelscope`, which is nearer to China."""
    models_offline: bool = False
    """`on`: download nothing, use the weights in the folder."""
    hf_hub_offline: bool = False
    """The same, by the name that Hugging Face's own tools read."""
    models_dir: Path = Path("models")
    """Folder for weights; `make up` sets `.talkbox/models` natively, and a volume in containers."""


class Place(msgspec.Struct, frozen=True):
    """Where a model lies.

    Args:
        huggingface: `owner/name` there.
        modelscope: The same there; None: it has no such model, as far as is known.
    """

    huggingface: str
    modelscope: str | None = None

    def at(self, source: str) -> str | None:
        return self.modelscope if source == "modelscope" else self.huggingface


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a place.

    Args:
        needed: Patterns such as `vocabulary.*`; without a file for each there is no model. Of `a|b`, the first that
            there is.
        wanted: Patterns of what is fetched too, where it is there.
        kind: What it should be, in a few words.
        shelf: The folder in MODELS_DIR where it is kept with its like.
        variable: Which setting names it.
    """

    place: Place
    needed: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    kind: str
    shelf: str
    variable: str


P = TypeVar("P", bound=Place)


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


def folder_named(name: str) -> Path | None:
    """The folder, where a name is that of one; None: it is one at a hub."""
    local = Path(name).expanduser()
    return local if local.is_absolute() or local.is_dir() else None


def named(name: str, table: Mapping[str, P], kind: type[P], variable: str) -> P:
    """Where a model lies by its short name, or by its name at the hub.

    Raises:
        EngineUnavailable: There is no such name.
    """
    if name in table:
        return table[name]
    if name.count("/") != 1:
        raise EngineUnavailable(
            f"{variable}: no model {name!r}. There are {', '.join(table)}; or say owner/name, or the path of a folder."
        )
    return kind(name, name)


def missing(folder: Path, patterns: Sequence[str]) -> list[str]:
    """Those of which nothing is there."""
    return [each for each in patterns if not any(any(folder.glob(pattern)) for pattern in each.split("|"))]


def fetched(weights: Weights, report: Report, options: HubOptions) -> Path:
    """The folder that a model was, or is now, fetched to.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    folder = options.models_dir / weights.shelf / weights.place.huggingface.replace("/", "--")
    if missing(folder, weights.needed):
        repository = weights.place.at(options.models_source)
        if repository is None:
            raise EngineUnavailable(
                f"ModelScope is not known to have {weights.place.huggingface}. Set MODELS_SOURCE to huggingface and "
                f"HF_ENDPOINT to a mirror, or {weights.variable} to another model or the folder of one."
            )
        if options.models_offline or options.hf_hub_offline:
            raise EngineUnavailable(
                f"{repository} is not in MODELS_DIR, and MODELS_OFFLINE or HF_HUB_OFFLINE forbids to fetch it."
            )
        _fetch(weights, repository, folder, report, options)
    return folder


def _fetch(weights: Weights, repository: str, folder: Path, report: Report, options: HubOptions) -> None:
    """Download what is missing.

    Raises:
        EngineUnavailable: Now is not the time, or there is no such model.
    """
    modelscope = options.models_source == "modelscope"
    endpoint = (options.modelscope_endpoint if modelscope else options.hf_endpoint).rstrip("/")
    listed = _at_modelscope if modelscope else _at_huggingface
    elsewhere = "MODELS_SOURCE" if modelscope else "HF_ENDPOINT to a mirror, MODELS_SOURCE to modelscope"
    advice = f"Set {elsewhere}, or {weights.variable} to the folder of a model; other engines answer meanwhile."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, repository, report):
            if not missing(folder, weights.needed):
                return  # whoever was first has fetched it
            report(f"asking {endpoint} for {repository}", None)
            with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as http:
                files = _chosen(listed(http, endpoint, repository), weights, repository)
                _download_all(http, files, repository, folder, report)
    except httpx.HTTPStatusError as exc:
        status = exc.response.status_code
        if status in (401, 404):  # the hub says 401 of what does not exist
            raise EngineUnavailable(f"{endpoint} has no model {repository}. Look at {weights.variable}.") from exc
        raise EngineUnavailable(f"{endpoint} answered {status}. {advice}", retry_seconds=RETRY_SECONDS) from exc
    except (httpx.HTTPError, msgspec.DecodeError) as exc:
        message = f"{repository} cannot be fetched from {endpoint} ({type(exc).__name__}). {advice}"
        raise EngineUnavailable(message, retry_seconds=RETRY_SECONDS) from exc
    except OSError as exc:
        message = f"{repository} cannot be kept in MODELS_DIR ({exc.strerror})."
        raise EngineUnavailable(message, retry_seconds=RETRY_SECONDS) from exc


@contextmanager
def _alone(folder: Path, repository: str, report: Report) -> Iterator[None]:
    """One process at a time writes there: replicas and workers share the folder. However one ends, it leaves."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                report(f"another process is downloading {repository}", None)
                sleep(LOOK_AGAIN_SECONDS)
        yield


def _at_huggingface(http: httpx.Client, endpoint: str, repository: str) -> list[_File]:
    """All files; asked once, since whoever waits wants to know that there is no network."""
    answer = http.get(f"{endpoint}/api/models/{repository}/revision/main", params={"blobs": "true"})
    found = msgspec.json.decode(answer.raise_for_status().content, type=_Repository)
    place = f"{endpoint}/{repository}/resolve/{found.sha}"
    return [
        _File(each.rfilename, f"{place}/{quote(each.rfilename)}", each.size, each.lfs.sha256 if each.lfs else None)
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


def _chosen(files: Sequence[_File], weights: Weights, repository: str) -> list[_File]:
    """What is wanted of all that the hub has; small files first, but last what shows that nothing is missing."""
    found = {each: _fitting(files, each) for each in weights.needed}
    if lost := [each.replace("|", " or ") for each, some in found.items() if not some]:
        raise EngineUnavailable(f"{repository} is no {weights.kind}: it has no {', '.join(lost)}.")
    needed = {file.name: file for some in found.values() for file in some}
    wanted = {file.name: file for each in weights.wanted for file in _fitting(files, each) if file.name not in needed}
    return [file for some in (wanted, needed) for file in sorted(some.values(), key=lambda file: file.size or 0)]


def _fitting(files: Sequence[_File], patterns: str) -> list[_File]:
    """Those that fit the first of `a|b` that any fits."""
    fits = ([file for file in files if _fits(file.name, pattern)] for pattern in patterns.split("|"))
    return next((some for some in fits if some), [])


def _fits(name: str, pattern: str) -> bool:
    """As a shell understands it: no `*` leads into another folder, and nothing leads out."""
    parts, wanted = PurePosixPath(name).parts, PurePosixPath(pattern).parts
    return ".." not in parts and len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def _download_all(http: httpx.Client, files: Sequence[_File], repository: str, folder: Path, report: Report) -> None:
    total = sum(file.size or 0 for file in files)
    before = 0
    for file in files:
        target = folder / file.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
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
