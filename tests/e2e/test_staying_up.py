"""What goes on while something is changed, upgraded, killed or misspelt."""

import signal
import socket
from configparser import ConfigParser
from os import kill
from pathlib import Path

import httpx
import pytest

from e2e.installation import Installation, nginx_master, until
from e2e.test_load import Load
from e2e.test_streams import TEN_WORDS, chat, words
from fixtures.small_disk import fill, small_disk
from imitations.upstream import Upstream


def answers(installation: Installation) -> bool:
    try:
        return httpx.get(f"{installation.url}/status/llm", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_changes_of_settings_under_load_fail_no_request_and_break_no_answer(talkbox: Installation) -> None:
    before = talkbox.workers("llm")
    with Load(talkbox, 4, chat("words-10-every-50")) as load:
        for number in range(3):
            load.go_on(4)
            talkbox.set(LLM_MAX_QUEUED=str(400 + number))
            assert "replacing llm" in talkbox.make("up").stdout
            load.go_on(4)

    assert load.failed == []
    assert not set(before) & set(talkbox.workers("llm"))


def test_an_answer_of_several_seconds_is_said_to_the_end_while_its_service_is_replaced(
    talkbox: Installation, client: httpx.Client
) -> None:
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-400")) as response:
        pieces = response.iter_raw()
        body = next(pieces)
        talkbox.set(LLM_MAX_QUEUED="300")
        talkbox.make("up")
        body += b"".join(pieces)

    assert words(body) == TEN_WORDS


def test_while_a_service_drains_callers_are_refused_at_once_and_not_kept_waiting(
    talkbox: Installation, client: httpx.Client, upstream: Upstream
) -> None:
    parent, _ = talkbox.pids()["llm"]
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-500")) as response:
        pieces = response.iter_raw()
        next(pieces)
        drained = upstream.seen[-1]
        kill(parent, signal.SIGTERM)
        statuses: list[int] = []
        while 503 not in statuses and len(statuses) < 100:
            with talkbox.client() as other:
                refused = other.post("/chat/completions", json=chat("words-1-every-0"))
            statuses.append(refused.status_code)
        assert not drained.over.is_set(), "they were kept waiting until the service had drained"
        body = b"".join(pieces)

    assert set(statuses) <= {200, 503}
    assert statuses[-1] == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert b"[DONE]" in body
    until(lambda: talkbox.ready("llm"))


def test_settings_that_cannot_be_used_change_nothing_that_runs(talkbox: Installation) -> None:
    before = talkbox.pids()
    kept = dict(talkbox.settings)
    try:
        for wrong, words_ in ((("LLM_MAX_QUEUED", "many"), "LLM_MAX_QUEUED"), (("API_KEYS", "k$ecret"), "line")):
            talkbox.settings = dict(kept)
            talkbox.set(**dict([wrong]))
            done = talkbox.make("up", check=False)
            assert done.returncode != 0
            assert words_ in done.stdout
            assert "Traceback" not in done.stdout
            assert talkbox.make("doctor", check=False).returncode != 0
        assert talkbox.pids() == before
        assert answers(talkbox)
    finally:
        talkbox.settings = kept
        talkbox.set()
    talkbox.make("up")


def test_a_proxy_whose_master_was_killed_mends_itself(talkbox: Installation, client: httpx.Client) -> None:
    before = nginx_master(talkbox)
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-200")) as response:
        pieces = response.iter_raw()
        body = next(pieces)
        kill(before, signal.SIGKILL)
        body += b"".join(pieces)

    assert words(body) == TEN_WORDS
    until(lambda: nginx_master(talkbox) != before and answers(talkbox))
    until(lambda: "Nobody looks after" not in talkbox.make("ps").stdout)


def test_an_answer_that_takes_longer_than_a_stop_may_outlives_a_reload_of_the_proxy(
    talkbox: Installation, client: httpx.Client
) -> None:
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-2300")) as response:
        pieces = response.iter_raw()
        body = next(pieces)
        kill(nginx_master(talkbox), signal.SIGHUP)
        body += b"".join(pieces)

    assert words(body) == TEN_WORDS


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_killed_supervisor_is_found_by_ps_and_doctor_and_healed_by(command: str, empty: Installation) -> None:
    empty.make("up")
    supervisor = int((empty.folder / ".talkbox" / "run" / "supervisord.pid").read_text())
    kill(supervisor, signal.SIGKILL)

    assert "Nobody looks after" in empty.make("ps").stdout
    assert "supervisor or master that was killed" in empty.make("doctor", check=False).stdout
    empty.make(command)

    assert answers(empty) == (command == "up")
    assert "Nobody looks after" not in empty.make("ps").stdout
    if command == "down":
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", empty.port)) != 0


def test_on_a_full_disk_what_runs_goes_on_and_up_says_so_and_changes_nothing(empty: Installation) -> None:
    with small_disk(empty.folder / ".talkbox", 2) as disk:
        try:
            empty.make("up")
            before = empty.pids()
            fill(disk)
            files = {path: path.read_bytes() for path in disk.rglob("*.conf")}
            with empty.client() as client:
                assert client.post("/chat/completions", json=chat("companion")).status_code == 200
            empty.set(LLM_MAX_QUEUED="7")
            done = empty.make("up", check=False)
            assert done.returncode != 0
            assert "Make room" in done.stdout
            assert "Traceback" not in done.stdout
            assert {path: path.read_bytes() for path in files} == files
            assert empty.pids() == before
            (disk / "filler").unlink()
            empty.make("up")
            assert answers(empty)
        finally:
            (disk / "filler").unlink(missing_ok=True)
            empty.make("down", check=False)


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_supervisor_whose_socket_is_gone_is_found_and_healed_by(command: str, empty: Installation) -> None:
    empty.make("up")
    config = ConfigParser(interpolation=None)
    config.read(empty.folder / ".talkbox" / "run" / "supervisord.conf")
    Path(config["unix_http_server"]["file"]).unlink()

    assert "Nobody looks after" in empty.make("ps").stdout
    empty.make(command)

    assert answers(empty) == (command == "up")
    assert "Nobody looks after" not in empty.make("ps").stdout


def test_a_folder_that_is_moved_while_all_runs_is_healed_by_up(empty: Installation) -> None:
    empty.make("up")
    before, empty.folder = empty.folder, empty.folder.with_name("moved")
    before.rename(empty.folder)
    try:
        assert "Nobody looks after" in empty.make("ps").stdout
        empty.make("up")
        assert answers(empty)
        empty.make("down")
        assert not answers(empty)
    finally:
        empty.folder.rename(before)
        empty.folder = before


def test_workers_that_died_are_a_finding_of_the_doctor(talkbox: Installation) -> None:
    [worker] = talkbox.workers("tts")
    kill(worker, signal.SIGKILL)
    until(lambda: talkbox.workers("tts") not in ([], [worker]))
    until(lambda: talkbox.ready("tts"))

    assert "tts: 1 of its workers died" in talkbox.make("doctor", check=False).stdout
    assert "SIGKILL" in talkbox.log("tts")
