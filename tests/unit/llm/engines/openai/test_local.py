import asyncio
from pathlib import Path

import pytest

from chassis.errors import EngineUnavailable
from imitations.upstream import Manner, Upstream
from llm.engines.openai.engine import OpenAIChat
from llm.engines.openai.local import Local, LocalServer, Place, around, find
from unit.llm.engines.openai.test_engine import asked


def loaded(*places: Place) -> OpenAIChat:
    return Local.load("local", lambda doing, part: None, places)


def place(provider: str, upstream: Upstream) -> Place:
    return provider, "127.0.0.1", upstream.port


async def test_the_first_server_that_has_a_model_to_talk_with_is_found() -> None:
    talking = Upstream(models=("nomic-embed-text", "qwen3:0.6b"))
    async with Upstream() as silent, Upstream(models=("nomic-embed-text",)) as deaf, talking as talker:
        places = [place("vllm", silent), place("lmstudio", deaf), place("ollama", talker)]
        server = await asyncio.to_thread(find, places)

    assert server == LocalServer("ollama", talker.base_url, ("qwen3:0.6b",))


async def test_where_there_is_none_it_is_looked_for_again() -> None:
    async with Upstream(models=("companion",)) as talkbox, Upstream(models=()) as empty:
        with pytest.raises(EngineUnavailable, match=f"ollama at 127.0.0.1:{empty.port}") as caught:
            await asyncio.to_thread(find, [place("vllm", talkbox), place("ollama", empty)])

    assert caught.value.retry_seconds == 30


async def test_what_is_found_is_asked_by_the_habits_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_LOCAL_THINKING", "off")
    async with Upstream(Manner(), models=("qwen3:0.6b",)) as upstream:
        engine = await asyncio.to_thread(loaded, place("ollama", upstream))
        assert [piece async for piece in engine.chat(asked())]
        await engine.aclose()

    assert upstream.seen[0].json["model"] == "qwen3:0.6b"
    assert upstream.seen[0].json["reasoning_effort"] == "none"


async def test_a_row_the_operator_called_local_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_LOCAL_BASE_URL", "http://gpu:8000/v1")

    engine = loaded()
    assert engine.row.base_url == "http://gpu:8000/v1"
    await engine.aclose()


def test_in_a_container_it_looks_beside_it_and_at_dockers_host(tmp_path: Path) -> None:
    assert {host for _, host, _ in around([tmp_path / "none"])} == {"127.0.0.1"}
    places = around([tmp_path])
    assert [host for _, host, _ in places][:3] == ["ollama", "llamacpp", "host.docker.internal"]
    assert places[-1] == ("llamacpp", "127.0.0.1", 8088)  # what was started natively in a container
    assert ("vllm", "127.0.0.1", 8000) not in places  # there it is itself


def test_a_new_installation_asks_it_between_the_configured_ones_and_the_companion() -> None:
    example = (Path(__file__).parents[5] / ".env.example").read_text()

    assert "\nLLM_ENGINES=openai,local,companion\n" in example
