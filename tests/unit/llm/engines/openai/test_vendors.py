"""Each vendor's refusals, made by an imitation: whose mistake they are, and what happens next."""

import json
from typing import Any

import httpx
import pytest

from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineUnpaid,
    EngineWithoutModel,
)
from chassis.upstream.refusals.meaning import TooLong
from imitations.upstream import Manner, Upstream
from imitations.vendors import JUDGES, REFUSALS, Meaning, Refusal
from llm.excuse import NO_ANSWER
from llm.request.providers import PROVIDERS
from llm.settings import Settings
from unit.llm.engines.openai.rows import FOLOTOY, row
from unit.llm.engines.openai.test_engine import asked
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service

KINDS: dict[Meaning, type[ApiError]] = {
    "blocked": BadRequest,
    "too long": TooLong,
    "unpaid": EngineUnpaid,
    "no model": EngineWithoutModel,
    "refused": EngineRefused,
    "busy": EngineBusy,
    "failed": EngineFailed,
    "cannot": Declined,
}
TALK = [
    {"role": "system", "content": "You are a bear."},
    {"role": "assistant", "content": "Hello, I am Bear."},
    {"role": "user", "content": "Tell me a story."},
]
IDS = [f"{each.vendor}, {each.meaning}, {each.status}, {number}" for number, each in enumerate(REFUSALS)]


async def refused(manner: Manner, **changes: Any) -> ApiError:
    async with Upstream(manner) as upstream, row(upstream) as engine:
        with pytest.raises(ApiError) as caught:
            async for _ in engine.chat(asked(**changes)):
                pass
    return caught.value


@pytest.mark.parametrize("refusal", REFUSALS, ids=IDS)
async def test_each_vendors_refusal_is_read_for_what_it_is(refusal: Refusal) -> None:
    failure = await refused(refusal.manner)

    assert isinstance(failure, KINDS[refusal.meaning])
    assert (failure.body["code"] == "content_filter") is (refusal.meaning == "blocked")
    if refusal.meaning in ("refused", "unpaid"):
        assert "UP_API_KEY" in str(failure)
    if refusal.meaning == "no model":
        assert "LLM_UP_MODEL" in str(failure)
    assert "sk-secret" not in str(failure)


TOLD_BY_THE_STATUS_ALONE = (401, 402, 403, 404, 429)
IN_A_STREAM = [
    each
    for each in REFUSALS
    if isinstance(each.body, dict)
    and each.meaning != "cannot"
    and ("code" in json.dumps(each.body) or each.status not in TOLD_BY_THE_STATUS_ALONE)
]


@pytest.mark.parametrize("refusal", IN_A_STREAM, ids=lambda each: f"{each.vendor}, {each.meaning}, {each.status}")
async def test_it_is_the_same_inside_a_stream_that_began_well(refusal: Refusal) -> None:
    failure = await refused(refusal.in_a_stream, stream=True)

    assert isinstance(failure, KINDS[refusal.meaning])


@pytest.mark.parametrize("refusal", REFUSALS, ids=IDS)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_engine_answers_whatever_a_vendor_refuses_but_moderation(refusal: Refusal, stream: bool) -> None:
    following = FakeEngine(EVENT, DONE)
    async with Upstream(refusal.manner) as upstream, row(upstream) as engine:
        response = await ask(service(up=engine, next=following), stream=stream)

    if refusal.meaning == "blocked":
        assert (response.status_code, response.json()["error"]["code"]) == (400, "content_filter")
    else:
        assert (response.status_code, response.headers["x-talkbox-engine"]) == (200, "next")
    assert len(following.asked) == (refusal.meaning != "blocked")


def words_of(response: httpx.Response) -> str:
    events = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
    return "".join(json.loads(each)["choices"][0]["delta"].get("content") or "" for each in events)


async def test_for_the_ear_a_talk_that_is_too_long_everywhere_ends_in_words() -> None:
    settings = Settings(for_the_ear=True)
    refusal = next(each for each in REFUSALS if each.meaning == "too long")
    async with Upstream(refusal.manner) as upstream, row(upstream, for_the_ear=True) as engine:
        response = await ask(service(settings, up=engine), stream=True)

    assert response.status_code == 200
    assert words_of(response) == NO_ANSWER["en"]


@pytest.mark.parametrize("ear", [False, True])
@pytest.mark.parametrize("name", PROVIDERS)
async def test_folotoys_request_works_with_each_row_and_its_default_model(name: str, ear: bool) -> None:
    provider = PROVIDERS[name]
    model = provider.model or next(iter(provider.preferred), "my-gpt5")
    async with Upstream(judge=JUDGES.get(name)) as upstream, row(upstream, name, model, for_the_ear=ear) as engine:
        app = service(up=engine)
        for _ in range(2):
            response = await ask(app, stream=True, messages=TALK, **FOLOTOY)
            assert response.status_code == 200, response.text
            assert words_of(response) == "Hello there, friend."

    assert len(upstream.seen) <= 2 + 4, "the second time it is asked as it was told"
    assert upstream.seen[-1].json["model"] == model
