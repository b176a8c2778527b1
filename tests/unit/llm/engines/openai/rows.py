"""Engines of a row that asks an imitation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chassis.upstream.settings import Row
from imitations.upstream import Upstream
from imitations.vendors import REFUSALS, Meaning, Refusal
from llm.engines.openai.engine import OpenAIChat
from llm.settings import RelayOptions

FOLOTOY = {"temperature": 0.7, "top_p": 0.95, "frequency_penalty": 0, "presence_penalty": 0, "max_tokens": 200}
"""Fields of each request of folotoy-server, at its defaults."""


@asynccontextmanager
async def row(
    upstream: Upstream, name: str = "up", model: str = "m", more_keys: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[OpenAIChat]:
    made = Row(
        name,
        upstream.base_url,
        "sk-secret-1234567",
        model,
        prefix="LLM_UP_",
        more_keys=more_keys,
        key_variable="UP_API_KEY",
    )
    engine = OpenAIChat(made, RelayOptions(silence_seconds=1.0, **options))
    try:
        yield engine
    finally:
        await engine.aclose()


def first(vendor: str, meaning: Meaning, status: int) -> Refusal:
    return next(each for each in REFUSALS if (each.vendor, each.meaning, each.status) == (vendor, meaning, status))
