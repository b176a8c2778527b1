"""Hints for clients whose path is unknown; the proxy's template has the same."""

import re

_CHAT = "/v1/chat/completions"
HINTS: tuple[tuple[str, str], ...] = (
    (
        "^/api/(?:chat|generate|tags|show|version|ps|embed|embeddings)$",
        "These are paths of Ollama. Choose OpenAI, or OpenAI-compatible, as the provider in your app, with a base URL "
        "that ends in /v1.",
    ),
    (
        "^/(?:v1/)?messages(?:/|$)",
        f"There is no Anthropic API here. Choose OpenAI as the provider in your app: it asks {_CHAT}.",
    ),
    (
        "^/openai/",
        "These are paths of Azure OpenAI. Use the plain client with a base URL that ends in /v1: OpenAI in place of "
        "AzureOpenAI in the SDKs.",
    ),
    (
        "/(?:text-to-speech|speech-to-text)(?:/|$)",
        "These are paths of ElevenLabs. Choose OpenAI as the provider in your app: speech is at /v1/audio/speech, "
        "transcripts at /v1/audio/transcriptions.",
    ),
    ("^/(?:v1/)?voices(?:/|$)", "Voices are listed at /v1/audio/voices."),
    (
        "^/(?:v1/)?(?:health|healthz|readyz|livez|ping|status)$",
        "The state of each service is at /status/stt, /status/llm and /status/tts.",
    ),
    (
        "/responses(?:/|$)",
        f"There is no Responses API here. Use chat completions ({_CHAT}): openai.chat(…) in the AI SDK, "
        "OpenAIChatCompletionsModel in the Agents SDK, openai-chat: in pydantic-ai, use_responses_api=False in "
        "LangChain, client.chat.completions in the OpenAI SDKs.",
    ),
    (
        "/v1/v1(?:/|$)",
        "This path has /v1 twice. Give a base URL that ends in /v1, or one without it to a client that adds its own.",
    ),
    (
        "(?<!/chat)/completions$",
        f"There are no plain completions here. Use chat completions ({_CHAT}): is_chat_model=True for OpenAILike of "
        "LlamaIndex, ChatOpenAI in place of OpenAI in LangChain, client.chat.completions in the OpenAI SDKs.",
    ),
    (
        "/embeddings$",
        "There are no embeddings here. Give your framework another embedding model, such as one of Ollama: Open WebUI "
        "has it under Documents, LangChain and LlamaIndex have OllamaEmbeddings.",
    ),
    (
        "/audio/translations$",
        f"There are no translations here. Transcribe with /v1/audio/transcriptions, and translate with {_CHAT}.",
    ),
    ("/moderations$", "There is no moderation here. Switch it off in your framework, or ask its provider directly."),
    (
        "/realtime",
        "There is no Realtime API here. Use transcriptions, chat completions and speech one after the other.",
    ),
    ("/(?:images|videos)/", "There are no pictures here. Give your framework another address for them."),
    (
        "/(?:assistants|threads|vector_stores|batches|files|fine_tuning)(?:/|$)",
        f"There is no such OpenAI API here. Use chat completions ({_CHAT}).",
    ),
    (
        "^/(?:v1/?|v1/audio/?|)$",
        "This is a base URL and no path. SDKs add the path themselves; a client that wants full URLs, such as "
        f"xiaozhi-esp32-server, needs /v1/audio/transcriptions, {_CHAT} and /v1/audio/speech.",
    ),
    (
        "^/(?:chat/completions|audio/(?:speech|transcriptions|voices)|models)$",
        "The path lacks /v1: a base URL ends in /v1.",
    ),
)
"""Patterns of paths, and a sentence for each; the first that is found decides. No quotation marks: nginx reads them."""


def hint(path: str) -> str | None:
    """Return what to change where `path` is asked for in vain."""
    return next((sentence for pattern, sentence in HINTS if re.search(pattern, path)), None)
