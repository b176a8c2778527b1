import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from chassis.settings import SettingError
from llm.app import create_app
from llm.engines import ENGINES, ROWS
from llm.request.providers import PROVIDERS


@pytest.fixture(autouse=True)
def no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LLM_OPENAI_API_KEY", "LLM_OPENAI_BASE_URL", "API_KEYS"):
        monkeypatch.delenv(variable, raising=False)


def test_without_any_setting_the_companion_answers_and_readyz_says_what_is_missing() -> None:
    with TestClient(create_app()) as client:
        while (ready := client.get("/readyz").json())["engines"][0]["state"] == "loading":
            pass
        answer = client.post(
            "/v1/chat/completions", json={"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "hi"}]}
        )

    assert ready["engines"][0]["detail"] == "Set OPENAI_API_KEY (or LLM_OPENAI_API_KEY)."
    assert answer.status_code == 200
    assert answer.headers["x-talkbox-engine"] == "companion"


@pytest.mark.parametrize("names", ["moonshoot,companion", "companion,../etc/passwd"])
def test_an_engine_that_does_not_exist_is_refused_alone(monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    monkeypatch.setenv("LLM_ENGINES", names)

    with TestClient(create_app()) as client:
        while "loading" in client.get("/readyz").text:
            pass
        states = {engine["name"]: engine for engine in client.get("/readyz").json()["engines"]}
    wrong = states[next(name for name in names.split(",") if name != "companion")]
    assert (states["companion"]["state"], wrong["state"]) == ("ready", "unavailable")
    assert "no engine" in wrong["detail"]
    assert "moonshot" in wrong["detail"]


def test_a_chain_of_nothing_but_slips_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ENGINES", "moonshoot")

    with pytest.raises(SettingError, match="no engine"):
        create_app()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("API_KEY_FILE", "/no/such/file"), ("HEADERS", "nonsense"), ("CA_FILE", "/no/such/file"), ("EXTRA", "{")],
)
def test_a_row_with_a_wrong_setting_is_unavailable_and_names_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("LLM_ENGINES", "mine,companion")
    monkeypatch.setenv("LLM_MINE_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv(f"LLM_MINE_{variable}", value)

    with TestClient(create_app()) as client:
        while "loading" in client.get("/readyz").text:
            pass
        mine, companion = client.get("/readyz").json()["engines"]
    assert (mine["state"], companion["state"]) == ("unavailable", "ready")
    assert variable in mine["detail"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LLM_MAX_TOKENS", "0"), ("LLM_TEMPERATURE", "hot"), ("LLM_CONNECT_SECONDS", "-1"), ("LLM_ANSWER_SECONDS", "0")],
)
def test_a_setting_that_cannot_be_used_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingError, match=variable):
        create_app()


def test_known_providers_and_rows_of_ones_own_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MY_VLLM_BASE_URL", "http://gpu:8000/v1")
    monkeypatch.setenv("LLM_ENGINES", ",".join(["my-vllm", *PROVIDERS, *ENGINES]))

    create_app()


def test_an_engine_that_is_not_chosen_is_not_imported() -> None:
    code = "import sys, llm.app; sys.exit(bool({'httpx', 'aiohttp', 'llm.engines.companion.engine'} & {*sys.modules}))"

    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False).returncode
        == 0
    )


def test_no_engine_of_the_table_is_also_a_provider() -> None:
    assert not ENGINES.keys() & PROVIDERS.keys()
    assert ROWS.startswith("llm.engines.openai.engine:")
