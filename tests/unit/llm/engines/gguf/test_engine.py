"""Real words of a real small model, through the real llama.cpp."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Seat
from chassis.errors import ApiError, BadRequest, Declined, EngineFailed, EngineUnavailable, NotFound
from chassis.sse import close
from fixtures.serving import serving
from fixtures.small_model import NAME
from llm.app import assemble, create_app
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.engines.gguf.engine import Gguf
from llm.engines.gguf.model_server import ModelServer, ModelToRun
from llm.settings import RelayOptions, Settings
from unit.llm.engines.openai.test_engine import asked
from unit.llm.fakes import HELLO, ask, client_of, service

PATH = "/v1/chat/completions"
MODEL = NAME.removesuffix(".gguf")
STORY = [{"role": "user", "content": "Tell me a long story about a little bear."}]
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "lamp",
            "parameters": {"type": "object", "properties": {"state": {"enum": ["on", "off"]}}, "required": ["state"]},
        },
    },
    {"type": "function", "function": {"name": "door"}},
]
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["glad", "sad"]}, "age": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["mood", "age"],
    "additionalProperties": False,
}

WIDE = {"enum": [str(number) for number in range(501)]}


def server(file: Path, **more: Any) -> ModelServer:
    fields: dict[str, Any] = {"path": str(file), "name": MODEL, "context": 1024, "threads": 1}
    return ModelServer(ModelToRun(**fields | more))


class Lasting(ModelServer):
    """One that outlives its engines: to load the model takes longer than most tests do."""

    def stop(self) -> None:
        """It ends with the tests, since its input does."""


@cache
def lasting(file: Path, context: int, concurrent: int) -> ModelServer:
    fields: dict[str, Any] = {"path": str(file), "name": MODEL, "threads": 1}
    return Lasting(ModelToRun(context=context, concurrent=concurrent, **fields))


@asynccontextmanager
async def engine(
    file: Path,
    relay: RelayOptions | None = None,
    context: int = 1024,
    concurrent: int = 1,
    *,
    alone: bool = False,
    prompts_mib: int = 0,
    **more: Any,
) -> AsyncIterator[Gguf]:
    """Lend a model that other tests ask, too, unless a test needs it `alone`, or otherwise than most."""
    if alone or prompts_mib or context != 1024:
        running = await asyncio.to_thread(server, file, context=context, concurrent=concurrent, prompts_mib=prompts_mib)
    else:
        running = await asyncio.to_thread(lasting, file, context, concurrent)
    made = Gguf(running, relay or RelayOptions(), **more)
    try:
        yield made
    finally:
        await made.aclose()


async def said(made: Gguf, **changes: Any) -> Any:
    """The whole answer to these changes of `HELLO`."""
    body = b"".join([piece async for piece in made.chat(asked(**({"max_tokens": 12, "seed": 1} | changes)))])
    return json.loads(body)


async def streamed(made: Gguf, **changes: Any) -> list[Any]:
    question = asked(**({"max_tokens": 12, "seed": 1, "stream": True} | changes))
    body = b"".join([piece async for piece in made.chat(question)]).decode()
    assert body.endswith("data: [DONE]\n\n")
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]


def words(chunks: list[Any]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


def text(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"])


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_it_answers_streamed_and_whole_in_the_same_words(file: Path) -> None:
    async with engine(file) as made:
        whole = await said(made, messages=STORY, temperature=0)
        chunks = await streamed(made, messages=STORY, temperature=0, stream_options={"include_usage": True})

    assert words(chunks) == text(whole)
    assert len(text(whole).split()) >= 5
    assert len(chunks) > 10
    assert whole["choices"][0]["finish_reason"] == chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["model"] == whole["model"] == MODEL
    assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"] == 12
    assert chunks[-1]["usage"]["prompt_tokens"] == whole["usage"]["prompt_tokens"] > 20


async def test_one_seed_gives_one_answer_and_another_another(file: Path) -> None:
    async with engine(file) as made:
        answers = [text(await said(made, messages=STORY, temperature=1, seed=seed)) for seed in (1, 1, 2)]

    assert answers[0] == answers[1] != answers[2]


async def test_it_stops_before_a_word_that_was_told(file: Path) -> None:
    async with engine(file) as made:
        spoken = text(await said(made, messages=STORY, temperature=0))
        word = spoken.split()[4]
        stopped = {"messages": STORY, "temperature": 0}
        whole = await said(made, **stopped, stop=[word, "unheard"])
        chunks = await streamed(made, **stopped, stop=word)

    assert text(whole) == words(chunks) == spoken[: spoken.index(word)]
    assert whole["choices"][0]["finish_reason"] == chunks[-1]["choices"][0]["finish_reason"] == "stop"


async def test_json_by_a_schema_and_without(file: Path) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "bear", "schema": SCHEMA}}
    async with engine(file, RelayOptions(for_the_ear=True)) as made:
        answers = [await said(made, max_tokens=100, seed=seed, response_format=form) for seed in range(2)]
        free = await said(made, max_tokens=100, response_format={"type": "json_object"})

    for answer in answers:
        bear = json.loads(text(answer))
        assert bear["mood"] in ("glad", "sad")
        assert isinstance(bear["age"], int)
        assert answer["choices"][0]["finish_reason"] == "stop"
    assert isinstance(json.loads(text(free)), dict)


@pytest.mark.parametrize("ear", [False, True], ids=["read", "heard"])
async def test_a_tool_that_must_be_called_is_called(file: Path, ear: bool) -> None:
    named = {"type": "function", "function": {"name": "lamp"}}
    async with engine(file, RelayOptions(for_the_ear=ear)) as made:
        whole = await said(made, max_tokens=100, tools=TOOLS, tool_choice=named)
        chunks = await streamed(made, max_tokens=100, tools=TOOLS[:1], tool_choice="required")

    [call] = whole["choices"][0]["message"]["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("function", "lamp")
    assert json.loads(call["function"]["arguments"])["state"] in ("on", "off")
    parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert (parts[0]["id"][:5], parts[0]["function"]["name"]) == ("call_", "lamp")
    assert json.loads("".join(part["function"]["arguments"] for part in parts))["state"] in ("on", "off")
    assert whole["choices"][0]["finish_reason"] == chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_a_tool_that_may_be_called_is_answered_in_words(file: Path) -> None:
    async with engine(file) as made:
        answer = await said(made, messages=STORY, tools=TOOLS, tool_choice="auto")

    assert text(answer)
    assert not answer["choices"][0]["message"].get("tool_calls")


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 2},
        {"logit_bias": {str(token): -1 for token in range(1025)}},
        {"moderation": {"model": "omni-moderation-latest"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": WIDE}}},
        {
            "tools": [{"type": "function", "function": {"name": "lamp", "parameters": WIDE}}],
            "tool_choice": "required",
        },
        {"tools": TOOLS, "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "roof"}}},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]},
    ],
)
async def test_what_it_cannot_do_the_next_engine_is_asked(file: Path, changes: dict[str, Any]) -> None:
    async with engine(file) as made:
        with pytest.raises(Declined) as caught:
            await said(made, **changes)
    assert caught.value.body["param"]


@pytest.mark.parametrize(
    "own",
    [
        {"reasoning_format": "weird"},
        {"reasoning_format": 5},
        {"samplers": "weird"},  # llama.cpp never answers it
        {"grammar": "weird"},
        {"json_schema": {"$ref": "nowhere"}},
        {"chat_template_kwargs": {"enable_thinking": 5}},
        {"chat_template_kwargs": [1]},
        {"top_k": "weird"},
        {"min_p": 1e300},
        {"unheard_of": {"a": 1}},
    ],
    ids=str,
)
async def test_a_field_that_llamacpp_would_stumble_over_does_not_reach_it(file: Path, own: dict[str, Any]) -> None:
    async with engine(file) as made:
        assert text(await said(made, max_tokens=3, **own))


async def test_llamacpps_own_sampling_is_kept_to(file: Path) -> None:
    async with engine(file) as made:
        likeliest = text(await said(made, messages=STORY, temperature=0))
        answers = [text(await said(made, messages=STORY, temperature=2, seed=seed, top_k=1)) for seed in range(2)]

    assert answers == [likeliest] * 2


async def test_a_schema_that_no_grammar_can_hold_is_refused_with_its_reason(file: Path) -> None:
    broken = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "nowhere"}}}
    async with engine(file) as made:
        with pytest.raises(ApiError):
            await said(made, response_format=broken)
        assert text(await said(made))


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("parameters", [5, "weird", [1], {"properties": 5}, {"$ref": "nowhere"}], ids=str)
async def test_a_forced_tool_without_a_schema_is_its_callers_mistake(
    file: Path, parameters: Any, *, stream: bool
) -> None:
    tools = [{"type": "function", "function": {"name": "lamp", "parameters": parameters}}]
    async with engine(file) as made:
        with pytest.raises(BadRequest):
            await said(made, tools=tools, tool_choice="required", stream=stream)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_a_talk_that_llamacpp_cannot_read_is_no_failure_of_the_engine(file: Path, *, stream: bool) -> None:
    called = {"role": "assistant", "tool_calls": [{"id": "1", "type": "custom"}]}
    async with engine(file) as made:
        with pytest.raises(BadRequest):
            await said(made, messages=[*STORY, called], stream=stream)


async def test_only_its_own_model_can_be_picked(file: Path) -> None:
    async with engine(file) as made:
        app = service(gguf=made)
        async with client_of(app) as client:
            listed = [each["id"] for each in (await client.get("/v1/models")).json()["data"]]
        assert (await ask(app, model=f"gguf/{MODEL}", max_tokens=2)).status_code == 200
        with pytest.raises(NotFound, match="SmolLM2"):
            await anext(aiter(made.chat(asked("other"))))

    assert listed == ["gguf", f"gguf/{MODEL}"]


async def test_the_oldest_exchanges_are_left_out_where_they_do_not_fit(file: Path) -> None:
    old = [{"role": role, "content": "the moon " * 40} for role in ("user", "assistant") * 10]
    system, last = {"role": "system", "content": "You are a bear."}, {"role": "user", "content": "hello"}
    async with engine(file, context=512) as made:
        answer = await said(made, messages=[system, *old, last])
        short = await said(made, messages=[system, last])
        with pytest.raises(BadRequest) as caught:
            await said(made, messages=[system, {"role": "user", "content": "moon " * 1000}])

    assert short["usage"]["prompt_tokens"] < answer["usage"]["prompt_tokens"] <= 512 - 12
    assert caught.value.body["code"] == "context_length_exceeded"


async def test_the_answer_ends_where_the_context_does(file: Path) -> None:
    async with engine(file, RelayOptions(max_tokens="off"), context=256) as made:
        answer = await said(made, messages=STORY, max_tokens=None, response_format={"type": "json_object"})

    assert answer["usage"]["total_tokens"] <= 256


async def test_one_answer_is_made_at_a_time_and_who_cannot_wait_is_the_next_engines(file: Path) -> None:
    async with engine(file, patience_seconds=0.2) as made:
        app = service(Settings(first_byte_seconds=60), gguf=made, companion=Companion())
        first = made.chat(asked(stream=True, messages=STORY, max_tokens=900))
        await anext(first)
        busy = await ask(app, stream=True)
        await close(first)
        free = await ask(app, max_tokens=2)

    assert busy.headers[ENGINE_HEADER] == "companion"
    assert free.headers[ENGINE_HEADER] == "gguf"


async def test_those_who_wait_are_answered_one_after_the_other(file: Path) -> None:
    async with engine(file, patience_seconds=30) as made:
        answers = await asyncio.gather(*(said(made, seed=seed, temperature=1) for seed in (1, 2, 1)))

    assert text(answers[0]) == text(answers[2])


async def test_a_caller_who_leaves_ends_the_work(file: Path) -> None:
    running = await asyncio.to_thread(server, file, context=2048)
    made = Gguf(running, RelayOptions(), patience_seconds=10)
    chain: Chain[Engine] = Chain([Seat[Engine].of("gguf", made)], first_byte_seconds=30)
    settings = Settings(keep_alive_seconds=60)  # the engine's name is sent with its first words only
    async with serving(assemble(settings, chain)) as address, httpx.AsyncClient(base_url=address) as client:
        question = {"messages": STORY, "stream": True, "max_tokens": 1900}
        async with client.stream("POST", PATH, json=HELLO | question) as response:
            pieces = response.aiter_raw()
            await anext(pieces)
        await idle(running.pid)

    assert response.headers[ENGINE_HEADER] == "gguf"


async def test_a_caller_who_leaves_while_the_prompt_is_read_ends_that(file: Path) -> None:
    async with engine(file, RelayOptions(), context=4096, patience_seconds=10) as made:
        question = asked(messages=[{"role": "user", "content": "the moon and the sun " * 400}], max_tokens=1)
        asking = asyncio.create_task(_next(made.chat(question)))
        async with asyncio.timeout(600):
            while processor_seconds(made.server.pid) < 1.5:
                await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait({asking})
        await idle(made.server.pid)


async def idle(pid: int) -> None:
    """Return once a process uses no processor any more; fail where it used more than a caller may cost."""
    began = processor_seconds(pid)
    while True:
        before = processor_seconds(pid)
        await asyncio.sleep(0.5)
        if processor_seconds(pid) - before < 0.1:
            return
        assert before - began < 3.0  # seconds of a processor; the whole answer takes ten and more


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _next(answer: AsyncIterator[bytes]) -> bytes:
    return await anext(answer)


async def test_what_was_made_is_counted_although_its_caller_left(file: Path) -> None:
    question = asked(stream=True, max_tokens=100, messages=STORY)
    async with engine(file) as made:
        answer = made.chat(question)
        for _ in range(4):
            await anext(answer)
        await close(answer)

    assert question.tally.pieces >= 3


async def test_its_memory_is_bounded_and_given_back(file: Path) -> None:
    async with engine(file, alone=True) as made:
        await said(made, messages=STORY)
        before = resident_bytes(made.server.pid)
        for number in range(2):
            await said(made, messages=[{"role": "user", "content": f"{number} " + "moon " * 100}], max_tokens=2)
        after = resident_bytes(made.server.pid)

    assert after < before + 40e6
    assert after < 400e6
    with pytest.raises(ProcessLookupError):
        os.kill(made.server.pid, 0)


async def test_nobody_else_on_the_machine_is_answered(file: Path) -> None:
    async with engine(file) as made, httpx.AsyncClient(base_url=made.server.address) as client:
        answers = [await client.post(PATH, json=HELLO), *[await client.get(path) for path in ("/", "/slots", "/props")]]

    assert made.server.address.startswith("http://127.0.0.1:")
    assert [answer.status_code for answer in answers] == [401, 404, 401, 401]


async def test_a_model_that_dies_is_started_again_and_others_answer_meanwhile(file: Path) -> None:
    async with engine(file, alone=True) as made:
        os.kill(made.server.pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not made.server.ended:
                await asyncio.sleep(0.01)
        assert (await ask(service(gguf=made, companion=Companion()))).headers[ENGINE_HEADER] == "companion"
        async with asyncio.timeout(30):
            while not (answer := await answered(made)):
                await asyncio.sleep(0.05)

    assert text(answer)


async def answered(made: Gguf) -> Any:
    """The whole answer, or nothing where the engine fails."""
    try:
        return await said(made)
    except EngineFailed:
        return None


async def test_the_service_goes_on_while_a_model_is_loaded(file: Path) -> None:
    turns = 0
    loading = asyncio.create_task(asyncio.to_thread(server, file))
    while not loading.done():
        await asyncio.sleep(0.001)
        turns += 1
    await asyncio.to_thread((await loading).stop)

    assert turns >= 10  # of some hundreds


async def test_the_operators_template_is_used(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.jinja"
    own.write_text("The bear said: {{ messages[0]['content'] }}")
    monkeypatch.setenv("GGUF_MODEL", str(file))
    told = []
    for template in (str(own), "chatml"):
        monkeypatch.setenv("GGUF_TEMPLATE", template)
        made = await asyncio.to_thread(Gguf.load, "gguf", lambda doing, part: None)
        told.append((await said(made, messages=HELLO["messages"]))["usage"]["prompt_tokens"])
        await made.aclose()

    assert 4 <= told[0] < 8 < told[1]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("empty", "magic"),
        ("garbage", "version"),
        ("cut", "corrupted or incomplete"),
        ("template", "template"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_llamacpps_reason(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, reason: str
) -> None:
    broken = tmp_path / "broken.gguf"
    match damage:
        case "template":
            broken.symlink_to(file)
            monkeypatch.setenv("GGUF_TEMPLATE", "{% for %}")
        case "cut":
            broken.write_bytes(file.read_bytes()[:2_000_000])
        case _:
            broken.write_bytes(b"" if damage == "empty" else b"GGUF" + b"\xff" * 1000)
    monkeypatch.setenv("GGUF_MODEL", str(broken))

    with pytest.raises(EngineUnavailable, match=rf"GGUF_MODEL.*broken\.gguf.*{reason}"):
        Gguf.load("gguf", lambda doing, part: None)


async def test_the_service_finds_it_by_its_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ENGINES", "gguf,companion")
    monkeypatch.setenv("GGUF_MODEL", str(file))
    monkeypatch.setenv("GGUF_THREADS", "1")
    monkeypatch.setenv("LLM_FIRST_BYTE_SECONDS", "20")
    app = create_app()
    async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
        async with asyncio.timeout(30):
            while '"name":"gguf","state":"ready"' not in (await client.get("/readyz")).text:
                await asyncio.sleep(0.05)
        answer = await client.post(PATH, json=HELLO | {"max_tokens": 3})

    assert answer.headers[ENGINE_HEADER] == "gguf"


def bear(name: str, question: str) -> list[dict[str, str]]:
    prompt = f"You are {name}, a toy bear. {name} likes honey, rain and long walks in the wood. Answer kindly."
    return [{"role": "system", "content": prompt}, {"role": "user", "content": question}]


async def read_before(made: Gguf, name: str, question: str) -> int:
    answer = await said(made, messages=bear(name, question), max_tokens=1)
    return int(answer["usage"]["prompt_tokens_details"]["cached_tokens"])


@pytest.mark.parametrize(("mib", "kept"), [(64, True), (0, False)])
async def test_the_prompts_of_several_roles_are_kept_read_in_the_memory_for_them(
    file: Path, mib: int, kept: bool
) -> None:
    running = await asyncio.to_thread(server, file, prompts_mib=mib)
    made = Gguf(running, RelayOptions())
    try:
        for name in ("Ann", "Bob"):
            await read_before(made, name, "Hello!")
        again = await read_before(made, "Ann", "Tell me a joke.")
    finally:
        await made.aclose()

    assert (again > 20) is kept
