import pytest

from chassis.errors import EngineUnavailable
from chassis.upstream.settings import Provider, Rows

TABLE = {"house": Provider("http://house/v1", "usual"), "shop": Provider(None, hint="Ask the shop.")}
EARS = Rows("EARS", "/listen", TABLE, Provider(None, needs_key=False))
MOUTH = Rows("MOUTH", "/speak", TABLE, Provider(None, needs_key=False))


def test_services_share_a_key_and_have_their_own_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_API_KEY", "shared")
    monkeypatch.setenv("MOUTH_HOUSE_API_KEY", "own")

    assert (EARS.row("house").api_key, MOUTH.row("house").api_key) == ("shared", "own")
    assert (EARS.row("house").prefix, MOUTH.row("house").prefix) == ("EARS_HOUSE_", "MOUTH_HOUSE_")


def test_an_address_may_end_in_the_services_own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_BASE_URL", "http://mine/v1/speak/")

    assert MOUTH.row("mine").base_url == "http://mine/v1"
    assert EARS.row("mine").base_url == "http://mine/v1/speak"


def test_what_is_missing_is_named_with_the_services_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOUSE_API_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match=r"Set HOUSE_API_KEY \(or EARS_HOUSE_API_KEY\)"):
        EARS.row("house")
    with pytest.raises(EngineUnavailable, match=r"Set EARS_SHOP_BASE_URL\. Ask the shop\."):
        EARS.row("shop")


def test_a_row_of_ones_own_exists_once_it_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EARS.exists("house")
    assert not EARS.exists("mine")

    monkeypatch.setenv("MOUTH_MINE_BASE_URL", "http://mine/v1")

    assert MOUTH.exists("mine")
    assert not EARS.exists("mine")
