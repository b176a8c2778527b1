import asyncio

import pytest

from chassis.errors import EngineFailed
from chassis.upstream.settings import Row
from imitations.upstream import Upstream
from llm.engines.openai.engine import OpenAIChat
from llm.engines.openai.model_list import FIRST_SECONDS, Listed
from llm.settings import RelayOptions
from unit.llm.fakes import client_of, service


async def test_what_an_upstream_reports_is_listed_beside_the_operators_model_and_asked_once() -> None:
    async with Upstream(models=("a", "b", "c")) as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, "k", model="b"), RelayOptions())
        shown = [made.models]
        for _ in range(3):
            await made.ask_for_models()
            shown.append(made.models)
        await made.aclose()

    assert shown == [("b",), *[("b", "a", "c")] * 3]
    assert upstream.listed == 1


async def test_the_first_who_asks_sees_all_that_upstreams_report_however_many_ask() -> None:
    async with Upstream(models=("a",)) as one, Upstream(models=("b",)) as other, Upstream() as untold:
        engines = [OpenAIChat(Row("up", each.base_url, "k"), RelayOptions()) for each in (one, other, untold)]
        app = service(one=engines[0], other=engines[1], untold=engines[2])
        async with client_of(app) as client:
            answers = await asyncio.gather(*(client.get("/v1/models") for _ in range(5)))
            found = await client.get("/v1/models/other/b")
        for engine in engines:
            await engine.aclose()

    for answer in answers:
        assert [model["id"] for model in answer.json()["data"]] == ["one", "one/a", "other", "other/b", "untold"]
    assert found.status_code == 200
    assert (one.listed, other.listed, untold.listed) == (1, 1, 1)


async def test_where_the_operator_listed_models_nobody_is_asked() -> None:
    async with Upstream(models=("a",)) as upstream:
        made = OpenAIChat(Row("up", upstream.base_url, "k", models=("x",)), RelayOptions())
        await made.ask_for_models()
        assert made.models == ("x",)
        await made.aclose()

    assert upstream.listed == 0


@pytest.mark.parametrize("refused", [EngineFailed("404"), TimeoutError(), ValueError()])
async def test_an_upstream_that_tells_nothing_is_no_trouble_and_not_asked_again_at_once(refused: Exception) -> None:
    asked = 0

    async def ask() -> bytes:
        nonlocal asked
        asked += 1
        raise refused

    listed = Listed(ask)
    await listed.refresh()
    await listed.refresh()
    assert (listed.names, asked) == ((), 1)


async def test_a_list_that_never_comes_is_waited_for_once_and_not_for_long() -> None:
    listed = Listed(asyncio.Event().wait)  # type: ignore[arg-type]
    first = asyncio.gather(*(listed.refresh() for _ in range(5)))
    await asyncio.sleep(FIRST_SECONDS / 2)
    assert not first.done()
    async with asyncio.timeout(30):
        await first
    later = asyncio.create_task(listed.refresh())
    await asyncio.sleep(0)
    assert later.done()
    await listed.aclose()

    assert listed.names == ()
