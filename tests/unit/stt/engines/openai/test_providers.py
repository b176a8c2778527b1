import pytest

from stt.engines import ENGINES
from stt.engines.openai.providers import PROVIDERS, SENSEVOICE, UPSTREAMS
from stt.text.languages import code_of

HOSTED = {name: provider for name, provider in PROVIDERS.items() if provider.needs_key}
OWN = {name: provider for name, provider in PROVIDERS.items() if not provider.needs_key}


@pytest.fixture(autouse=True)
def nothing_set_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROVIDERS, "parrot"):
        prefix = name.replace("-", "_").upper()
        for variable in ("API_KEY", "BASE_URL"):
            monkeypatch.delenv(f"{prefix}_{variable}", raising=False)
            monkeypatch.delenv(f"STT_{prefix}_{variable}", raising=False)


def test_no_engine_of_the_table_is_also_a_provider() -> None:
    assert not ENGINES.keys() & PROVIDERS.keys()


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_address_is_one_to_which_the_path_can_be_added(name: str) -> None:
    address = PROVIDERS[name].base_url

    assert address is not None
    assert address.endswith("/v1")
    assert address.startswith("https://" if name in HOSTED else "http://localhost:")


@pytest.mark.parametrize("name", HOSTED)
def test_a_hosted_server_waits_for_its_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not UPSTREAMS.usable(name)

    monkeypatch.setenv(f"STT_{name.upper()}_API_KEY", "key")

    assert UPSTREAMS.usable(name)


@pytest.mark.parametrize("name", OWN)
def test_a_server_of_ones_own_is_asked_without_a_key(name: str) -> None:
    assert UPSTREAMS.row(name).api_key == ""


@pytest.mark.parametrize("name", HOSTED)
def test_what_goes_over_the_internet_is_sent_small(name: str) -> None:
    assert HOSTED[name].format in ("opus", "mp3")


@pytest.mark.parametrize("language", SENSEVOICE)
def test_the_languages_of_sensevoice_are_written_as_callers_languages_are_read(language: str) -> None:
    assert code_of(language) == language


def test_a_server_that_nobody_knows_wants_no_key_hears_any_language_and_gets_flac() -> None:
    unknown = UPSTREAMS.provider("parrot")

    assert (unknown.needs_key, unknown.languages, unknown.format) == (False, (), "flac")
    assert not UPSTREAMS.usable("parrot"), "its address is missing"
