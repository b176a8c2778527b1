import pytest

from chassis.errors import EngineUnavailable
from llm.request.providers import PROVIDERS, UPSTREAMS

row, exists = UPSTREAMS.row, UPSTREAMS.exists


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider, known in PROVIDERS.items():
        for name in {provider.upper(), *known.also}:
            for variable in ("API_KEY", "BASE_URL", "MODEL", "MODELS"):
                monkeypatch.delenv(f"{name}_{variable}", raising=False)
                monkeypatch.delenv(f"LLM_{name}_{variable}", raising=False)


def test_a_key_is_all_there_is_to_say_of_a_known_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-1")

    found = row("moonshot")

    assert (found.base_url, found.api_key) == ("https://api.moonshot.cn/v1", "sk-1")
    assert found.model == "kimi-k3"


@pytest.mark.parametrize(
    "name", [name for name, provider in PROVIDERS.items() if provider.needs_key and provider.base_url]
)
def test_a_row_without_the_key_it_needs_says_which_variable_to_set_and_is_not_tried_again(name: str) -> None:
    with pytest.raises(EngineUnavailable, match=rf"Set \w+_API_KEY \(or LLM_{name.upper()}_API_KEY\)\.") as caught:
        row(name)
    assert caught.value.retry_seconds is None


@pytest.mark.parametrize("name", ["ollama", "vllm", "lmstudio"])
def test_a_local_server_needs_no_key(name: str) -> None:
    assert row(name).api_key == ""
    assert row(name).base_url.startswith("http://localhost:")


def test_llamacpp_asks_for_its_address_since_its_usual_port_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnavailable, match="Set LLM_LLAMACPP_BASE_URL"):
        row("llamacpp")
    monkeypatch.setenv("LLM_LLAMACPP_BASE_URL", "http://localhost:8088/v1/")
    assert row("llamacpp").base_url == "http://localhost:8088/v1"


def test_ark_asks_for_the_model_only_the_operator_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARK_API_KEY", "k")
    with pytest.raises(EngineUnavailable, match="Set LLM_ARK_MODEL"):
        row("ark")
    monkeypatch.setenv("LLM_ARK_MODEL", "ep-1")
    assert row("ark").model == "ep-1"


def test_the_services_own_variables_win_over_the_shared_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "shared")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://shared/v1")
    assert (row("openai").api_key, row("openai").base_url) == ("shared", "http://shared/v1")

    monkeypatch.setenv("LLM_OPENAI_API_KEY", "own")
    monkeypatch.setenv("LLM_OPENAI_BASE_URL", "http://own/v1")
    assert (row("openai").api_key, row("openai").base_url) == ("own", "http://own/v1")


def test_an_address_of_ones_own_may_want_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:9/v1")

    assert row("openai").api_key == ""


@pytest.mark.parametrize("variable", ["DASHSCOPE_API_KEY", "QWEN_API_KEY", "LLM_QWEN_API_KEY"])
def test_a_provider_is_found_under_each_of_its_names(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "k")

    assert row("qwen").api_key == "k"
    assert "dashscope" in row("qwen").base_url


def test_a_row_of_ones_own_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnavailable, match="Set LLM_MY_VLLM_BASE_URL"):
        row("my-vllm")
    assert not exists("my-vllm")

    monkeypatch.setenv("LLM_MY_VLLM_BASE_URL", "http://gpu:8000/v1/chat/completions")
    monkeypatch.setenv("LLM_MY_VLLM_MODELS", "small, large")
    assert exists("my-vllm")
    assert row("my-vllm").base_url == "http://gpu:8000/v1"
    assert (row("my-vllm").model, row("my-vllm").models) == ("small", ("small", "large"))


def test_an_asterisk_passes_the_callers_model_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", "k")
    monkeypatch.setenv("LLM_MOONSHOT_MODEL", "*")

    assert row("moonshot").model is None


def test_every_known_name_exists() -> None:
    assert all(map(exists, PROVIDERS))
