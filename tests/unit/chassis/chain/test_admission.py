import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import TooBusy
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from unit.chassis.fakes import EchoSettings, FakeEngine, client


async def test_those_who_wait_are_served_in_the_order_they_came() -> None:
    admission = Admission(1, 5, 5)
    since = await admission.enter()
    served: list[int] = []

    async def wait(number: int) -> None:
        entered = await admission.enter()
        served.append(number)
        admission.leave(entered)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert admission.waiting == 3
    admission.leave(since)
    await asyncio.gather(*waiting)

    assert served == [0, 1, 2]
    assert admission.running == 0


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    admission = Admission(1, 0, 5)
    await admission.enter()

    with pytest.raises(TooBusy) as raised:
        await admission.enter()

    assert int(raised.value.headers["retry-after"]) >= 1


async def test_who_would_wait_longer_than_patience_is_refused_at_once() -> None:
    admission = Admission(1, 100, 2)
    admission.mean_seconds = 1.5
    await admission.enter()
    first = asyncio.create_task(admission.enter())
    await asyncio.sleep(0)

    with pytest.raises(TooBusy):
        admission.check()

    first.cancel()


async def test_who_waits_in_vain_is_refused_and_leaves_no_trace() -> None:
    admission = Admission(1, 5, 0.02)
    since = await admission.enter()

    with pytest.raises(TooBusy):
        await admission.enter()
    assert admission.waiting == 0
    admission.leave(since)

    assert admission.running == 0


async def test_a_place_given_to_someone_who_just_left_goes_to_the_next() -> None:
    admission = Admission(1, 5, 5)
    since = await admission.enter()
    leaver, stayer = asyncio.create_task(admission.enter()), asyncio.create_task(admission.enter())
    await asyncio.sleep(0)

    admission.leave(since)
    leaver.cancel()
    await asyncio.wait({leaver})

    admission.leave(await stayer)
    assert admission.running == 0


async def test_a_place_that_becomes_free_as_someone_gives_up_is_nobodys_error() -> None:
    admission = Admission(1, 5, 5)
    since = await admission.enter()
    leaver = asyncio.create_task(admission.enter())
    await asyncio.sleep(0)

    leaver.cancel()
    admission.leave(since)
    await asyncio.wait({leaver})

    assert leaver.cancelled()
    assert (admission.running, admission.waiting) == (0, 0)


async def test_the_door_refuses_before_the_handler_reads_the_body() -> None:
    chain = Chain([Seat.of("a", FakeEngine())], admission=Admission(1, 0, 1))
    await chain.admission.enter()

    async def handler(request: Request) -> Response:
        raise AssertionError("it was let in")

    routes = [Route("/v1/echo", handler, methods=["POST"])]
    async with client(create_service(EchoSettings(), chain, routes, keys=KeyOptions())) as http:
        response = await http.post("/v1/echo", content=b"x")

    assert response.status_code == 429
    assert response.json()["error"]["code"] == "rate_limit_exceeded"
    assert response.headers["retry-after"]
