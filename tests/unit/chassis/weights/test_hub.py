import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from chassis.errors import EngineUnavailable
from chassis.weights import download, hub
from chassis.weights.hub import HubOptions, Repository, Weights
from imitations.hub import Hub, running

FILES = {
    "config.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
    "voices/one.bin": b"1",
    "model.bin": bytes(range(256)) * 4000,
    "README.md": b"not wanted",
}
WEIGHTS = Weights(
    repository=Repository("owner/model", "owner/model"),
    needed=("config.json", "model.bin", "vocabulary.*"),
    wanted=("voices/*", "lacking.json"),
    kind="model of this kind",
    shelf="ears",
    variable="EARS_MODEL",
)
WANTED = {name: body for name, body in FILES.items() if name != "README.md"}


def silent(doing: str, part: float | None) -> None:
    pass


@pytest.fixture
def model_hub() -> Iterator[Hub]:
    with running({"owner/model": FILES}) as model_hub:
        yield model_hub


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(hub, "_LOOK_AGAIN_SECONDS", 0.01)


def options(url: str, folder: Path, **changes: object) -> HubOptions:
    """Return settings by which no test leaves this machine."""
    return msgspec.convert({"hf_endpoint": url, "modelscope_endpoint": url, "models_dir": folder} | changes, HubOptions)


def fetched(model_hub: Hub, folder: Path, report: Callable[[str, float | None], None] = silent) -> Path:
    return hub.fetch(WEIGHTS, report, options(model_hub.url + "/", folder))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ranges(model_hub: Hub) -> list[int]:
    return [int((begin or "bytes=0-")[6:-1]) for path, begin in model_hub.asked if path.endswith("model.bin")]


def test_a_model_is_fetched_with_progress_and_the_next_time_found(model_hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[str, float | None]] = []

    folder = fetched(model_hub, tmp_path, lambda doing, part: told.append((doing, part)))

    assert folder == tmp_path / "ears" / "owner--model"
    assert contents(folder) == WANTED
    parts = [part for _, part in told if part is not None]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
    assert "of 1 MB" in told[-1][0]
    asked = len(model_hub.asked)
    assert fetched(model_hub, tmp_path) == folder
    assert len(model_hub.asked) == asked


def test_a_download_that_breaks_off_goes_on_where_it_was(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.breaks = 5

    folder = fetched(model_hub, tmp_path)

    assert contents(folder) == WANTED
    begins = ranges(model_hub)
    assert len(begins) == 6
    assert begins == sorted(set(begins))


def test_a_process_that_was_killed_goes_on_where_it_was(model_hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "ears" / "owner--model"
    folder.mkdir(parents=True)
    (folder / "model.bin.part").write_bytes(FILES["model.bin"][:5000])

    fetched(model_hub, tmp_path)

    assert contents(folder) == WANTED
    assert ranges(model_hub) == [5000]


def test_what_is_not_needed_by_all_comes_first_lest_it_be_missing_for_ever(model_hub: Hub, tmp_path: Path) -> None:
    fetched(model_hub, tmp_path)

    names = [path.partition("/resolve/abc/")[2] for path, _ in model_hub.asked[1:]]
    assert names == ["voices/one.bin", "config.json", "vocabulary.txt", "model.bin"]


def test_what_was_there_before_and_does_not_fit_is_fetched_anew(model_hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "ears" / "owner--model"
    folder.mkdir(parents=True)
    for rubbish in (b"x" * 5000, b"x" * 2_000_000):
        (folder / "model.bin.part").write_bytes(rubbish)
        fetched(model_hub, tmp_path)
        assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
        (folder / "model.bin").unlink()


def test_two_processes_that_want_the_same_fetch_it_once(model_hub: Hub, tmp_path: Path) -> None:
    told: list[str] = []
    waits, may_go_on = threading.Event(), threading.Event()

    def first(doing: str, part: float | None) -> None:
        if part is not None:
            waits.set()
            may_go_on.wait(10)

    def second(doing: str, part: float | None) -> None:
        told.append(doing)
        may_go_on.set()

    with_it = threading.Thread(target=fetched, args=(model_hub, tmp_path, first))
    with_it.start()
    assert waits.wait(10)
    folder = fetched(model_hub, tmp_path, second)
    with_it.join()

    assert set(told) == {"another process is downloading owner/model"}
    assert ranges(model_hub) == [0]
    assert contents(folder) == WANTED


def test_a_wrong_checksum_is_never_taken(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.spoilt = {"model.bin"}

    with pytest.raises(EngineUnavailable, match="checksum"):
        fetched(model_hub, tmp_path)

    assert len(ranges(model_hub)) == 1
    assert not list(tmp_path.glob("**/model.bin"))


def test_nothing_leads_out_of_the_models_folder(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.repositories["owner/model"] |= {"voices/../../../model.bin": b"evil", "voices/..": b"evil"}

    folder = fetched(model_hub, tmp_path)

    assert contents(folder) == WANTED
    assert not any("evil" in path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file())


def test_no_network_says_what_to_do_and_tries_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused
        nowhere = options(f"http://127.0.0.1:{taken.getsockname()[1]}", tmp_path)
        with pytest.raises(EngineUnavailable, match=r"HF_ENDPOINT.*EARS_MODEL") as raised:
            hub.fetch(WEIGHTS, silent, nowhere)

    assert "owner/model" in str(raised.value)
    assert raised.value.retry_seconds == 60


def test_a_network_that_swallows_everything_does_not_hold_us_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TIMEOUT", httpx.Timeout(0.05))
    with socket.create_server(("127.0.0.1", 0)) as mute:  # connects, and never says a word
        deaf = options(f"http://127.0.0.1:{mute.getsockname()[1]}", tmp_path)
        with pytest.raises(EngineUnavailable, match="ReadTimeout"):
            hub.fetch(WEIGHTS, silent, deaf)


@pytest.mark.parametrize(("status", "retry"), [(401, None), (404, None), (429, 60), (503, 60)])
def test_a_hub_that_refuses_is_told_of(model_hub: Hub, tmp_path: Path, status: int, retry: float | None) -> None:
    model_hub.status = status

    with pytest.raises(EngineUnavailable) as raised:
        fetched(model_hub, tmp_path)

    assert raised.value.retry_seconds == retry


def test_a_repository_without_a_model_is_told_of(model_hub: Hub, tmp_path: Path) -> None:
    del model_hub.repositories["owner/model"]["model.bin"]

    with pytest.raises(EngineUnavailable, match=r"no model of this kind: it has no model\.bin"):
        fetched(model_hub, tmp_path)


def test_a_hub_that_answers_something_else_is_told_of(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.repositories["owner/model"] = {"config.json": b"?"}
    elsewhere = options(f"{model_hub.url}/owner/model/resolve/abc/config.json?", tmp_path)

    with pytest.raises(EngineUnavailable):
        hub.fetch(WEIGHTS, silent, elsewhere)


def from_modelscope(model_hub: Hub, folder: Path, report: Callable[[str, float | None], None] = silent) -> Path:
    return hub.fetch(WEIGHTS, report, options(model_hub.url, folder, models_source="modelscope"))


def test_modelscope_has_the_same_and_goes_on_where_it_broke_off(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.breaks = 2
    told: list[float] = []

    folder = from_modelscope(model_hub, tmp_path, lambda doing, part: told.append(part or 0.0))

    assert contents(folder) == WANTED
    assert told[-1] == 1.0
    assert len([begin for _, begin in model_hub.asked if begin]) == 2


def test_a_wrong_checksum_of_modelscope_is_never_taken_either(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.spoilt = {"model.bin"}

    with pytest.raises(EngineUnavailable, match=r"checksum.*MODELS_SOURCE"):
        from_modelscope(model_hub, tmp_path)


def test_a_model_of_another_name_at_modelscope_is_asked_for_by_that_and_kept_in_one_place(
    model_hub: Hub, tmp_path: Path
) -> None:
    model_hub.repositories["someone/else"] = model_hub.repositories.pop("owner/model")
    elsewhere = msgspec.structs.replace(WEIGHTS, repository=Repository("owner/model", "someone/else"))
    chosen = options(model_hub.url, tmp_path, models_source="modelscope")

    assert hub.fetch(elsewhere, silent, chosen) == tmp_path / "ears" / "owner--model"
    assert model_hub.asked[0][0] == "/api/v1/models/someone/else/repo/files"


def test_a_model_that_modelscope_lacks_is_looked_for_at_the_hub_that_has_it(model_hub: Hub, tmp_path: Path) -> None:
    lacking = msgspec.structs.replace(WEIGHTS, repository=Repository("owner/model"))

    folder = hub.fetch(lacking, silent, options(model_hub.url, tmp_path, models_source="modelscope"))

    assert contents(folder) == WANTED
    assert model_hub.asked[0][0] == "/api/models/owner/model/revision/main"


def test_a_model_that_no_source_has_is_not_asked_for_again_and_says_what_to_do(model_hub: Hub, tmp_path: Path) -> None:
    lacking = msgspec.structs.replace(WEIGHTS, repository=Repository("owner/nothing"))

    with pytest.raises(EngineUnavailable, match=r"has no model owner/nothing.*MODELS_SOURCE.*EARS_MODEL") as raised:
        hub.fetch(lacking, silent, options(model_hub.url, tmp_path))

    assert raised.value.retry_seconds is None


def test_where_the_hub_does_not_answer_modelscope_is_asked(model_hub: Hub, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        folder = hub.fetch(WEIGHTS, silent, options(model_hub.url, tmp_path, hf_endpoint=closed))

    assert contents(folder) == WANTED


def test_of_two_files_that_would_do_the_first_is_fetched(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.repositories["owner/model"] |= {"model.int8.bin": b"small", "model.fp16.bin": b"half"}
    either = msgspec.structs.replace(WEIGHTS, needed=("model.int8.bin|model*.bin", "config.json|no.json"))

    folder = hub.fetch(either, silent, options(model_hub.url, tmp_path))

    assert contents(folder).keys() == {"model.int8.bin", "config.json", "voices/one.bin"}
    assert hub.missing(folder, either.needed) == []


def test_a_name_is_one_of_the_table_or_one_at_the_hub() -> None:
    table = {"small": Repository("owner/small", "other/small"), "large": Repository("owner/large")}

    assert hub.look_up("small", table, Repository, "EARS_MODEL") == Repository("owner/small", "other/small")
    assert hub.look_up("my/own", table, Repository, "EARS_MODEL") == Repository("my/own", "my/own")
    for bad in ("huge", "a/b/c", "../../etc"):
        with pytest.raises(EngineUnavailable, match=r"EARS_MODEL: no model .* There are small, large"):
            hub.look_up(bad, table, Repository, "EARS_MODEL")


@pytest.mark.parametrize("flag", ["models_offline", "hf_hub_offline"])
def test_offline_uses_what_is_there_and_asks_nobody(model_hub: Hub, tmp_path: Path, flag: str) -> None:
    offline = options(model_hub.url, tmp_path, **{flag: True})
    with pytest.raises(EngineUnavailable, match="OFFLINE") as raised:
        hub.fetch(WEIGHTS, silent, offline)
    assert raised.value.retry_seconds is None
    assert model_hub.asked == []

    folder = fetched(model_hub, tmp_path)

    assert hub.fetch(WEIGHTS, silent, offline) == folder


def test_only_a_folder_is_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()

    assert hub.folder_named("mine") == Path("mine")
    assert hub.folder_named("/no/such/folder") == Path("/no/such/folder")
    assert hub.folder_named("base") is None
    assert hub.folder_named("owner/model") is None
