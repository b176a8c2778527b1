"""The names and bounds are those of OpenTelemetry's semantic conventions for generative AI."""

import re
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chassis.errors import EngineFailed
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service

ANSWER = (
    b'{"choices":[{"message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":70,"completion_tokens":5}}'
)


async def counts(app: Starlette) -> dict[str, float]:
    """The samples of `/metrics` by name and labels."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        text = (await http.get("/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^(gen_ai_\S+) (\S+)$", text, re.MULTILINE)}


def named(name: str, engine: str, *, model: str = "any", **more: str) -> str:
    labels = {
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": engine,
        "gen_ai_request_model": model,
        **more,
    }
    shown = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"gen_ai_{name}{{{shown}}}"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_has_its_duration_its_first_token_and_its_tokens(stream: bool) -> None:
    engine = f"measured{stream}".lower()
    one: dict[str, Any] = {engine: FakeEngine(EVENT, DONE) if stream else FakeEngine(ANSWER)}
    app = service(**one)

    await ask(app, stream=stream)

    seen = await counts(app)
    assert seen[named("server_request_duration_seconds_count", engine, error_type="")] == 1
    assert seen[named("server_time_to_first_token_seconds_count", engine)] == 1
    assert seen[named("client_token_usage_count", engine, gen_ai_token_type="output")] == 1
    assert seen[named("server_request_duration_seconds_bucket", engine, error_type="", le="81.92")] == 1
    assert seen[named("server_time_to_first_token_seconds_bucket", engine, le="0.001")] in (0, 1)
    assert seen[named("client_token_usage_bucket", engine, gen_ai_token_type="input", le="6.7108864e+07")] == 1


async def test_a_chat_that_no_engine_answered_is_counted_with_its_reason() -> None:
    app = service(refusing=FakeEngine(EngineFailed("it broke")))

    await ask(app, model="refusing")

    name = named("server_request_duration_seconds_count", "", model="refusing", error_type="upstream_error")
    assert (await counts(app))[name] == 1


async def test_a_model_that_a_caller_made_up_makes_no_series_of_its_own() -> None:
    app = service(one=FakeEngine(ANSWER))

    await ask(app, model="made-up-7f3a")

    assert not [name for name in await counts(app) if "made-up" in name]
