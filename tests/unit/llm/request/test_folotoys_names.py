"""Blocks of FoloToy's compose file work as they are."""

import pytest

from chassis.errors import EngineUnavailable
from llm.request.providers import UPSTREAMS


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


@pytest.mark.parametrize("name", ["openclaw", "aws-bedrock", "cf-workers-ai"])
def test_an_address_that_only_the_operator_knows_is_asked_for(name: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"_BASE_URL\. It is "):
        UPSTREAMS.row(name)
