from pathlib import Path

import pytest

from chassis.errors import EngineUnavailable
from chassis.settings import SettingError
from chassis.upstream.provider import Provider
from chassis.upstream.settings import Rows

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


def test_a_query_is_sent_with_every_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "EARS_MINE_BASE_URL", "https://mine.example/openai/deployments/d/listen?api-version=2024-10-21#x"
    )
    row = EARS.row("mine")

    assert row.url("/listen") == "https://mine.example/openai/deployments/d/listen?api-version=2024-10-21"
    assert row.url("/models") == "https://mine.example/openai/deployments/d/models?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", {"authorization": "Bearer k"}),
        ("X-Team: bears", {"authorization": "Bearer k", "x-team": "bears"}),
        ("api-key: {key}", {"api-key": "k"}),
        ('{"api-key": "{key}", "X-Note": "a, b: c"}', {"api-key": "k", "x-note": "a, b: c"}),
        (
            "CF-Access-Client-Id: a, CF-Access-Client-Secret: b=,c",
            {"authorization": "Bearer k"} | {"cf-access-client-id": "a", "cf-access-client-secret": "b=,c"},
        ),
        ("Authorization: Token abc", {"authorization": "Token abc"}),
        ("X-Where: http://a.example:8000/b", {"authorization": "Bearer k", "x-where": "http://a.example:8000/b"}),
    ],
)
def test_headers_of_ones_own_go_beside_the_key_or_show_it(
    monkeypatch: pytest.MonkeyPatch, text: str, sent: dict[str, str]
) -> None:
    monkeypatch.setenv("EARS_MINE_BASE_URL", "http://mine/v1")
    monkeypatch.setenv("EARS_MINE_API_KEY", "k, l")
    monkeypatch.setenv("EARS_MINE_HEADERS", text)
    row = EARS.row("mine")

    assert row.headers_with("k") == sent
    assert row.api_keys == ("k", "l")


@pytest.mark.parametrize("text", ["nonsense", "a b: c", "x: \u00e9", '{"a": 1}', "{", "x:", '{"x": "a\\nb: c"}'])
def test_headers_that_cannot_be_sent_are_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("EARS_MINE_BASE_URL", "http://mine/v1")
    monkeypatch.setenv("EARS_MINE_HEADERS", text)

    with pytest.raises(SettingError, match="EARS_MINE_HEADERS: it takes"):
        EARS.row("mine")


@pytest.mark.parametrize(("key", "header"), [("k", "api-key"), ("eyJhbGciOi", "authorization")])
def test_azure_is_shown_its_key_in_its_own_header_and_a_token_as_a_token(
    monkeypatch: pytest.MonkeyPatch, key: str, header: str
) -> None:
    monkeypatch.setenv("EARS_OURS_BASE_URL", "https://bear.openai.azure.com/openai/v1")
    monkeypatch.setenv("EARS_OURS_API_KEY", key)

    assert list(EARS.row("ours").headers_with(key)) == [header]


@pytest.mark.parametrize("name", ["House", "HOUSE", "ho-use", "ho_use", "haus"])
def test_a_provider_is_known_however_it_is_spelled(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    rows = Rows("EARS", "/listen", TABLE, Provider(None, needs_key=False), spellings={"haus": "house"})
    monkeypatch.setenv("HOUSE_API_KEY", "k")
    monkeypatch.setenv("EARS_HOUSE_MODELS", "a,b")

    assert rows.exists(name)
    found = rows.row(name)
    assert (found.base_url, found.api_key, found.models) == ("http://house/v1", "k", ("a", "b"))


def test_a_spelling_has_variables_of_its_own_that_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARS_HOUSE_BASE_URL", "http://theirs/v1")
    monkeypatch.setenv("EARS_HO_USE_BASE_URL", "http://ours/v1")

    assert EARS.row("ho-use").base_url == "http://ours/v1"
    assert EARS.row("house").base_url == "http://theirs/v1"


def test_a_key_may_be_kept_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-1\nsk-2\n")
    monkeypatch.setenv("HOUSE_API_KEY_FILE", str(file))
    assert EARS.row("house").api_keys == ("sk-1", "sk-2")

    monkeypatch.setenv("HOUSE_API_KEY_FILE", str(tmp_path / "absent"))
    assert EARS.exists("house")
    with pytest.raises(SettingError, match=r"HOUSE_API_KEY_FILE: cannot read .*absent"):
        EARS.row("house")


def test_a_file_of_certificates_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARS_MINE_BASE_URL", "https://mine/v1")
    monkeypatch.setenv("EARS_MINE_CA_FILE", "/no/such.pem")

    with pytest.raises(EngineUnavailable, match=r"'/no/such\.pem'.*EARS_MINE_CA_FILE"):
        EARS.row("mine")
