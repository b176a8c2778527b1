from pathlib import Path

import pytest
from deploy.installation import SERVICES, Addresses, first_key, read_env, url


def test_env_files_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\n"
        "PLAIN=word\n"
        "SPACED =  two words  # a comment\n"
        "export EXPORTED=yes\n"
        'QUOTED="with # inside"\n'
        "SINGLE='$kept as it is'\n"
        "HASH=a#b\n"
        "EMPTY=\n"
        "COMMENTED= # nothing\n"
        "熊=no name of a variable\n"
    )

    assert read_env(tmp_path / ".env") == {
        "PLAIN": "word",
        "SPACED": "two words",
        "EXPORTED": "yes",
        "QUOTED": "with # inside",
        "SINGLE": "$kept as it is",
        "HASH": "a#b",
        "EMPTY": "",
        "COMMENTED": "",
    }


def test_an_env_file_of_any_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfTALKBOX_PORT=9000\r\n# " + "设置".encode("gbk") + b"\r\nLAST=1")

    assert read_env(tmp_path / ".env") == {"TALKBOX_PORT": "9000", "LAST": "1"}


def test_no_env_file_means_no_settings(tmp_path: Path) -> None:
    assert read_env(tmp_path / ".env") == {}


def test_one_number_moves_all_ports() -> None:
    addresses = Addresses.of({"TALKBOX_PORT": "9000"})

    assert [addresses.base_port(service) for service in SERVICES] == [9001, 9002, 9003]
    assert [addresses.own_port(service) for service in SERVICES] == [9011, 9012, 9013]


@pytest.mark.parametrize("port", ["0", "65523", "80a", "-1"])
def test_a_port_that_cannot_be_used_is_refused_by_name(port: str) -> None:
    with pytest.raises(ValueError, match="TALKBOX_PORT"):
        Addresses.of({"TALKBOX_PORT": port})


@pytest.mark.parametrize(("bind", "local"), [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("10.0.0.7", "10.0.0.7")])
def test_this_machine_reaches_the_proxy_where_it_listens(bind: str, local: str) -> None:
    assert Addresses.of({"TALKBOX_BIND": bind}).local == local


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert url(Addresses.of({"TALKBOX_BIND": "[::1]"}).local, 8080) == "http://[::1]:8080/v1"


@pytest.mark.parametrize(("keys", "first"), [("", None), ("a", "a"), ("kitchen:a,b", "a"), (" , kitchen:a:b", "a:b")])
def test_the_first_key_is_shown_without_its_name(keys: str, first: str | None) -> None:
    assert first_key({"API_KEYS": keys}) == first
