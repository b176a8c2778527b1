"""Every provider of the mind in one suite, each in the service itself, against its imitation."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from fixtures.serving import serving
from imitations.coze import BOT, CozeServer
from imitations.coze import KEY as COZE_KEY
from imitations.dify import KEY as DIFY_KEY
from imitations.dify import DifyServer
from imitations.upstream import MANNERS, Manner, Upstream
from imitations.vendor import VendorServer
from imitations.vendors import REFUSALS
from llm.app import create_app
from llm.engines import ENGINES
from llm.request.providers import PROVIDERS, UPSTREAMS

MARK = "marked-secret-0000"
HERE = {"local", "gguf", "companion"}
"""Minds that ask no provider."""
TOYS: dict[str, Any] = {
    "model": "gpt-3.5-turbo",
    "messages": [{"role": "system", "content": "You are a bear."}, {"role": "user", "content": "Hello!"}],
    "max_tokens": 400,
    "temperature": 0.7,
    "top_p": 0.95,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "stream": True,
}
"""Fields that folotoy-server sends."""
SAME_WORDS = {"azure-openai": "azure", "kimi": "moonshot", "qwen": "dashscope", "glm": "zhipu", "doubao": "ark"}
SAME_WORDS |= {"aws-bedrock": "bedrock", "newapi": "oneapi"}
"""Rows whose provider has another name in the list of refusals."""
BUSY = Manner(status=429, headers=(("retry-after", "7"),), body=MANNERS["429"].body)
USUAL = {
    "refused": MANNERS["401"],
    "unpaid": MANNERS["quota"],
    "busy": BUSY,
    "no model": MANNERS["404"],
    "blocked": MANNERS["blocked"],
}
"""Refusals of providers that document none of their own."""


@dataclass(frozen=True)
class Provider:
    """One provider.

    Args:
        server: Imitation of an API of its own; None: the provider speaks OpenAI's dialect.
        more: What it needs beside a key.
        keys: Manner of the imitation, by what goes wrong.
    """

    name: str
    key_variable: str
    server: type[VendorServer] | None = None
    key: str = "sk-good"
    more: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return UPSTREAMS.prefix(self.name)

    def refusal(self, meaning: str) -> Manner:
        """Return how this provider says `meaning`, as it documents."""
        name = SAME_WORDS.get(self.name, self.name)
        return next(
            (each.manner for each in REFUSALS if (each.vendor, each.meaning) == (name, meaning)), USUAL[meaning]
        )


ALIASES = {"kimi", "qwen", "glm", "doubao", "newapi"}
"""Second names of rows that are here by their first."""
ROWS = tuple(Provider(name, f"{UPSTREAMS.prefix(name)}API_KEY") for name in PROVIDERS if name not in ALIASES)
OWN = (
    Provider(
        "coze",
        "COZE_PERSONAL_ACCESS_TOKEN",
        CozeServer,
        COZE_KEY,
        {"COZE_BOT_ID": BOT},
        {"refused": "unknown", "unpaid": "unpaid", "busy": "busy", "no model": "unpublished", "blocked": "blocked"},
    ),
    Provider(
        "dify",
        "DIFY_KEY",
        DifyServer,
        DIFY_KEY,
        keys={"refused": "unknown", "unpaid": "unpaid", "busy": "busy", "no model": "off"},
    ),
)
every = pytest.mark.parametrize("provider", [*ROWS, *OWN], ids=lambda provider: provider.name)
each_api = pytest.mark.parametrize("provider", [ROWS[0], *OWN], ids=lambda provider: provider.name)
"""OpenAI's dialect once, and the APIs of their own."""


@asynccontextmanager
async def talking(
    monkeypatch: pytest.MonkeyPatch,
    provider: Provider,
    wrong: str = "",
    *,
    key: str = "",
    between: Callable[[str], Awaitable[str]] | None = None,
    **settings: str,
) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """Start the service with this provider alone.

    Args:
        wrong: What goes wrong: a meaning of a refusal, or a manner of the imitation.
        between: Puts something in front of the imitation; returns its address.
    """
    if provider.server is None:
        manner = provider.refusal(wrong) if wrong in USUAL else MANNERS[wrong or "good"]
        server: Any = Upstream(manner)
    else:
        key = key or provider.keys.get(wrong, wrong) or provider.key
        server = provider.server("/x")
    async with server:
        base = server.base_url if between is None else await between(server.base_url)
        environ = {"ENGINES": provider.name, "MAX_TOKENS": "200"}
        environ = {f"LLM_{name}": value for name, value in environ.items()} | {f"{provider.prefix}BASE_URL": base}
        environ |= {provider.key_variable: key or provider.key, **provider.more, **settings}
        environ |= {} if provider.server else {f"{provider.prefix}MODEL": "a-model"}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        async with serving(create_app()) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.005)
            yield client, server


async def asked(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.post("/v1/chat/completions", json=TOYS | changes)


def chunks(answer: httpx.Response) -> list[Any]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(each) for each in data[:-1]]


def words(told: list[Any]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in told if chunk["choices"])


def shows(seen: Any) -> list[str]:
    """Return the headers of a request that hold the key."""
    return [name for name, value in seen.headers.items() if "sk-good" in value]


@every
async def test_the_toys_request_is_answered_as_it_comes(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    async with talking(monkeypatch, provider) as (client, server):
        told = chunks(await asked(client, stream_options={"include_usage": True}))

    assert words(told).startswith("Hello ")
    assert [chunk["choices"][0]["finish_reason"] for chunk in told if chunk["choices"]][-1] == "stop"
    assert told[-1]["usage"]["completion_tokens"] > 0
    assert server.seen[0].json.get("stream") or server.seen[0].json["response_mode"] == "streaming"
    if provider.server is None:
        usual = PROVIDERS[provider.name].headers
        assert shows(server.seen[0]) == [*usual] if usual else ["authorization"]


@every
async def test_a_whole_answer_has_its_words_its_end_and_its_usage(
    monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    async with talking(monkeypatch, provider) as (client, _):
        whole = (await asked(client, stream=False)).json()

    [choice] = whole["choices"]
    assert choice["message"]["content"].startswith("Hello ")
    assert choice["finish_reason"] == "stop"
    assert whole["usage"]["total_tokens"] > 0


@every
@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ("refused", 502, "upstream_auth"),
        ("unpaid", 503, "upstream_quota"),
        ("busy", 429, "upstream_rate_limited"),
        ("no model", 502, "upstream_misconfigured"),
        ("blocked", 400, "content_filter"),
    ],
)
async def test_refusals_are_what_they_mean(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, wrong: str, status: int, code: str
) -> None:
    if provider.server is not None and wrong not in provider.keys:
        pytest.skip("not documented")
    async with talking(monkeypatch, provider, wrong) as (client, _):
        answer = await asked(client)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@each_api
@pytest.mark.parametrize("wrong", ["cut", "stall", "html", "mislabelled"])
async def test_what_breaks_off_is_never_called_complete(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, wrong: str
) -> None:
    own = {"html": "page"} if provider.server else {"mislabelled": "good"}
    async with talking(monkeypatch, provider, own.get(wrong, wrong), LLM_SILENCE_SECONDS="0.3") as (client, _):
        try:
            answer = await asked(client)
        except httpx.RemoteProtocolError:
            assert wrong in ("cut", "stall")
            return

    if wrong == "mislabelled":
        assert words(chunks(answer)).startswith("Hello ")
    elif answer.status_code == 200:
        assert "[DONE]" not in answer.text
    else:
        assert answer.status_code in (502, 504)


@every
async def test_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    async with talking(monkeypatch, provider, "refused", key=MARK) as (client, server):
        answers = [await asked(client), await client.get("/status"), await client.get("/readyz")]
        answers.append(await client.get("/metrics"))

    assert server.seen
    assert MARK not in "".join(answer.text for answer in answers) + caplog.text


def test_no_provider_is_left_out() -> None:
    assert {provider.name for provider in OWN} == set(ENGINES) - HERE
