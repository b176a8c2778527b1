"""Several workers behind one socket: they die, hang, are replaced and let go, and callers notice none of it."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.server.worker import count_together
from fixtures.small_disk import fill, small_disk
from unit.chassis.server.test_serve import APP, Process

ALL = b"0\n1\n2\n3\n4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "tts"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "app.py").write_text(APP)
    return tmp_path


class Parent(Process):
    """A parent, and what it and its workers have logged."""

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(folder, "--workers", str(workers), "--counts", str(folder / "counts"))
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.wait_until_up()

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.lines.append(json.loads(line))

    def end(self) -> int:
        self.child.terminate()
        code = self.child.wait(30)
        self._reader.join()
        assert self.child.stdout is not None
        self.child.stdout.close()
        return code

    def worker(self) -> int:
        return int(self.client.get("/pid").text)

    def logged(self, words: str) -> bool:
        return any(words in line["message"] for line in self.lines)


def until(done: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if value := done():
                return value
        except httpx.TransportError:  # just then nobody was there
            pass
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.fixture
def one(folder: Path) -> Iterator[Parent]:
    parent = Parent(folder, 1)
    yield parent
    parent.end()


@pytest.fixture
def two(folder: Path) -> Iterator[Parent]:
    parent = Parent(folder, 2)
    until(lambda: len(parent.pids()) == 2)
    yield parent
    parent.end()


def test_a_worker_that_was_killed_is_a_line_in_the_log_a_number_and_a_finding(one: Parent) -> None:
    killed = one.worker()

    os.kill(killed, signal.SIGKILL)

    until(lambda: one.worker() != killed)
    [line] = [line for line in one.lines if line.get("worker") == killed]
    assert line["level"] == "error"
    assert "SIGKILL" in line["message"]
    assert "talkbox_worker_deaths 1.0" in one.client.get("/metrics").text
    assert one.client.get("/readyz").json()["worker_deaths"] == 1


def test_a_worker_whose_loop_hangs_is_replaced(one: Parent) -> None:
    hung = one.worker()
    os.kill(hung, signal.SIGSTOP)

    until(lambda: one.client.get("/pid", timeout=0.5).text != str(hung), 60)

    assert one.logged(f"worker {hung} has been silent for too long")


def refuses(url: str) -> bool:
    """Whether nobody listens; a caller who is let in is answered at once, never kept waiting."""
    try:
        httpx.get(f"{url}/pid", timeout=2)
    except httpx.ConnectError:
        return True
    except httpx.RemoteProtocolError:  # let in by a worker on its way out
        return False
    return False


def test_after_sigterm_callers_are_refused_at_once_and_begun_answers_end_whole(one: Parent) -> None:
    with one.client.stream("POST", "/slow") as response:
        pieces = response.iter_bytes()
        got = next(pieces)
        one.child.terminate()
        until(partial(refuses, one.url))
        got += b"".join(pieces)

    assert got == ALL
    assert one.child.wait(30) == 0


def replaced(parent: Parent, before: set[str]) -> set[str]:
    """The workers there are, once two others have taken the place of those `before`."""
    now = parent.pids()
    return now if len(now) == 2 and not now & before else set()


def test_sighup_replaces_all_workers_without_one_failed_request(two: Parent) -> None:
    before, over = two.pids(), threading.Event()
    failed: list[str] = []

    def ask() -> None:
        while not over.is_set():
            try:
                if two.client.post("/slow", timeout=None).content != ALL:  # how long it takes is no matter here
                    failed.append("not whole")
            except (httpx.RemoteProtocolError, httpx.ReadError):
                pass  # accepted by a worker on its way out; a proxy asks again
            except httpx.TransportError as exc:
                failed.append(repr(exc))

    with ThreadPoolExecutor(4) as callers:
        asking = [callers.submit(ask) for _ in range(4)]
        try:
            for _ in range(2):
                two.child.send_signal(signal.SIGHUP)
                before = until(partial(replaced, two, before), 120)
        finally:
            over.set()

    assert [each.exception() for each in asking] == [None] * 4
    assert failed == []
    assert two.child.poll() is None


def test_sighup_takes_up_new_code_and_a_new_one_that_cannot_start_leaves_the_former_serving(
    one: Parent, folder: Path
) -> None:
    app = folder / "tts" / "app.py"
    app.write_text(APP.replace("str(os.getpid())", "'new ' + str(os.getpid())"))
    one.child.send_signal(signal.SIGHUP)
    until(lambda: one.client.get("/pid").text.startswith("new"))

    app.write_text("def create_app():\n    raise KeyError('x')\n")
    one.child.send_signal(signal.SIGHUP)
    until(lambda: one.logged("a new worker could not start"))

    assert one.client.get("/pid").text.startswith("new")


def test_a_worker_told_to_end_by_somebody_else_ends_its_answers_and_is_replaced(one: Parent) -> None:
    told = one.worker()
    with one.client.stream("POST", "/slow") as response:
        pieces = response.iter_bytes()
        got = next(pieces)
        os.kill(told, signal.SIGTERM)
        got += b"".join(pieces)

    assert got == ALL
    until(lambda: one.worker() != told)
    assert "worker_deaths" not in one.client.get("/readyz").json()


def test_workers_that_die_as_they_start_end_the_service_so_that_callers_are_refused(folder: Path) -> None:
    (folder / "tts" / "app.py").write_text("import os\ndef create_app():\n    os._exit(9)\n")
    process = Process(folder, "--workers", "1")

    output, _ = process.child.communicate(timeout=30)

    assert process.child.returncode == 3
    assert "no worker could start (exit code 9)" in output


def test_until_a_worker_can_answer_callers_are_refused_and_not_kept_waiting(folder: Path) -> None:
    begun, go_on = folder / "begun", folder / "go_on"
    wait = f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\n"
    wait += f"while not pathlib.Path({str(go_on)!r}).exists():\n    time.sleep(0.01)\n"
    (folder / "tts" / "app.py").write_text(wait + APP)
    process = Process(folder, "--workers", "1")
    until(begun.exists)

    assert refuses(process.url)
    go_on.touch()
    process.wait_until_up()
    process.child.terminate()
    process.child.communicate(timeout=30)


def test_a_port_that_is_taken_is_one_line(folder: Path, one: Parent) -> None:
    second = subprocess.run(
        [*one.child.args[:4], "--port", str(one.port), "--workers", "1"],  # type: ignore[index]
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{Path('services').resolve()}"},
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert second.returncode == 3
    assert "cannot listen" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr


def counted(parent: Parent) -> float:
    counts = re.findall(r'talkbox_requests_total\{.*path="/pid".*\} (\d+)', parent.client.get("/metrics").text)
    return sum(map(float, counts))


def test_a_second_worker_counts_together_with_the_first(one: Parent) -> None:
    former = one.pids()  # it counts for itself, and a successor takes its place
    one.child.send_signal(signal.SIGTTIN)
    until(lambda: replaced(one, former))
    before = counted(one)
    one.pids()

    assert counted(one) == before + 40


def test_one_worker_keeps_no_files_for_its_counts(one: Parent, folder: Path) -> None:
    assert counted(one) >= 0
    assert not (folder / "counts").exists()


def test_a_vanished_folder_costs_counts_and_nothing_else(two: Parent, folder: Path) -> None:
    shutil.rmtree(folder / "counts")
    assert two.client.get("/metrics").status_code == 200

    killed = two.worker()
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(now := two.pids()) == 2 and str(killed) not in now)

    assert two.client.get("/metrics").status_code == 200


def test_a_folder_that_cannot_be_made_leaves_a_worker_counting_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    (tmp_path / "file").touch()

    count_together(tmp_path / "file" / "counts")

    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_a_full_disk_costs_counts_and_kills_no_worker(folder: Path) -> None:
    with small_disk(folder / "counts", megabytes=6) as small:
        parent = Parent(folder, 2)
        try:
            until(lambda: len(parent.pids()) == 2)
            fill(small)
            workers = parent.pids()
            for _ in range(3):
                parent.pids()
            assert parent.pids() == workers, "nobody died of it"
            killed = parent.worker()
            os.kill(killed, signal.SIGKILL)
            until(lambda: len(now := parent.pids()) == 2 and str(killed) not in now)
            assert parent.client.get("/metrics").status_code == 200
        finally:
            parent.end()
