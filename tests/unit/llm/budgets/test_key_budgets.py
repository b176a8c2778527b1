from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.errors import TooBusy
from chassis.settings import SettingError
from llm.answer.usage import Tally, tokens_of
from llm.budgets.key_budgets import Accounts
from llm.settings import Settings
from unit.llm.fakes import DONE, EVENT, FakeEngine, ask, service
from unit.llm.request.test_body import asked

WANTED = asked().wanted
USAGE: dict[str, Any] = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
WORD: dict[str, Any] = {"choices": [{"delta": {"content": "hi"}}]}


def counted(engine: str, kind: str, by: str) -> float:
    labels = {"key": "", "engine": engine, "kind": kind, "counted": by}
    return REGISTRY.get_sample_value("talkbox_tokens_total", labels) or 0.0


async def test_a_key_that_has_asked_enough_waits_and_another_does_not() -> None:
    accounts = Accounts(Settings(key_requests="2/day; 100/day"))
    await accounts.admit("bear")
    await accounts.admit("bear")

    with pytest.raises(TooBusy, match="requests") as caught:
        await accounts.admit("bear")
    assert int(caught.value.headers["retry-after"]) >= 1
    await accounts.admit("fox")


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
    ("budget", "code", "longest", "again"),
    [("1/minute", "rate_limit_exceeded", 60, None), ("1/day", "insufficient_quota", 86_400, "false")],
)
async def test_a_budget_spent_is_a_429_in_openais_words(
    budget: str, code: str, longest: int, again: str | None
) -> None:
    app = service(Settings(key_requests=budget), one=FakeEngine(b'{"choices":[]}'))

    assert (await ask(app)).status_code == 200
    response = await ask(app)
    assert (response.status_code, response.json()["error"]["code"]) == (429, code)
    assert longest - 10 <= int(response.headers["retry-after"]) <= longest
    assert response.headers.get("x-should-retry") == again
    assert "requests (1 per 1" in response.json()["error"]["message"]


async def test_one_key_may_have_a_budget_of_its_own_or_none() -> None:
    accounts = Accounts(Settings(key_requests="1/day, bear: 2/day; 50/hour, fox: off"), ["bear", "fox", "key3"])

    async def served(key: str | None) -> int:
        for number in range(5):
            try:
                await accounts.admit(key)
            except TooBusy:
                return number
        return 5

    assert [await served(key) for key in ("bear", "fox", "key3", None)] == [2, 5, 1, 1]


async def test_where_only_one_key_has_a_budget_the_others_have_none() -> None:
    accounts = Accounts(Settings(key_tokens="bear: 10/day"), ["bear", "fox"])
    tally = Tally()
    tally.chunk(USAGE)
    for key in ("bear", "fox"):
        await accounts.note(key, "one", WANTED, tally)

    await accounts.admit("fox")
    with pytest.raises(TooBusy):
        await accounts.admit("bear")


def test_a_budget_for_a_key_that_is_none_is_told(caplog: pytest.LogCaptureFixture) -> None:
    Accounts(Settings(key_requests="1/day, baer: 2/day"), ["bear"])

    assert "LLM_KEY_REQUESTS names 'baer'" in caplog.text
    assert "bear" in caplog.text


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
