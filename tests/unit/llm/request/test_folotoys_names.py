"""Blocks of FoloToy's compose file work as they are."""

import pytest

from chassis.errors import EngineUnavailable
from llm.request.providers import UPSTREAMS, relay_options
from llm.settings import fields_of


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("openai", "OPENAI_OPENAI"),
        ("moonshot", "MOONSHOT"),
        ("deepseek", "DEEPSEEK"),
        ("zhipu", "ZHIPU"),
        ("dashscope", "DASHSCOPE"),
        ("groq", "GROQ"),
        ("anthropic", "ANTHROPIC"),
        ("gemini", "GEMINI"),
        ("spark-desk", "SPARK_DESK"),
        ("lingyiwanwu", "LINGYIWANWU"),
        ("minimax", "MINIMAX"),
        ("fastgpt", "FASTGPT"),
        ("volcengine", "VOLCENGINE"),
    ],
)
def test_key_model_and_address_are_read_under_the_names_that_folotoy_has(
    monkeypatch: pytest.MonkeyPatch, name: str, start: str
) -> None:
    monkeypatch.setenv(f"{start}_KEY", "sk-theirs")
    monkeypatch.setenv(f"{start}_MODEL", "a-model")
    row = UPSTREAMS.row(name)

    assert (row.api_key, row.model, row.key_variable) == ("sk-theirs", "a-model", f"{start}_KEY")
    assert row.base_url.startswith("https://")

    monkeypatch.setenv(f"{start}_API_BASE", "http://127.0.0.1:9000/v1")
    assert UPSTREAMS.row(name).base_url == "http://127.0.0.1:9000/v1"


def test_limit_and_temperature_of_a_block_are_sent_unless_ours_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, MOONSHOT_MAX_TOKENS="400", MOONSHOT_TEMPERATURE="0.3", LLM_MAX_TOKENS="100")
    options = relay_options("moonshot")

    assert (options.max_tokens, options.temperature) == (400, 0.3)

    set_all(monkeypatch, LLM_MOONSHOT_MAX_TOKENS="50")
    assert relay_options("moonshot").max_tokens == 50
    assert relay_options("deepseek").max_tokens == 100


def test_sparks_key_and_secret_are_sent_as_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SPARK_DESK_APP_ID="a7", SPARK_DESK_API_KEY="key1", SPARK_DESK_API_SECRET="secret1")
    assert UPSTREAMS.row("spark-desk").headers_with(UPSTREAMS.row("spark-desk").api_key) == {
        "authorization": "Bearer key1:secret1"
    }

    set_all(monkeypatch, SPARK_DESK_KEY="password1")
    assert UPSTREAMS.row("spark-desk").api_key == "password1"


def set_all(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_azure_openai_is_asked_at_its_deployment_with_its_own_header(monkeypatch: pytest.MonkeyPatch) -> None:
    block = {"ENDPOINT": "https://mine.openai.azure.com/", "KEY": "k", "MODEL": "gpt-35-turbo"}
    set_all(monkeypatch, **{f"AZURE_OPENAI_{name}": value for name, value in block.items()})
    row = UPSTREAMS.row("azure-openai")
    path = "/openai/deployments/gpt-35-turbo/chat/completions"

    assert row.url("/chat/completions") == f"https://mine.openai.azure.com{path}?api-version=2024-10-21"
    assert (row.headers_with("k"), row.model) == ({"api-key": "k"}, "gpt-35-turbo")
    assert row.key_variable == "AZURE_OPENAI_KEY"

    set_all(monkeypatch, AZURE_OPENAI_API_VERSION="2023-05-15", LLM_AZURE_OPENAI_BASE_URL="http://127.0.0.1:9000/x")
    row = UPSTREAMS.row("azure-openai")

    assert row.url("/chat/completions") == f"http://127.0.0.1:9000/x{path}?api-version=2023-05-15"
    assert row.headers_with("k") == {"api-key": "k"}


def test_azures_own_v1_surface_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, AZURE_OPENAI_ENDPOINT="https://mine.openai.azure.com", AZURE_OPENAI_KEY="eyJ0.eyJ1.x")
    row = UPSTREAMS.row("azure-openai")

    assert row.base_url == "https://mine.openai.azure.com/openai/v1"
    assert row.headers_with("eyJ0.eyJ1.x") == {"authorization": "Bearer eyJ0.eyJ1.x"}


def test_an_account_or_a_region_makes_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, CF_WORKERS_AI_ACCOUNT_ID="a7", CF_WORKERS_AI_API_TOKEN="t", CF_WORKERS_AI_MODEL_ID="@cf/m")
    row = UPSTREAMS.row("cf-workers-ai")

    assert row.base_url == "https://api.cloudflare.com/client/v4/accounts/a7/ai/v1"
    assert (row.api_key, row.model, row.key_variable) == ("t", "@cf/m", "CF_WORKERS_AI_API_TOKEN")

    set_all(monkeypatch, AWS_BEDROCK_REGION_NAME="us-west-2", AWS_BEDROCK_KEY="k", AWS_BEDROCK_MODEL="openai.gpt-oss")
    assert UPSTREAMS.row("aws-bedrock").base_url == "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1"


def test_an_address_that_is_made_still_wants_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, CF_WORKERS_AI_ACCOUNT_ID="a7", CF_WORKERS_AI_MODEL_ID="@cf/m")
    with pytest.raises(EngineUnavailable, match="CF_WORKERS_AI_API_TOKEN"):
        UPSTREAMS.row("cf-workers-ai")


@pytest.mark.parametrize(
    ("name", "variable", "address", "base_url"),
    [
        ("ollama", "OLLAMA_API_BASE", "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("fastgpt", "FASTGPT_API_BASE", "https://api.fastgpt.in/api", "https://api.fastgpt.in/api/v1"),
        (
            "minimax",
            "MINIMAX_API_BASE",
            "https://api.minimax.chat/v1/text/chatcompletion_v2",
            "https://api.minimax.chat/v1",
        ),
        (
            "gemini",
            "GEMINI_API_BASE",
            "https://generativelanguage.googleapis.com/v1beta",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
    ],
)
def test_addresses_as_folotoy_writes_them_are_put_right(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str, address: str, base_url: str
) -> None:
    set_all(monkeypatch, **{variable: address, f"{variable.removesuffix('API_BASE')}MODEL": "m"})
    assert UPSTREAMS.row(name).base_url == base_url


@pytest.mark.parametrize(
    ("name", "block", "cure"),
    [
        ("qianfan", ("QIANFAN_CLIENT_ID", "QIANFAN_SECRET"), "QIANFAN_API_KEY"),
        ("volcengine", ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY"), "ARK_API_KEY"),
        ("spark-desk", ("SPARK_DESK_APP_ID", "SPARK_DESK_API_SECRET"), "SPARK_DESK_KEY"),
        ("aws-bedrock", ("AWS_BEDROCK_AWS_ACCESS_KEY_ID", "AWS_BEDROCK_AWS_SECRET_ACCESS_KEY"), "AWS_BEDROCK_API_KEY"),
    ],
)
def test_a_pair_that_is_of_no_use_any_more_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, block: tuple[str, str], cure: str
) -> None:
    for variable in block:
        monkeypatch.setenv(variable, "theirs")
    with pytest.raises(EngineUnavailable, match=f"{block[0]} is of no use.*{cure}") as caught:
        UPSTREAMS.row(name)
    assert "theirs" not in str(caught.value)

    set_all(monkeypatch, **{cure: "k", "VOLCENGINE_MODEL": "ep-1", "AWS_BEDROCK_MODEL": "m"})
    set_all(monkeypatch, AWS_BEDROCK_REGION_NAME="us-west-2")
    assert UPSTREAMS.row(name).api_key == "k"


@pytest.mark.parametrize("name", ["openclaw", "aws-bedrock", "cf-workers-ai"])
def test_an_address_that_only_the_operator_knows_is_asked_for(name: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"_BASE_URL\. It is "):
        UPSTREAMS.row(name)


def test_whatever_else_a_block_says_of_an_answer_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DASHSCOPE_TOP_P="0.9", DASHSCOPE_ENABLE_SEARCH="true", DASHSCOPE_FREQUENCY_PENALTY="0.5")
    sent = fields_of(relay_options("dashscope").extra)
    assert sent == {"enable_search": True, "top_p": 0.9, "frequency_penalty": 0.5}

    set_all(monkeypatch, LLM_DASHSCOPE_EXTRA='{"top_p": 0.5}', FASTGPT_CHAT_ID="7")
    assert fields_of(relay_options("dashscope").extra) == sent | {"top_p": 0.5}
    assert fields_of(relay_options("fastgpt").extra) == {"chatId": "7"}
    assert relay_options("moonshot").extra == ""


def test_thoughts_are_read_if_a_block_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DEEPSEEK_READ_THOUGHT_ENABLED="true")
    assert relay_options("deepseek").thoughts == "show"

    set_all(monkeypatch, DEEPSEEK_READ_THOUGHT_ENABLED="false")
    assert relay_options("deepseek").thoughts == "off"

    set_all(monkeypatch, LLM_DEEPSEEK_THINKING="hide")
    assert relay_options("deepseek").thoughts == "hide"
