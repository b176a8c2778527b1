import pytest
from deploy.installation import Addresses
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
