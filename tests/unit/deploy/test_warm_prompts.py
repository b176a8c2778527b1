from typing import Any

import pytest
from deploy.talk import TurnFailed
from deploy.warm_prompts import prompts, read, reader

from unit.deploy.fakes import Answer, proxy

PORT = 8080
LOCAL_FIRST = [{"name": "openai", "state": "unavailable"}, {"name": "ollama", "state": "ready"}]
CLOUD_FIRST = [{"name": "moonshot", "state": "ready"}, {"name": "gguf", "state": "ready"}]
BEAR = {"prompt": "You are a bear.", "llm_type": "openai", "llm_config": {"model": "gpt-4o-mini"}}


def role(**config: Any) -> dict[str, Any]:
    return {**BEAR, "llm_config": {"model": "gpt-4o-mini", **config}}


@pytest.mark.parametrize(
    ("engines", "model", "name"),
    [
        (LOCAL_FIRST, "gpt-4o-mini", "ollama"),
        (LOCAL_FIRST, "ollama/qwen3:4b", "ollama/qwen3:4b"),
        (CLOUD_FIRST, "gpt-4o-mini", None),
        (CLOUD_FIRST, "gguf", "gguf"),
        (CLOUD_FIRST, "moonshot/kimi-k3", None),
        ([], "gpt-4o-mini", None),
    ],
)
def test_a_local_model_that_would_answer_is_found_and_no_provider_is_asked(
    engines: list[Any], model: str, name: str | None
) -> None:
    assert reader(engines, model) == name


@pytest.mark.parametrize("base", ["", "http://192.168.1.20:8080/v1", "http://host.docker.internal:8082/v1"])
def test_a_role_that_thinks_here_has_its_prompt_read(base: str) -> None:
    assert list(prompts([role(api_base=base)], {}, LOCAL_FIRST, PORT)) == [("ollama", "You are a bear.")]


@pytest.mark.parametrize(
    "other",
    [
        role(api_base="https://api.openai.com/v1"),
        role(api_base="http://192.168.1.20:11434/v1"),
        role(api_base="http://[broken"),
        {**BEAR, "llm_type": "dify"},
        {**BEAR, "prompt": " "},
        {**BEAR, "prompt": 3},
    ],
)
def test_a_role_that_thinks_elsewhere_or_has_no_prompt_is_left_alone(other: dict[str, Any]) -> None:
    assert list(prompts([other], {}, LOCAL_FIRST, PORT)) == []


def reading(body: bytes, cut: int = 0) -> Answer:
    return lambda number: (200, {"content-length": str(len(body) + cut)}, body)


def test_a_prompt_is_read_as_the_beginning_of_a_conversation_in_its_language() -> None:
    with proxy(reading(b"data: {}\n\ndata: [DONE]\n\n")) as (talkbox, seen):
        read(talkbox, "gguf", "你是一只小熊。")

    assert b'"stream": true' in seen[0]
    assert b'"\\u4f60\\u597d\\uff01"' in seen[0]


@pytest.mark.parametrize(("body", "cut"), [(b'data: {"error": {"message": "no"}}\n\n', 0), (b"data: {}\n\n", 5)])
def test_an_answer_that_does_not_come_to_its_end_is_a_failure(body: bytes, cut: int) -> None:
    with proxy(reading(body, cut)) as (talkbox, _), pytest.raises(TurnFailed, match="broke off"):
        read(talkbox, "gguf", "You are a bear.")
