import asyncio
import json
from contextlib import suppress

import httpx
import pytest
from openai import AsyncOpenAI, OpenAIError

from chassis.chain.admission import Admission
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Seat
from chassis.chain.shares import Budget
from chassis.errors import ApiError, BadRequest, Declined, EngineFailed, EngineTimeout, EngineUnavailable
from chassis.sse import KEEP_ALIVE
from fixtures.serving import serving
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.excuse import BROKEN_OFF, NO_ANSWER
from llm.own_language import Language
from llm.settings import Settings
from unit.llm.fakes import DONE, EVENT, HELLO, FakeEngine, ask, broken_off, chain_of, service, streaming

PATH = "/v1/chat/completions"
WHOLE = b'{"choices": [ ]}'
IMPATIENT = Settings(keep_alive_seconds=0.05)


async def test_a_whole_answer_leaves_as_the_engine_gave_it() -> None:
    response = await ask(service(one=FakeEngine(WHOLE)))

    assert (response.status_code, response.content) == (200, WHOLE)
    assert response.headers["content-type"] == "application/json"
    assert response.headers[ENGINE_HEADER] == "one"
    assert response.headers["x-request-id"]


async def test_a_stream_leaves_as_the_engine_gave_it() -> None:
    response = await ask(service(one=FakeEngine(EVENT, EVENT + DONE)), stream=True)

    assert response.content == EVENT + EVENT + DONE
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers[ENGINE_HEADER] == "one"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_piece_is_answered_by_the_next_engine(stream: bool) -> None:
    one = FakeEngine(EngineFailed("it broke"))

    response = await ask(service(one=one, two=FakeEngine(EVENT)), stream=stream)

    assert (response.status_code, response.headers[ENGINE_HEADER]) == (200, "two")
    assert one.closed == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_when_all_fail_it_is_a_502_and_no_broken_200(stream: bool) -> None:
    response = await ask(service(one=FakeEngine(EngineFailed("it broke"))), stream=stream)

    assert response.status_code == 502
    assert response.json()["error"]["message"] == "one: it broke"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_callers_mistake_is_not_passed_down_the_chain(stream: bool) -> None:
    two = FakeEngine(EVENT)

    response = await ask(service(one=FakeEngine(BadRequest("blocked", code="content_filter")), two=two), stream=stream)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "content_filter")
    assert two.asked == []


async def test_the_model_picks_an_engine_and_what_follows_the_slash_its_model() -> None:
    one, two = FakeEngine(WHOLE), FakeEngine(WHOLE)
    app = service(one=one, two=two)

    assert (await ask(app, model="two/small/fast")).headers[ENGINE_HEADER] == "two"
    assert (await ask(app, model="two")).headers[ENGINE_HEADER] == "two"
    assert (await ask(app, model="gpt-4o-mini")).headers[ENGINE_HEADER] == "one"
    assert [each.model for each in two.asked] == ["small/fast", None]


async def test_who_declines_is_heard_although_another_engine_has_no_key() -> None:
    def keyless(_: object) -> Engine:
        raise EngineUnavailable("Set SOME_API_KEY.")

    chain = Chain([Seat[Engine]("keyless", keyless), Seat[Engine].of("two", FakeEngine(Declined("no", param="tools")))])
    await chain.seats[0].keep_loading()

    response = await ask(assemble(Settings(), chain))

    assert (response.status_code, response.json()["error"]["param"]) == (400, "tools")


async def test_a_failure_in_mid_stream_is_an_error_event_and_a_broken_body() -> None:
    async with streaming(service(one=FakeEngine(EVENT, EngineFailed("it broke")))) as response:
        body = await broken_off(response)

    assert body.startswith(EVENT)
    last = body.removeprefix(EVENT)
    assert json.loads(last.removeprefix(b"data: ")) == {
        "error": {"message": "it broke", "type": "server_error", "param": None, "code": "upstream_error"}
    }
    assert last.endswith(b"\n\n")


async def test_a_stream_that_waits_sends_its_headers_and_comments() -> None:
    enough = asyncio.Event()
    body = b""
    async with streaming(service(IMPATIENT, one=FakeEngine(enough, EVENT, DONE))) as response:
        async for piece in response.aiter_raw():
            body += piece
            if body.count(KEEP_ALIVE) == 3:
                enough.set()

    comments, _, rest = body.partition(EVENT)
    assert rest == DONE
    assert comments.count(KEEP_ALIVE) >= 3
    assert comments.replace(KEEP_ALIVE, b"") == b""
    assert response.headers.get(ENGINE_HEADER) is None


async def test_who_waits_for_a_place_in_vain_gets_429_and_no_stream() -> None:
    busy = asyncio.Event()
    seats: list[Seat[Engine]] = [Seat.of("one", FakeEngine(EVENT, busy, DONE))]
    app = assemble(IMPATIENT, Chain(seats, admission=Admission(1, 8, 0.3)))
    body = HELLO | {"stream": True}
    async with (
        serving(app) as address,
        httpx.AsyncClient(base_url=address) as client,
        client.stream("POST", PATH, json=body) as first,
    ):
        pieces = first.aiter_raw()
        await anext(pieces)
        second = await client.post(PATH, json=body)
        busy.set()

    assert second.status_code == 429
    assert int(second.headers["retry-after"]) >= 1
    assert second.json()["error"]["code"] == "rate_limit_exceeded"


async def test_a_pause_in_mid_stream_is_filled_with_comments() -> None:
    enough = asyncio.Event()
    body = b""
    async with streaming(service(IMPATIENT, one=FakeEngine(EVENT, enough, EVENT, DONE))) as response:
        async for piece in response.aiter_raw():
            body += piece
            if body.partition(EVENT)[2].count(KEEP_ALIVE) == 2:
                enough.set()

    _, _, after = body.partition(EVENT)
    assert after.startswith(KEEP_ALIVE + KEEP_ALIVE)
    assert after.endswith(EVENT + DONE)


async def test_when_all_fail_after_the_headers_left_the_stream_says_so_and_breaks() -> None:
    chain = chain_of(one=FakeEngine(60.0))
    chain.budget = Budget(0.3, 0.3, 0)
    async with streaming(assemble(IMPATIENT, chain)) as response:
        body = await broken_off(response)

    assert response.status_code == 200
    assert b'data: {"error":{"message":"one: no answer in' in body
    assert b"[DONE]" not in body


@pytest.mark.parametrize("begins", [True, False])
async def test_a_caller_who_leaves_a_stream_ends_the_work_and_frees_the_place(begins: bool) -> None:
    engine = FakeEngine(EVENT, 60.0) if begins else FakeEngine(60.0)
    chain = chain_of(one=engine)
    settings = Settings() if begins else IMPATIENT
    async with serving(assemble(settings, chain)) as address, httpx.AsyncClient(base_url=address) as client:
        async with client.stream("POST", PATH, json=HELLO | {"stream": True}) as response:
            pieces = response.aiter_raw()
            first = await anext(pieces)
            assert chain.admission.running == 1
        await freed(chain, engine)

    assert first == (EVENT if begins else KEEP_ALIVE)


async def test_a_caller_who_leaves_before_a_whole_answer_ends_the_work_and_frees_the_place() -> None:
    engine = FakeEngine(60.0)
    chain = chain_of(one=engine)
    async with serving(assemble(Settings(), chain)) as address, httpx.AsyncClient(base_url=address) as client:
        asking = asyncio.create_task(client.post(PATH, json=HELLO))
        while not engine.asked:
            await asyncio.sleep(0.001)
        asking.cancel()
        await freed(chain, engine)


async def freed(chain: Chain[Engine], engine: FakeEngine) -> None:
    async with asyncio.timeout(10):
        while not engine.closed or chain.admission.running:
            await asyncio.sleep(0.001)


async def test_places_are_free_again_after_every_kind_of_answer() -> None:
    chain = chain_of(one=FakeEngine(WHOLE), two=FakeEngine(EngineFailed("it broke")), three=FakeEngine(EVENT, DONE))
    app = assemble(Settings(), chain)
    for model in ("one", "two", "three"):
        for stream in (True, False):
            await ask(app, model=model, stream=stream)

    assert chain.admission.running == 0


async def test_a_whole_answer_may_take_longer_than_a_first_byte() -> None:
    settings = Settings(first_byte_seconds=0.2, answer_seconds=5.0)
    app = service(settings, one=FakeEngine(0.4, WHOLE), two=Companion())

    assert (await ask(app)).headers[ENGINE_HEADER] == "one"
    assert (await ask(app, stream=True)).headers[ENGINE_HEADER] == "two"


async def test_a_silent_engine_leaves_a_whole_answer_to_the_next_in_the_end() -> None:
    settings = Settings(first_byte_seconds=0.2, answer_seconds=0.5)

    response = await ask(service(settings, one=FakeEngine(60.0), two=FakeEngine(WHOLE)))

    assert response.headers[ENGINE_HEADER] == "two"


async def test_only_post_is_answered() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service()), base_url="http://llm") as client:
        response = await client.get(PATH)

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def words(body: bytes) -> str:
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: {")]
    return "".join(json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines)


EAR = Settings(for_the_ear=True, keep_alive_seconds=0.05)


@pytest.mark.parametrize(("said", "told"), [("hello", NO_ANSWER["en"]), ("讲个故事", NO_ANSWER["zh"])])
async def test_for_the_ear_that_nobody_answers_is_said_in_the_language_of_the_conversation(
    said: str, told: str
) -> None:
    app = service(EAR, one=FakeEngine(EngineFailed("it broke")))
    messages = [{"role": "user", "content": said}]

    streamed, whole = [await ask(app, stream=stream, messages=messages) for stream in (True, False)]

    assert (streamed.status_code, streamed.headers[ENGINE_HEADER]) == (200, "companion")
    assert words(streamed.content) == told
    assert b'"finish_reason":"stop"' in streamed.content
    assert streamed.content.endswith(DONE)
    assert whole.json()["choices"][0]["message"]["content"] == told


async def test_for_the_ear_the_callers_mistake_and_json_stay_errors() -> None:
    refusing = service(EAR, one=FakeEngine(BadRequest("no")))
    failing = service(EAR, one=FakeEngine(EngineFailed("it broke")))

    assert (await ask(refusing, stream=True)).status_code == 400
    assert (await ask(failing, response_format={"type": "json_object"})).status_code == 502


async def test_for_the_ear_a_failure_after_the_headers_left_is_said_too() -> None:
    chain = chain_of(one=FakeEngine(60.0))
    chain.budget = Budget(0.3, 0.3, 0)
    async with streaming(assemble(EAR, chain)) as response:
        body = b"".join([piece async for piece in response.aiter_raw()])

    assert words(body) == NO_ANSWER["en"]
    assert body.endswith(DONE)
    assert chain.admission.running == 0


@pytest.mark.parametrize(
    "failure",
    [EngineFailed("broke off"), EngineTimeout("was silent"), BadRequest("flagged", code="content_filter")],
    ids=["cut", "silence", "moderation"],
)
async def test_for_the_ear_an_answer_that_breaks_off_ends_in_words_and_is_no_whole_one(failure: ApiError) -> None:
    named = EVENT.replace(b'{"choices"', b'{"id":"c1","model":"bear","choices"')
    app = service(Settings(for_the_ear=True), one=FakeEngine(named, failure))
    asked: list[tuple[str, Language]] = [("讲个故事", "zh"), ("Tell me a story.", "en")]
    for text, language in asked:
        chunks = []
        async with serving(app) as base, AsyncOpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0) as sdk:
            stream = await sdk.chat.completions.create(
                model="any", messages=[{"role": "user", "content": text}], stream=True
            )
            with suppress(OpenAIError):  # where the error event comes
                while True:
                    chunks.append(await anext(stream))

        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "hi" + BROKEN_OFF[language]
        assert chunks[-1].choices[0].finish_reason is None
        assert {(chunk.id, chunk.model) for chunk in chunks} == {("c1", "bear")}


async def test_a_program_that_listens_for_more_than_words_gets_no_others_after_them() -> None:
    app = service(Settings(for_the_ear=True), one=FakeEngine(EVENT, EngineFailed("broke off")))
    async with streaming(app, tools=[{"type": "function", "function": {"name": "light"}}]) as response:
        body = await broken_off(response)

    assert b'"error"' in body
    assert BROKEN_OFF["en"].encode() not in body


async def test_a_turn_that_takes_too_long_breaks_off() -> None:
    settings = Settings(turn_seconds=0.2)
    engine = FakeEngine(EVENT, 60.0)
    async with streaming(service(settings, one=engine)) as response:
        body = await broken_off(response)

    assert body.startswith(EVENT)
    assert b"The turn took longer than 0.2 s." in body
    assert engine.closed == 1


async def test_for_the_ear_a_turn_that_takes_too_long_ends_early_but_well() -> None:
    settings = Settings(turn_seconds=0.2, for_the_ear=True)
    named = EVENT.replace(b'{"choices"', b'{"id":"c1","model":"bear","choices"')
    async with streaming(service(settings, one=FakeEngine(named, 60.0))) as response:
        late = b"".join([piece async for piece in response.aiter_raw()])
    async with streaming(service(settings, one=FakeEngine(60.0))) as response:
        silent = b"".join([piece async for piece in response.aiter_raw()])

    assert late.startswith(named)
    end = json.loads(late.decode().split("\n\n")[-3].removeprefix("data: "))
    assert end["choices"][0]["finish_reason"] == "length"
    assert (end["id"], end["model"]) == ("c1", "bear")  # as in the chunks before
    assert late.endswith(DONE)
    assert words(silent) == NO_ANSWER["en"]
