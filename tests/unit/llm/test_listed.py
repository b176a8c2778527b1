import asyncio

import pytest

from chassis.errors import EngineFailed
from chassis.rows import Row
from imitations.upstream import Upstream
from llm.engines.openai import OpenAI
from llm.listed import MOST, Listed, names_in
from llm.settings import RelayOptions


async def test_what_an_upstream_reports_is_listed_beside_the_operators_model_and_asked_once() -> None:
    async with Upstream(models=("a", "b", "c")) as upstream:
        made = OpenAI(Row("up", upstream.base_url, "k", model="b"), RelayOptions())
        shown = [made.models]
        await made._listed.refreshed()
        shown += [made.models, made.models]
        await made.aclose()

    assert shown == [("b",), ("b", "a", "c"), ("b", "a", "c")]
    assert upstream.listed == 1


async def test_where_the_operator_listed_models_nobody_is_asked() -> None:
    async with Upstream(models=("a",)) as upstream:
        made = OpenAI(Row("up", upstream.base_url, "k", models=("x",)), RelayOptions())
        assert made.models == ("x",)
        await made.aclose()

    assert upstream.listed == 0


@pytest.mark.parametrize("refused", [EngineFailed("404"), TimeoutError(), ValueError()])
async def test_an_upstream_that_tells_nothing_is_no_trouble(refused: Exception) -> None:
    async def ask() -> bytes:
        raise refused

    listed = Listed(ask)
    assert listed.names() == ()
    await listed.refreshed()
    assert listed.names() == ()


async def test_a_list_that_never_comes_holds_up_nobody_and_ends_with_the_service() -> None:
    listed = Listed(asyncio.Event().wait)  # type: ignore[arg-type]

    assert listed.names() == listed.names() == ()
    await listed.aclose()


def test_a_list_is_bounded_and_must_be_one() -> None:
    many = b",".join(b'{"id":"m%d"}' % number for number in range(MOST + 5))
    assert len(names_in(b'{"data":[%s]}' % many)) == MOST
    assert names_in(b'{"data":[{"id":"a"},{"id":"a"},{"id":""},{"id":"%s"},{"id":"x\\n"}]}' % (b"y" * 201)) == ("a",)
    for other in (b"<html>", b'{"data":5}', b"[]"):
        with pytest.raises(ValueError):  # noqa: PT011  (whatever it is that is wrong)
            names_in(other)
