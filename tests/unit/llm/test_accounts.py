from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.errors import TooBusy
from chassis.settings import SettingError
from llm.accounts import Accounts
from llm.answer.usage import Tally, tokens_of
from llm.settings import Settings
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service
from unit.llm.request.test_body import asked

WANTED = asked().wanted
USAGE: dict[str, Any] = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
WORD: dict[str, Any] = {"choices": [{"delta": {"content": "hi"}}]}


def counted(engine: str, kind: str, by: str) -> float:
    labels = {"key": "", "engine": engine, "kind": kind, "counted": by}
    return REGISTRY.get_sample_value("talkbox_tokens_total", labels) or 0.0


async def test_a_key_that_has_cost_enough_waits() -> None:
    accounts = Accounts(Settings(key_tokens="10/day"))
    tally = Tally()
    tally.chunk(USAGE)
    await accounts.admit("bear")
    await accounts.note("bear", "one", WANTED, tally)

    with pytest.raises(TooBusy, match="tokens"):
        await accounts.admit("bear")


def test_a_budget_that_cannot_be_understood_is_told() -> None:
    with pytest.raises(SettingError, match="LLM_KEY_TOKENS"):
        Accounts(Settings(key_tokens="plenty"))


@pytest.mark.parametrize(
    ("budget", "code", "waits", "again"),
    [
        ("1/minute", "rate_limit_exceeded", (50, 60), None),
        ("1/day", "insufficient_quota", (1, 90_000), "false"),  # until midnight; a day may have 25 hours
    ],
)
async def test_a_budget_spent_is_a_429_in_openais_words(
    budget: str, code: str, waits: tuple[int, int], again: str | None
) -> None:
    app = service(Settings(key_requests=budget), one=FakeEngine(b'{"choices":[]}'))

    assert (await ask(app)).status_code == 200
    response = await ask(app)
    assert (response.status_code, response.json()["error"]["code"]) == (429, code)
    assert waits[0] <= int(response.headers["retry-after"]) <= waits[1]
    assert response.headers.get("x-should-retry") == again
    assert "requests (1 per 1" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("chunk", "told"),
    [
        (USAGE, (7, 3)),
        ({"choices": [{"usage": {"prompt_tokens": 7, "completion_tokens": 3}}]}, (7, 3)),
        ({"choices": [{}], "usage": None}, None),
        ({"choices": [], "usage": {"strange": []}}, None),
        ({"choices": [], "usage": {"prompt_tokens": "7"}}, None),
    ],
)
def test_usage_is_found_where_upstreams_put_it(chunk: dict[str, Any], told: tuple[int, int] | None) -> None:
    tally = Tally()
    tally.chunk(WORD)
    tally.chunk(chunk)

    assert (tally.told and (tally.told.prompt_tokens, tally.told.completion_tokens)) == told


async def test_what_an_answer_cost_is_counted_as_told_else_estimated() -> None:
    accounts = Accounts(Settings())
    told, untold = Tally(), Tally()
    told.chunk(USAGE)
    for _ in range(9):
        untold.chunk(WORD)
    before = counted("told", "completion", "upstream"), counted("untold", "completion", "estimate")
    await accounts.note(None, "told", WANTED, told)
    await accounts.note(None, "untold", WANTED, untold)

    assert counted("told", "completion", "upstream") == before[0] + 3
    assert counted("untold", "completion", "estimate") == before[1] + 9


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("hello there bear", 4), ("你好小熊", 4), ("你好 hello", 4)])
def test_about_how_many_tokens_a_text_is(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens


async def test_an_answer_passes_untouched_while_it_is_counted() -> None:
    response = await ask(service(Settings(key_tokens="100/day"), one=FakeEngine(EVENT, DONE)), stream=True)

    assert response.content == EVENT + DONE
