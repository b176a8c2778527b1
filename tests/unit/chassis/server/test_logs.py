import json
import logging
from collections.abc import Iterator

import pytest

from chassis.errors import EngineFailed
from chassis.request_id import request_id
from chassis.server.log_lines import JsonLines
from chassis.server.logs import log
from unit.chassis.fakes import FakeEngine, chain_of, client, service


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


async def test_a_request_is_one_json_line_with_its_id_engine_key_and_times(lines: Lines) -> None:
    async with client(service(chain_of(espeak=FakeEngine()), "house:secret")) as http:
        response = await http.post(
            "/v1/echo", content=b"the words", headers={"authorization": "Bearer secret", "x-request-id": "abc-1"}
        )

    requests = [json.loads(text) for text in lines.texts if json.loads(text)["message"] == "request"]
    assert response.headers["x-request-id"] == "abc-1"
    assert len(requests) == 1
    wanted = {"method": "POST", "path": "/v1/echo", "status": 200, "engine": "espeak", "key": "house"}
    assert wanted.items() <= requests[0].items()
    assert requests[0]["request_id"] == "abc-1"
    assert requests[0]["seconds"] >= requests[0]["first_byte_seconds"] >= 0
    assert "secret" not in "".join(lines.texts)
    assert "the words" not in "".join(lines.texts)


@pytest.mark.parametrize("asked", ["", "x" * 200, "a b", "é"])
async def test_an_id_that_cannot_be_used_is_replaced(asked: str) -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        response = await http.post("/v1/echo", headers={b"x-request-id": asked.encode()})

    assert response.headers["x-request-id"] not in ("", asked)


async def test_every_answer_has_an_id_of_its_own_errors_too() -> None:
    async with client(service(chain_of(a=FakeEngine(error=EngineFailed("x"))))) as http:
        ids = {(await http.post(path)).headers["x-request-id"] for path in ("/v1/echo", "/v1/echo", "/nothing")}

    assert len(ids) == 3


async def test_an_engine_can_learn_the_id() -> None:
    seen = []

    class Asking(FakeEngine):
        async def speak(self, model: str | None = None):  # type: ignore[no-untyped-def]
            seen.append(request_id.get())
            yield b"x"

    async with client(service(chain_of(a=Asking()))) as http:
        await http.post("/v1/echo", headers={"x-request-id": "from-the-toy"})

    assert seen == ["from-the-toy"]


async def test_an_error_line_holds_the_trace_the_caller_does_not_see(lines: Lines) -> None:
    chain = chain_of(a=FakeEngine())
    app = service(chain)
    chain.pick = None  # type: ignore[assignment, method-assign]

    async with client(app) as http:
        await http.post("/v1/echo")

    line = next(json.loads(text) for text in lines.texts if json.loads(text)["message"] == "request")
    assert line["level"] == "error"
    assert "TypeError" in line["trace"]
