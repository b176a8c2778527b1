import re
from pathlib import Path

import pytest

from chassis.unknown_paths import HINTS, hint
from unit.chassis.fakes import FakeEngine, chain_of, client, service

TEMPLATE = Path(__file__).parents[3] / "proxy" / "nginx.conf.template"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/responses", "openai.chat("),
        ("/v1/responses/resp_1", "chat completions"),
        ("/v1/completions", "is_chat_model=True"),
        ("/v1/embeddings", "OllamaEmbeddings"),
        ("/v1/audio/translations", "/v1/audio/transcriptions"),
        ("/v1/moderations", "moderation"),
        ("/v1/realtime", "Realtime"),
        ("/v1/images/generations", "pictures"),
        ("/v1/assistants", "chat completions"),
        ("/v1", "base URL"),
        ("/v1/", "base URL"),
        ("/v1/audio", "/v1/audio/speech"),
        ("/", "base URL"),
        ("/chat/completions", "ends in /v1"),
        ("/v1/v1/chat/completions", "twice"),
        ("/api/chat", "Ollama"),
        ("/api/embeddings", "Ollama"),
        ("/v1/messages", "Anthropic"),
        ("/openai/deployments/gpt-4o/chat/completions", "AzureOpenAI"),
        ("/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/stream", "/v1/audio/speech"),
        ("/v1/voices", "/v1/audio/voices"),
        ("/health", "/status/stt"),
    ],
)
def test_a_path_that_a_framework_asks_by_default_is_answered_with_what_to_switch(path: str, words: str) -> None:
    assert words in (hint(path) or "")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/what", "/favicon.ico"])
def test_any_other_path_has_no_hint(path: str) -> None:
    assert hint(path) is None


def test_the_proxy_says_the_same() -> None:
    text = TEMPLATE.read_text()
    paths = text.partition("$talkbox_unknown {")[2].partition("}\n")[0]
    said = re.findall(r"""^    "~(.+)" '(.+)';$""", paths, re.MULTILINE)

    assert [(pattern, sentence) for pattern, sentence in said] == list(HINTS)
    assert not any(mark in sentence for _, sentence in HINTS for mark in "'\"\\$")


async def test_a_services_own_404_says_it_too() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as asking:
        response = await asking.post("/v1/responses", json={})

    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_url")
    assert "openai.chat(" in response.json()["error"]["message"]
