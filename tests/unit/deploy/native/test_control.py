import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deploy.installation import Addresses
from deploy.native import changes, control, log_tail, processes
from deploy.native.log_tail import LogLine, parse_line
from deploy.ports import UnusablePort, described, has_ipv6, is_taken
from supervisor.states import ProcessStates

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
CRITICAL = '{"time":"2026-11-30T12:00:00.000+00:00","level":"critical","message":"tts cannot start"}'


@pytest.mark.parametrize("bind", ["999.1.1.1", "192.0.2.77", "no such name"])
def test_an_address_that_is_not_this_machines_is_no_matter_of_ports(bind: str) -> None:
    with pytest.raises(UnusablePort, match=f"TALKBOX_BIND={bind} is no address of this machine"):
        is_taken(Addresses(port=9000, bind=bind), 9000)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_port_is_taken_by_whoever_has_it_of_ipv6_alone() -> None:
    """As a development server does that listens on `localhost`."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]

        assert is_taken(Addresses(port), port)
        assert not is_taken(Addresses(port, "127.0.0.1"), port)
        assert f"process {os.getpid()}" in described(port)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (CRITICAL, LogLine("critical", "tts cannot start", NOON)),
        (CRITICAL.replace("critical", "info", 1), LogLine("info", "tts cannot start", NOON)),
        (
            '{"level": "critical", "message": "at no time"}',
            LogLine("", '{"level": "critical", "message": "at no time"}'),
        ),
        ("nginx:  critical: no JSON", LogLine("", "nginx:  critical: no JSON")),
        ("[1, 2]", LogLine("", "[1, 2]")),
    ],
)
def test_a_line_of_a_log_is_judged_by_its_level_and_not_by_words_in_it(line: str, read: LogLine) -> None:
    assert parse_line(line) == read


def test_with_too_few_open_files_nothing_is_started_and_the_limit_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(control, "most_open_files", lambda: 32)
    monkeypatch.setattr(control, "alone", lambda: pytest.fail("something is changed"))
    monkeypatch.setattr("sys.argv", ["control", "up"])

    assert control.main() == 1
    assert "only 32 files" in capsys.readouterr().err


class Supervisor:
    """One whose service had only begun when it got SIGHUP, died of it, and was started again."""

    pid = 1

    def getProcessInfo(self, name: str) -> dict[str, int]:
        return {"pid": self.pid}

    def signalProcess(self, name: str, number: str) -> None:
        self.pid = 2


def test_a_service_that_dies_of_being_replaced_is_replaced_once_its_successor_has_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor = Supervisor()
    monkeypatch.setattr(changes, "supervisor", lambda: supervisor)
    monkeypatch.setattr(processes, "workers", {1: [], 2: [21]}.__getitem__)
    monkeypatch.setattr(changes, "REPLACE_SECONDS", 0.0)

    changes.replace(["tts"])


class Trying:
    """A supervisor that tries a service again and again, which takes long to refuse its settings."""

    def __init__(self, state: int) -> None:
        self.state = state

    def getAllProcessInfo(self) -> list[dict[str, object]]:
        return [{"name": "tts", "state": self.state}]


@pytest.mark.parametrize("state", [ProcessStates.STARTING, ProcessStates.RUNNING, ProcessStates.BACKOFF])
@pytest.mark.parametrize(("seconds_ago", "is_down"), [(1, True), (-1, False)])
def test_settings_that_a_service_refused_since_it_was_told_to_start_are_shown_whatever_it_does_at_that_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: int, seconds_ago: int, is_down: bool
) -> None:
    (tmp_path / "tts.log").write_text(f"{CRITICAL}\n")
    monkeypatch.setattr(log_tail, "LOGS", tmp_path)
    monkeypatch.setattr(changes, "supervisor", lambda: Trying(state))

    reason = changes.why_down(NOON - timedelta(seconds=seconds_ago))

    assert ("tts cannot start" in (reason or "")) is is_down


def test_who_listens_on_a_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        shown = described(port)

    assert str(os.getpid()) in shown
    assert described(port) == str(port)  # nobody does any more
