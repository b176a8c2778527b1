import pytest
from deploy.installation import Addresses
from deploy.native import changes, processes
from deploy.native.log_tail import LogLine, parse_line
from deploy.native.ports import is_taken
from deploy.native.supervision import Trouble


@pytest.mark.parametrize("bind", ["999.1.1.1", "192.0.2.77", "no such name"])
def test_an_address_that_is_not_this_machines_is_no_matter_of_ports(bind: str) -> None:
    with pytest.raises(Trouble, match=f"TALKBOX_BIND={bind} is no address of this machine"):
        is_taken(Addresses(port=9000, bind=bind), 9000)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ('{"level": "critical", "message": "tts cannot start"}', LogLine("critical", "tts cannot start")),
        ('{"level": "info", "message": "it said  critical: so"}', LogLine("info", "it said  critical: so")),
        ("nginx:  critical: no JSON", LogLine("", "nginx:  critical: no JSON")),
        ("[1, 2]", LogLine("", "[1, 2]")),
    ],
)
def test_a_line_of_a_log_is_judged_by_its_level_and_not_by_words_in_it(line: str, read: LogLine) -> None:
    assert parse_line(line) == read


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
