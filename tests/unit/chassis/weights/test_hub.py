import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from chassis.errors import EngineUnavailable
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Place, Weights
from imitations.hub import Hub, running

FILES = {
    "config.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
    "voices/one.bin": b"1",
    "model.bin": bytes(range(256)) * 4000,
    "README.md": b"not wanted",
}
WEIGHTS = Weights(
    place=Place("owner/model", "owner/model"),
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
    monkeypatch.setattr(hub, "FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(hub, "LOOK_AGAIN_SECONDS", 0.01)


def fetched(model_hub: Hub, folder: Path, report: Callable[[str, float | None], None] = silent) -> Path:
    return hub.fetched(WEIGHTS, report, HubOptions(hf_endpoint=model_hub.url + "/", models_dir=folder))


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
        options = HubOptions(hf_endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}", models_dir=tmp_path)
        with pytest.raises(EngineUnavailable, match=r"HF_ENDPOINT.*EARS_MODEL") as raised:
            hub.fetched(WEIGHTS, silent, options)

    assert "owner/model" in str(raised.value)
    assert raised.value.retry_seconds == 60


def test_a_network_that_swallows_everything_does_not_hold_us_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TIMEOUT", httpx.Timeout(0.05))
    with socket.create_server(("127.0.0.1", 0)) as mute:  # connects, and never says a word
        options = HubOptions(hf_endpoint=f"http://127.0.0.1:{mute.getsockname()[1]}", models_dir=tmp_path)
        with pytest.raises(EngineUnavailable, match="ReadTimeout"):
            hub.fetched(WEIGHTS, silent, options)


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
    options = HubOptions(hf_endpoint=f"{model_hub.url}/owner/model/resolve/abc/config.json?", models_dir=tmp_path)

    with pytest.raises(EngineUnavailable):
        hub.fetched(WEIGHTS, silent, options)


def from_modelscope(model_hub: Hub, folder: Path, report: Callable[[str, float | None], None] = silent) -> Path:
    options = HubOptions(models_source="modelscope", modelscope_endpoint=model_hub.url, models_dir=folder)
    return hub.fetched(WEIGHTS, report, options)


def test_modelscope_has_the_same_and_goes_on_where_it_broke_off(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.breaks = 2
    told: list[float] = []

    folder = from_modelscope(model_hub, tmp_path, lambda doing, part: told.append(part or 0.0))

    assert contents(folder) == WANTED
    assert told[-1] == 1.0
    assert len([begin for _, begin in model_hub.asked if begin]) == 2


def test_a_wrong_checksum_of_modelscope_is_never_taken_either(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.spoilt = {"config.json"}

    with pytest.raises(EngineUnavailable, match=r"checksum.*MODELS_SOURCE"):
        from_modelscope(model_hub, tmp_path)


def test_a_model_of_another_name_at_modelscope_is_asked_for_by_that_and_kept_in_one_place(
    model_hub: Hub, tmp_path: Path
) -> None:
    model_hub.repositories["someone/else"] = model_hub.repositories.pop("owner/model")
    options = HubOptions(models_source="modelscope", modelscope_endpoint=model_hub.url, models_dir=tmp_path)
    elsewhere = msgspec.structs.replace(WEIGHTS, place=Place("owner/model", "someone/else"))

    assert hub.fetched(elsewhere, silent, options) == tmp_path / "ears" / "owner--model"


def test_a_model_that_modelscope_lacks_is_looked_for_nowhere_and_says_what_to_do(
    model_hub: Hub, tmp_path: Path
) -> None:
    options = HubOptions(models_source="modelscope", modelscope_endpoint=model_hub.url, models_dir=tmp_path)
    lacking = msgspec.structs.replace(WEIGHTS, place=Place("owner/model"))

    with pytest.raises(EngineUnavailable, match=r"MODELS_SOURCE to huggingface.*EARS_MODEL") as raised:
        hub.fetched(lacking, silent, options)
    assert (raised.value.retry_seconds, model_hub.asked) == (None, [])

    folder = fetched(model_hub, tmp_path)
    assert hub.fetched(lacking, silent, options) == folder  # it is there, wherever it came from


def test_of_two_files_that_would_do_the_first_is_fetched(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.repositories["owner/model"] |= {"model.int8.bin": b"small", "model.fp16.bin": b"half"}
    either = msgspec.structs.replace(WEIGHTS, needed=("model.int8.bin|model*.bin", "config.json|no.json"))

    folder = hub.fetched(either, silent, HubOptions(hf_endpoint=model_hub.url, models_dir=tmp_path))

    assert contents(folder).keys() == {"model.int8.bin", "config.json", "voices/one.bin"}
    assert hub.missing(folder, either.needed) == []


def test_a_name_is_one_of_the_table_or_one_at_the_hub() -> None:
    table = {"small": Place("owner/small", "other/small"), "large": Place("owner/large")}

    assert hub.named("small", table, Place, "EARS_MODEL") == Place("owner/small", "other/small")
    assert hub.named("my/own", table, Place, "EARS_MODEL") == Place("my/own", "my/own")
    for bad in ("huge", "a/b/c", "../../etc"):
        with pytest.raises(EngineUnavailable, match=r"EARS_MODEL: no model .* There are small, large"):
            hub.named(bad, table, Place, "EARS_MODEL")


@pytest.mark.parametrize("flag", ["models_offline", "hf_hub_offline"])
def test_offline_uses_what_is_there_and_asks_nobody(model_hub: Hub, tmp_path: Path, flag: str) -> None:
    options = HubOptions(hf_endpoint=model_hub.url, models_dir=tmp_path, **{flag: True})  # type: ignore[arg-type]
    with pytest.raises(EngineUnavailable, match="OFFLINE") as raised:
        hub.fetched(WEIGHTS, silent, options)
    assert raised.value.retry_seconds is None
    assert model_hub.asked == []

    folder = fetched(model_hub, tmp_path)

    assert hub.fetched(WEIGHTS, silent, options) == folder


def test_only_a_folder_is_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()

    assert hub.folder_named("mine") == Path("mine")
    assert hub.folder_named("/no/such/folder") == Path("/no/such/folder")
    assert hub.folder_named("base") is None
    assert hub.folder_named("owner/model") is None
