import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from chassis.errors import EngineUnavailable
from stt import models

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"model": {}}',
    "vocabulary.txt": b"a\nb\n",
    "model.bin": bytes(range(256)) * 4000,
    "README.md": b"not wanted",
}


class Hub(ThreadingHTTPServer):
    """Serves `FILES` as owner/model; breaks a download off after `break_after` bytes, `breaks` times."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(FILES)
        self.sha256 = hashlib.sha256(FILES["model.bin"]).hexdigest()
        self.break_after, self.breaks = 100_000, 0
        self.status = 200
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((path, self.headers["range"]))
        if path.startswith("/api/v1/models/owner/model/repo"):
            self._as_modelscope(path)
        elif self.server.status != 200 or "owner/model" not in path:
            self.send_error(self.server.status if self.server.status != 200 else 401)
        elif path == "/api/models/owner/model/revision/main":
            self._index()
        else:
            self._file(self.server.files[path.removeprefix("/owner/model/resolve/abc/")])

    def _as_modelscope(self, path: str) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        assert query["Revision"] == "master"
        if path.endswith("/repo"):
            self._file(self.server.files[query["FilePath"]])
            return
        listed: list[dict[str, object]] = [{"Path": "onnx", "Type": "tree", "Size": 0, "Sha256": ""}]
        for name, body in self.server.files.items():
            sha256 = self.server.sha256 if name == "model.bin" else hashlib.sha256(body).hexdigest()
            listed.append({"Path": name, "Type": "blob", "Size": len(body), "Sha256": sha256})
        self._json({"Code": 200, "Data": {"Files": listed}})

    def _index(self) -> None:
        listed = [
            {"rfilename": name, "size": len(body)}
            | ({"lfs": {"sha256": self.server.sha256}} if name == "model.bin" else {})
            for name, body in self.server.files.items()
        ]
        self._json({"sha": "abc", "siblings": listed})

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, body: bytes) -> None:
        begin = int((self.headers["range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if begin >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("content-length", str(len(body) - begin))
        self.end_headers()
        if self.server.breaks and len(body) > self.server.break_after:
            self.server.breaks -= 1
            self.wfile.write(body[begin : begin + self.server.break_after])
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(body[begin:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "FIRST_PAUSE_SECONDS", 0.0)


def find(hub: Hub, folder: Path, report: Callable[[str, float | None], None] = lambda doing, part: None) -> Path:
    return models.find("owner/model", report, models.HubOptions(hf_endpoint=hub.url + "/", models_dir=folder))


def test_a_model_is_fetched_with_progress_and_the_next_time_found(hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[str, float | None]] = []

    folder = find(hub, tmp_path, lambda doing, part: told.append((doing, part)))

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: body for name, body in FILES.items() if name != "README.md"
    }
    parts = [part for _, part in told if part is not None]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
    assert "of 1 MB" in told[-1][0]
    asked = len(hub.asked)
    assert find(hub, tmp_path) == folder
    assert len(hub.asked) == asked


def test_a_download_that_breaks_off_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = 5

    folder = find(hub, tmp_path)

    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    begins = [int((begin or "bytes=0-")[6:-1]) for path, begin in hub.asked if path.endswith("model.bin")]
    assert len(begins) == 6
    assert begins == sorted(set(begins))


def test_a_process_that_was_killed_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "whisper" / "owner--model"
    folder.mkdir(parents=True)
    (folder / "model.bin.part").write_bytes(FILES["model.bin"][:5000])

    find(hub, tmp_path)

    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert ("/owner/model/resolve/abc/model.bin", "bytes=5000-") in hub.asked


def test_what_was_there_before_and_does_not_fit_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "whisper" / "owner--model"
    folder.mkdir(parents=True)
    for rubbish in (b"x" * 5000, b"x" * 2_000_000):
        (folder / "model.bin.part").write_bytes(rubbish)
        find(hub, tmp_path)
        assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
        (folder / "model.bin").unlink()


def test_a_wrong_checksum_is_never_taken(hub: Hub, tmp_path: Path) -> None:
    hub.sha256 = "0" * 64

    with pytest.raises(EngineUnavailable, match="checksum"):
        find(hub, tmp_path)

    assert sum("model.bin" in path for path, _ in hub.asked) == 1
    assert not list(tmp_path.glob("**/model.bin"))


def test_no_network_says_what_to_do_and_tries_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused
        options = models.HubOptions(hf_endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}", models_dir=tmp_path)
        with pytest.raises(EngineUnavailable, match="HF_ENDPOINT") as raised:
            models.find("base", lambda doing, part: None, options)

    assert "Systran/faster-whisper-base" in str(raised.value)
    assert raised.value.retry_seconds == 60


def test_a_network_that_swallows_everything_does_not_hold_us_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "TIMEOUT", httpx.Timeout(0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and never says a word
        options = models.HubOptions(hf_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", models_dir=tmp_path)
        with pytest.raises(EngineUnavailable, match="ReadTimeout"):
            models.find("base", lambda doing, part: None, options)


@pytest.mark.parametrize(("status", "retry"), [(401, None), (404, None), (429, 60), (503, 60)])
def test_a_hub_that_refuses_is_told_of(hub: Hub, tmp_path: Path, status: int, retry: float | None) -> None:
    hub.status = status

    with pytest.raises(EngineUnavailable) as raised:
        find(hub, tmp_path)

    assert raised.value.retry_seconds == retry


def test_a_repository_without_a_model_is_told_of(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.bin"]

    with pytest.raises(EngineUnavailable, match=r"no model\.bin"):
        find(hub, tmp_path)


def test_a_hub_that_answers_something_else_is_told_of(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"config.json": b""}
    options = models.HubOptions(hf_endpoint=f"{hub.url}/owner/model/resolve/abc/config.json?", models_dir=tmp_path)

    with pytest.raises(EngineUnavailable):
        models.find("owner/model", lambda doing, part: None, options)


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("base", "Systran/faster-whisper-base"),
        ("small.en", "Systran/faster-whisper-small.en"),
        ("large", "Systran/faster-whisper-large-v3"),
        ("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
    ],
)
def test_short_names_are_those_of_faster_whisper(name: str, repository: str) -> None:
    from faster_whisper.utils import _MODELS

    assert models.repository(name) == repository == _MODELS[name]


def modelscope(hub: Hub, folder: Path, report: Callable[[str, float | None], None] = lambda doing, part: None) -> Path:
    options = models.HubOptions(models_source="modelscope", modelscope_endpoint=hub.url, models_dir=folder)
    return models.find("owner/model", report, options)


def test_modelscope_has_the_same_and_goes_on_where_it_broke_off(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = 2
    told: list[float] = []

    folder = modelscope(hub, tmp_path, lambda doing, part: told.append(part or 0.0))

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: body for name, body in FILES.items() if name != "README.md"
    }
    assert told[-1] == 1.0
    assert len([begin for _, begin in hub.asked if begin]) == 2


def test_a_wrong_checksum_of_modelscope_is_never_taken_either(hub: Hub, tmp_path: Path) -> None:
    hub.sha256 = "0" * 64

    with pytest.raises(EngineUnavailable, match=r"checksum.*MODELS_SOURCE"):
        modelscope(hub, tmp_path)


def test_a_model_that_modelscope_keeps_under_another_name_is_found_there() -> None:
    assert models.repository("base", "modelscope") == "Systran/faster-whisper-base"
    assert models.repository("turbo", "modelscope") == "pengzhendong/faster-whisper-large-v3-turbo"


@pytest.mark.parametrize("flag", ["models_offline", "hf_hub_offline"])
def test_offline_uses_what_is_there_and_asks_nobody(hub: Hub, tmp_path: Path, flag: str) -> None:
    options = models.HubOptions(hf_endpoint=hub.url, models_dir=tmp_path, **{flag: True})  # type: ignore[arg-type]
    with pytest.raises(EngineUnavailable, match="OFFLINE") as raised:
        models.find("owner/model", lambda doing, part: None, options)
    assert raised.value.retry_seconds is None
    assert hub.asked == []

    folder = find(hub, tmp_path)

    assert models.find("owner/model", lambda doing, part: None, options) == folder
