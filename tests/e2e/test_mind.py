"""A mind with two upstreams that misbehave, as its owner sets it up: hedged, limited, for the ear."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from e2e.installation import KEY, Installation, until
from fixtures.redis_server import BINARY, RedisServer
from fixtures.tools import needs
from imitations.upstream import MANNERS, Manner, Upstream, in_a_thread

GUEST = "a-key-for-guests"
HEDGE_SECONDS = 0.4
TURN_SECONDS = 3.0
IN_CHINESE = {"stream": True, "model": "any", "messages": [{"role": "user", "content": "讲个故事"}]}


@dataclass
class Mind:
    talkbox: Installation
    first: Upstream
    second: Upstream

    def are(self, first: Manner, second: Manner) -> None:
        """How both answer from now on; nothing is known of them."""
        self.first.manner, self.second.manner = first, second
        self.first.seen.clear()
        self.second.seen.clear()

    def ask(self, key: str = KEY, **changes: Any) -> httpx.Response:
        with self.talkbox.client(headers={"authorization": f"Bearer {key}"}) as client:
            return client.post("/chat/completions", json=IN_CHINESE | changes)

    def state_of(self, engine: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {KEY}"}  # details are for those who have a key
        shown = httpx.get(f"{self.talkbox.url}/status/llm", headers=headers).json()["engines"]
        return next(each for each in shown if each["name"] == engine)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    if BINARY is not None:
        server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[Mind]:
    with in_a_thread(Upstream(models=("a",))) as first, in_a_thread(Upstream(models=("b",))) as second:
        talkbox = Installation(
            tmp_path_factory.mktemp("mind"),
            API_KEYS=f"{KEY},guest:{GUEST}",
            LLM_ENGINES="first,second",
            LLM_FIRST_BASE_URL=first.base_url,
            LLM_SECOND_BASE_URL=second.base_url,
            LLM_FIRST_REQUESTS="1000/minute",
            LLM_HEDGE_SECONDS=str(HEDGE_SECONDS),
            LLM_TURN_SECONDS=str(TURN_SECONDS),
            LLM_FOR_THE_EAR="on",
            LLM_KEY_REQUESTS="guest: 5/minute",
            LLM_BUDGETS_URL=redis.url,
        )
        talkbox.make("up")
        yield Mind(talkbox, first, second)
        talkbox.make("down")


@pytest.fixture
def mind(up: Mind) -> Mind:
    """With a service that has had no trouble yet."""
    up.are(MANNERS["good"], MANNERS["good"])
    before = up.talkbox.pids()["llm"][0]
    up.talkbox.set(LLM_FIRST_REQUESTS=f"{1001 + before % 1000}/minute")  # any change restarts it
    up.talkbox.make("up")
    return up


def words(response: httpx.Response) -> str:
    chunks = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def test_a_silent_upstream_is_joined_by_the_next_and_called_off(mind: Mind) -> None:
    mind.are(MANNERS["silent"], MANNERS["good"])
    began = time.monotonic()
    response = mind.ask()
    took = time.monotonic() - began

    assert response.headers["x-talkbox-engine"] == "second"
    assert words(response) == "Hello there, friend."
    assert took >= HEDGE_SECONDS
    until(lambda: mind.first.left == 1)


def test_who_speaks_in_time_is_not_joined(mind: Mind) -> None:
    assert mind.ask().headers["x-talkbox-engine"] == "first"
    assert mind.second.seen == []


def test_an_upstream_at_its_limit_is_left_alone_as_long_as_it_said_and_the_status_shows_it(mind: Mind) -> None:
    mind.are(MANNERS["429"], MANNERS["good"])
    engines = [mind.ask().headers["x-talkbox-engine"] for _ in range(4)]
    state = mind.state_of("first")

    assert engines == ["second"] * 4
    assert len(mind.first.seen) == 1
    assert state["state"] == "resting"
    assert 0 < state["seconds"] <= 7  # what Retry-After said
    assert "limit" in state["detail"]


def test_an_upstream_that_has_a_rate_is_not_asked_more(mind: Mind) -> None:
    mind.talkbox.set(LLM_FIRST_REQUESTS="2/minute")
    mind.talkbox.make("up")

    assert [mind.ask().headers["x-talkbox-engine"] for _ in range(4)] == ["first", "first", "second", "second"]
    assert len(mind.first.seen) == 2
    assert mind.state_of("first")["state"] == "ready"  # it has done nothing wrong


@pytest.mark.parametrize("trouble", ["500", "headers-then-nothing"])
def test_where_every_engine_fails_that_is_said_in_the_language_of_the_conversation(mind: Mind, trouble: str) -> None:
    mind.are(MANNERS[trouble], MANNERS[trouble])
    for text, chinese in (("讲个故事", True), ("Tell me a story.", False)):
        began = time.monotonic()
        response = mind.ask(messages=[{"role": "user", "content": text}])
        said = words(response)

        assert response.status_code == 200
        assert time.monotonic() - began < 4 * TURN_SECONDS
        assert ("\u4e00" <= said[0] <= "\u9fff") == chinese, said
        assert '"finish_reason":"stop"' in response.text
        assert response.text.endswith("data: [DONE]\n\n")


def test_a_turn_ends_in_time_and_well_however_slow_the_words_come(mind: Mind) -> None:
    mind.are(Manner(tuple(f"word{number} " for number in range(60)), between_seconds=0.2), MANNERS["good"])
    began = time.monotonic()
    response = mind.ask()

    assert TURN_SECONDS - 0.5 < time.monotonic() - began < 4 * TURN_SECONDS  # all words would take as long
    assert "word3" in words(response)
    assert '"finish_reason":"length"' in response.text
    assert response.text.endswith("data: [DONE]\n\n")


def test_the_first_list_of_models_is_complete(mind: Mind) -> None:
    with mind.talkbox.client() as client:
        listed = [model["id"] for model in client.get("/models").json()["data"]]

    assert listed == ["first", "first/a", "second", "second/b"]


@needs(BINARY, "no redis-server on this machine (`apt-get install redis-tools`)")
def test_workers_share_the_budget_of_a_key(mind: Mind) -> None:
    mind.talkbox.make("scale", "llm=2")
    statuses = [mind.ask(GUEST, stream=False, response_format={"type": "json_object"}).status_code for _ in range(9)]
    others = [mind.ask(stream=False).status_code for _ in range(9)]
    mind.talkbox.make("scale", "llm=1")

    assert statuses == [200] * 5 + [429] * 4
    assert others == [200] * 9
