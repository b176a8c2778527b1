"""The real llama.cpp with a model made on the spot; what needs no model is tested without."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Seat
from chassis.errors import BadRequest, Declined, EngineUnavailable, NotFound
from chassis.sse import close
from chassis.weights.hub import HubOptions
from imitations.hub import running
from llm.answer.usage import Counts
from llm.app import assemble
from llm.engines import Engine
from llm.engines.companion.engine import Companion
from llm.engines.gguf.engine import Gguf, find
from llm.engines.gguf.handover import AHEAD, Handover, Until
from llm.engines.gguf.llamacpp import Model
from llm.settings import RelayOptions, Settings
from unit.llm.engines.openai.test_engine import asked
from unit.llm.fakes import HELLO, ask, client_of, service, serving

NEEDED = ("llama_cpp", "gguf", "numpy")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_llama = pytest.mark.skipif(
    bool(MISSING), reason=f"an extra, built for minutes: {', '.join(MISSING)} not installed"
)
PATH = "/v1/chat/completions"
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


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fixtures import gguf_model

    return gguf_model.make(tmp_path_factory.mktemp("gguf") / "tiny.gguf", context=2048)


def model(file: Path, **options: Any) -> Model:
    return Model(file, **{"context": 4096, "threads": 1} | options)


@asynccontextmanager
async def engine(file: Path, relay: RelayOptions | None = None, **more: Any) -> AsyncIterator[Gguf]:
    made = Gguf(model(file), relay, **more)
    try:
        yield made
    finally:
        await made.aclose()


async def said(made: Gguf, **changes: Any) -> Any:
    """The whole answer to these changes of `HELLO`."""
    [body] = [piece async for piece in made.chat(asked(**({"max_tokens": 20, "seed": 1} | changes)))]
    return json.loads(body)


async def streamed(made: Gguf, **changes: Any) -> list[Any]:
    question = asked(**({"max_tokens": 20, "seed": 1, "stream": True} | changes))
    body = b"".join([piece async for piece in made.chat(question)]).decode()
    assert body.endswith("data: [DONE]\n\n")
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]


def words(chunks: list[Any]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


@needs_llama
async def test_it_answers_streamed_and_whole_in_the_same_words(file: Path) -> None:
    async with engine(file) as made:
        whole = await said(made)
        chunks = await streamed(made, stream_options={"include_usage": True})

    text = whole["choices"][0]["message"]["content"]
    assert words(chunks) == text
    assert len(text.split()) >= 10
    assert text == text.lstrip()
    assert len(chunks) > 10
    assert whole["choices"][0]["finish_reason"] == chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert whole["usage"] == chunks[-1]["usage"]
    assert whole["usage"]["completion_tokens"] == 20
    assert whole["model"] == chunks[0]["model"] == "tiny"


@needs_llama
async def test_one_seed_gives_one_answer_and_another_another(file: Path) -> None:
    async with engine(file) as made:
        answers = [(await said(made, seed=seed))["choices"][0]["message"]["content"] for seed in (1, 1, 2)]
        unseeded = {(await said(made, seed=None))["choices"][0]["message"]["content"] for _ in range(3)}

    assert answers[0] == answers[1] != answers[2]
    assert len(unseeded) > 1


@needs_llama
async def test_it_stops_before_a_word_that_was_told(file: Path) -> None:
    async with engine(file) as made:
        text = (await said(made))["choices"][0]["message"]["content"]
        word = text.split()[4]
        before = text[: text.index(word)]
        whole, chunks = await said(made, stop=[word, "unheard"]), await streamed(made, stop=word)

    assert whole["choices"][0]["message"]["content"] == words(chunks) == before
    assert whole["choices"][0]["finish_reason"] == chunks[-1]["choices"][0]["finish_reason"] == "stop"


@needs_llama
async def test_json_by_a_schema_and_without(file: Path) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "bear", "schema": SCHEMA}}
    async with engine(file, RelayOptions(for_the_ear=True)) as made:
        answers = [await said(made, max_tokens=100, seed=seed, response_format=form) for seed in range(3)]
        broken = form | {"json_schema": {"name": "x", "schema": {"$ref": "nowhere"}}}
        with pytest.raises(Declined, match="schema"):
            await said(made, response_format=broken)

    for answer in answers:
        bear = json.loads(answer["choices"][0]["message"]["content"])
        assert bear["mood"] in ("glad", "sad")
        assert isinstance(bear["age"], int)
        assert answer["choices"][0]["finish_reason"] == "stop"


@needs_llama
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


@needs_llama
@pytest.mark.parametrize(
    "changes",
    [
        {"n": 2},
        {"logprobs": True},
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


@needs_llama
async def test_only_its_own_model_can_be_picked(file: Path) -> None:
    async with engine(file) as made:
        app = service(gguf=made)
        async with client_of(app) as client:
            listed = [each["id"] for each in (await client.get("/v1/models")).json()["data"]]
        assert (await ask(app, model="gguf/tiny", max_tokens=2)).status_code == 200
        with pytest.raises(NotFound, match="tiny"):
            await anext(aiter(made.chat(asked("other"))))

    assert listed == ["gguf", "gguf/tiny"]


@needs_llama
async def test_the_oldest_exchanges_are_left_out_where_they_do_not_fit(file: Path) -> None:
    old = [{"role": role, "content": "the moon " * 40} for role in ("user", "assistant") * 6]
    system, last = {"role": "system", "content": "You are a bear."}, {"role": "user", "content": "hello"}
    async with engine(file) as made:
        answer = await said(made, messages=[system, *old, last])
        short = await said(made, messages=[system, last])
        with pytest.raises(BadRequest) as caught:
            await said(made, messages=[system, {"role": "user", "content": "moon " * 2000}])

    assert short["usage"]["prompt_tokens"] < answer["usage"]["prompt_tokens"] <= 2048 - 20
    assert caught.value.body["code"] == "context_length_exceeded"


@needs_llama
async def test_without_a_limit_it_ends_where_the_context_does(file: Path) -> None:
    async with engine(file, RelayOptions(max_tokens="off")) as made:
        usage = (await said(made, max_tokens=None))["usage"]

    assert usage["total_tokens"] == 2048


@needs_llama
async def test_the_operators_lines_and_thinking_reach_the_template(tmp_path: Path) -> None:
    from fixtures import gguf_model

    echo = "{% for m in messages %}[{{ m['role'] }}|{{ m['content'] }}]{% endfor %}{{ enable_thinking }}"
    made = model(gguf_model.make(tmp_path / "echo.gguf", template=echo))
    heard: list[str] = []
    render = made._render
    made._render = lambda *args: heard.append(render(*args)) or heard[-1]  # type: ignore[func-returns-value]
    options = RelayOptions(for_the_ear=True, opening="Be short.", system_prompt="Be kind.")
    gguf = Gguf(made, options)
    messages = [{"role": "developer", "content": [{"type": "text", "text": "Be a bear."}]}, HELLO["messages"][0]]
    await said(gguf, messages=messages, max_tokens=1)
    await said(gguf, messages=messages, max_tokens=1, chat_template_kwargs={"enable_thinking": True, "messages": []})
    await gguf.aclose()

    whole = [text for text in heard if "bear" in text]
    assert whole[0] == "[system|Be kind.\nBe a bear.\nBe short.][user|hello]False"
    assert whole[1].endswith("True")


@needs_llama
async def test_a_thought_that_the_template_opens_is_not_said(tmp_path: Path) -> None:
    from fixtures import gguf_model

    opened = "{{ messages[0]['content'] }}{% if enable_thinking is not defined %}<think>\n{% endif %}"
    file = gguf_model.make(tmp_path / "thinker.gguf", template=opened)
    async with engine(file) as aside, engine(file, RelayOptions(thinking="show")) as shown:
        assert aside._strainer(asked(), None).begun
        assert not shown._strainer(asked(), None).begun
    async with engine(file, RelayOptions(thinking="off")) as off:
        assert not off._strainer(asked(), None).begun


@needs_llama
async def test_one_answer_is_made_at_a_time_and_who_cannot_wait_is_the_next_engines(file: Path) -> None:
    async with engine(file, RelayOptions(max_tokens="off"), patience_seconds=0.2) as made:
        app = service(gguf=made, companion=Companion())
        first = made.chat(asked(stream=True, seed=1))
        await anext(first)  # its thread waits for somebody who reads
        busy = await ask(app, stream=True)
        await close(first)
        free = await ask(app, max_tokens=2)

    assert busy.headers[ENGINE_HEADER] == "companion"
    assert free.headers[ENGINE_HEADER] == "gguf"


@needs_llama
async def test_those_who_wait_are_answered_one_after_the_other(file: Path) -> None:
    async with engine(file, patience_seconds=20) as made:
        answers = await asyncio.gather(*(said(made, seed=seed) for seed in (1, 2, 1, 2)))
        alone = [await said(made, seed=seed) for seed in (1, 2)]

    texts = [answer["choices"][0]["message"]["content"] for answer in (*answers, *alone)]
    assert texts[0] == texts[2] == texts[4]
    assert texts[1] == texts[3] == texts[5]


@needs_llama
async def test_a_caller_who_leaves_ends_the_work(file: Path) -> None:
    made = Gguf(model(file), RelayOptions(max_tokens="off"), patience_seconds=5)
    chain: Chain[Engine] = Chain([Seat[Engine].of("gguf", made)])
    async with serving(assemble(Settings(), chain)) as address, httpx.AsyncClient(base_url=address) as client:
        async with client.stream("POST", PATH, json=HELLO | {"stream": True}) as response:
            await anext(response.aiter_raw())
        began = monotonic()
        async with client.stream("POST", PATH, json=HELLO | {"stream": True, "max_tokens": 1}) as response:
            await response.aread()
        waited = monotonic() - began

    assert response.headers[ENGINE_HEADER] == "gguf"
    assert waited < 3


@needs_llama
async def test_a_caller_who_leaves_while_the_prompt_is_read_ends_that(file: Path) -> None:
    made = model(file)
    read: list[int] = []
    reading, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(tokens: Sequence[int]) -> None:
        read.append(len(tokens))
        loop.call_soon_threadsafe(reading.set)
        made._left.wait(20)

    made._llama.eval = made._in_pieces(slowly)
    gguf = Gguf(made)
    question = asked(messages=[{"role": "user", "content": "the moon " * 100}], max_tokens=1)
    answer = gguf.chat(question)
    asking = asyncio.create_task(_next(answer))
    await reading.wait()
    asking.cancel()
    await asyncio.wait({asking})
    await gguf.aclose()

    assert asking.cancelled()
    assert len(read) == 1
    assert question.tally.told is not None
    assert question.tally.told.prompt_tokens > 3 * read[0]


async def _next(answer: AsyncIterator[bytes]) -> bytes:
    return await anext(answer)


@needs_llama
async def test_what_was_made_is_counted_although_its_caller_left(file: Path) -> None:
    question = asked(stream=True, max_tokens=100, seed=1)
    async with engine(file) as made:
        answer = made.chat(question)
        for _ in range(5):
            await anext(answer)
        await close(answer)

    assert isinstance(question.tally.told, Counts)
    assert question.tally.told.prompt_tokens > 10
    assert question.tally.told.completion_tokens >= 3


@needs_llama
async def test_a_slow_reader_is_not_written_ahead_of_for_ever(file: Path) -> None:
    question = asked(stream=True, max_tokens=400, seed=1)
    async with engine(file) as made:
        answer = made.chat(question)
        await anext(answer)
        until = monotonic() + 1
        while monotonic() < until and (question.tally.told or Counts(0, 0)).completion_tokens < 400:
            await asyncio.sleep(0.01)
        made_ahead = question.tally.told
        await close(answer)

    assert made_ahead is not None
    assert made_ahead.completion_tokens < 100


@needs_llama
@pytest.mark.parametrize("name", ["chatglm3", "chatglm4", "chatml", "llama3"])
async def test_a_template_that_llamacpp_knows_by_name_is_applied(tmp_path: Path, name: str) -> None:
    from fixtures import gguf_model

    file = gguf_model.make(tmp_path / "glm.gguf", template=name)
    async with engine(file) as made:
        prompt = made.model._render([{"role": "user", "content": "你好"}], None, {})
        assert (await said(made, max_tokens=5))["usage"]["completion_tokens"] == 5

    assert "你好" in prompt
    assert "<|" in prompt


@needs_llama
def test_a_model_without_a_template_takes_the_operators(tmp_path: Path) -> None:
    from fixtures import gguf_model

    file = gguf_model.make(tmp_path / "base.gguf", template=None)
    own = tmp_path / "own.jinja"
    own.write_text("{{ messages[0]['content'] }}!")

    with pytest.raises(EngineUnavailable, match="GGUF_TEMPLATE"):
        model(file)
    with pytest.raises(EngineUnavailable, match="knows no template 'chatgml'"):
        model(file, template="chatgml")
    assert (
        model(file, template="chatml")._render([{"role": "user", "content": "hi"}], None, {}).startswith("<|im_start|>")
    )
    assert model(file, template=str(own))._render([{"role": "user", "content": "hi"}], None, {}) == "hi!"


@needs_llama
async def test_a_conversation_that_the_template_refuses_is_the_next_engines(tmp_path: Path) -> None:
    from fixtures import gguf_model

    strict = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
        "{{ messages[0]['content'] }}"
    )
    async with engine(gguf_model.make(tmp_path / "strict.gguf", template=strict)) as made:
        with pytest.raises(Declined, match="no system here"):
            await said(made, messages=[{"role": "system", "content": "x"}, *HELLO["messages"]])


@needs_llama
@pytest.mark.parametrize("damage", ["empty", "garbage", "cut", "template"])
def test_a_damaged_file_is_unavailable_and_says_which(tmp_path: Path, file: Path, damage: str) -> None:
    from fixtures import gguf_model

    broken = tmp_path / "broken.gguf"
    match damage:
        case "template":
            gguf_model.make(broken, template="{% for %}")
        case "cut":
            broken.write_bytes(file.read_bytes()[:200_000])
        case _:
            broken.write_bytes(b"" if damage == "empty" else b"GGUF" + b"\xff" * 1000)

    with pytest.raises(EngineUnavailable, match="broken"):
        model(broken)


@needs_llama
async def test_the_service_finds_it_by_its_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llm.app import create_app

    monkeypatch.setenv("LLM_ENGINES", "gguf,companion")
    monkeypatch.setenv("GGUF_MODEL", str(file))
    monkeypatch.setenv("GGUF_THREADS", "1")
    monkeypatch.setenv("LLM_FIRST_BYTE_SECONDS", "20")
    app = create_app()
    async with serving(app) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
        until = monotonic() + 20
        while '"name":"gguf","state":"ready"' not in (await client.get("/readyz")).text:
            assert monotonic() < until
            await asyncio.sleep(0.05)
        answer = await client.post(PATH, json=HELLO | {"max_tokens": 3})

    assert answer.headers[ENGINE_HEADER] == "gguf"


def test_without_a_model_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GGUF_MODEL", raising=False)

    with pytest.raises(EngineUnavailable, match="GGUF_MODEL"):
        Gguf.load("gguf", lambda doing, part: None)


@pytest.mark.parametrize("name", ["Qwen/Qwen3-0.6B-GGUF:q8_0", "Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"])
def test_a_model_at_a_hub_is_fetched_alone_of_its_kind(tmp_path: Path, name: str) -> None:
    files = {"Qwen3-0.6B-Q8_0.gguf": b"q8" * 9000, "Qwen3-0.6B-F16.gguf": b"f16" * 9000, "README.md": b"x"}
    with running({"Qwen/Qwen3-0.6B-GGUF": files}) as hub:
        options = HubOptions(hf_endpoint=hub.url, modelscope_endpoint=hub.url, models_dir=tmp_path)
        path = find(name, lambda doing, part: None, options)
        asked_before = len(hub.asked)
        again = find(name, lambda doing, part: None, options)

    assert path == again
    assert path.read_bytes() == files["Qwen3-0.6B-Q8_0.gguf"]
    assert len(hub.asked) == asked_before
    assert not list(tmp_path.rglob("*F16*"))


@pytest.mark.parametrize(
    "name", ["/nowhere/model.gguf", "model.gguf", "owner/name", "../../etc/passwd:x", "a/b/../c.gguf"]
)
def test_a_name_that_is_neither_a_file_nor_at_a_hub_reaches_nobody(tmp_path: Path, name: str) -> None:
    with running({}) as hub:
        with pytest.raises(EngineUnavailable, match="GGUF_MODEL"):
            find(
                name,
                lambda doing, part: None,
                HubOptions(hf_endpoint=hub.url, modelscope_endpoint=hub.url, models_dir=tmp_path),
            )
        assert all("passwd" not in path for path, _ in hub.asked)


async def test_halves_of_characters_take_no_room() -> None:
    out = Handover(asyncio.get_running_loop())

    def make() -> None:
        for _ in range(10 * AHEAD):
            out.put("")
        out.put("bear")

    making = asyncio.create_task(asyncio.to_thread(make))
    async with asyncio.timeout(10):
        assert await out.take() == "bear"
        await making


@pytest.mark.parametrize(
    ("pieces", "stops", "said"),
    [
        (["Hello", " there"], [], "Hello there"),
        ([" ", "\n", " Hi"], [], "Hi"),
        (["one S", "TO", "P two"], ["STOP"], "one "),
        (["one S", "TO", "RE two"], ["STOP"], "one STORE two"),
        (["a b", "c d"], ["d", "bc"], "a "),
        (["a S"], ["STOP"], "a S"),
        (["aab"], ["ab"], "a"),
        (["x"], [""], "x"),
    ],
)
def test_text_up_to_a_stop_however_it_is_cut(pieces: list[str], stops: list[str], said: str) -> None:
    until, out = Until(stops), ""
    for piece in pieces:
        out += until.add(piece)
        if until.found:
            break
    else:
        out += until.rest()

    assert out == said
