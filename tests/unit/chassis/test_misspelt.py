"""Names of variables that are almost right."""

import pytest

from chassis.errors import EngineUnavailable
from chassis.misspelt import misspelt
from llm.request.providers import UPSTREAMS

READ = {"DEEPSEEK_": ("API_KEY", "BASE_URL"), "LLM_DEEPSEEK_": ("API_KEY", "BASE_URL", "MODEL", "PROXY")}


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        *((f"LLM_DEEPSEEK_{end}", "LLM_DEEPSEEK_API_KEY") for end in ("APIKEY", "KEY", "API_KEYS", "TOKEN", "AIP_KEY")),
        *(
            (f"LLM_DEEPSEEK_{end}", "LLM_DEEPSEEK_BASE_URL")
            for end in ("BASEURL", "URL", "API_BASE", "BASE_ULR", "HOST")
        ),
        *((f"LLM_DEEPSEEK_{end}", "LLM_DEEPSEEK_MODEL") for end in ("MODEL_NAME", "MODLE")),
        ("llm_deepseek_api_key", "LLM_DEEPSEEK_API_KEY"),
        ("Llm-Deepseek-Api-Key", "LLM_DEEPSEEK_API_KEY"),
        ("LLM_DEEPSEEK_APIKEY_FILE", "LLM_DEEPSEEK_API_KEY"),
        ("DEEPSEEK_APIKEY", "DEEPSEEK_API_KEY"),
        ("deepseek_api_key", "DEEPSEEK_API_KEY"),
    ],
)
def test_the_name_that_is_meant_is_found(variable: str, meant: str) -> None:
    assert [*misspelt({variable: "x"}, READ)] == [(variable, meant)]


@pytest.mark.parametrize(
    "variable",
    [
        "DEEPSEEK_API_KEY",
        "LLM_DEEPSEEK_API_KEY_FILE",
        "LLM_DEEPSEEK_TEMPERATURE",
        "LLM_ENGINES",
        "DEEPSEEK_KEY",
        "HOME",
    ],
)
def test_what_is_read_or_anothers_is_let_alone(variable: str) -> None:
    assert not [*misspelt({variable: "x"}, READ, ["DEEPSEEK_KEY"])]


def test_a_variable_without_a_value_is_not_set() -> None:
    assert not [*misspelt({"LLM_DEEPSEEK_APIKEY": " "}, READ)]


def test_an_upstream_without_its_key_says_what_is_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MOONSHOT_APIKEY", "sk-theirs")
    with pytest.raises(EngineUnavailable, match="it is called LLM_MOONSHOT_API_KEY") as raised:
        UPSTREAMS.row("moonshot")

    assert "sk-theirs" not in str(raised.value)


def test_folotoys_own_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_KEY", "sk-theirs")
    assert not UPSTREAMS.misspelt("deepseek")
