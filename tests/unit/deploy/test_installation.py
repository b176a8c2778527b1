import pytest
from deploy.installation import SERVICES, Addresses, first_key, url


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
