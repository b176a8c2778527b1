import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from chassis.errors import ApiError, BadRequest, EngineBusy, NotReady, TooBusy, respond
from unit.chassis.fakes import FakeEngine, chain_of, client, service


def answer(exc: Exception) -> tuple[int, dict[str, Any], Any]:
    response = respond(Request({"type": "http", "method": "GET", "path": "/", "headers": []}), exc)
    return response.status_code, json.loads(bytes(response.body))["error"], response.headers


@pytest.mark.parametrize(
    "exc", [ApiError("x"), BadRequest("x"), TooBusy("x"), HTTPException(405, "x"), HTTPException(404), KeyError("x")]
)
def test_every_error_has_all_four_keys_of_the_right_types(exc: Exception) -> None:
    _, body, _ = answer(exc)

    assert set(body) == {"message", "type", "param", "code"}
    assert body["message"]
    assert body["type"]
    assert all(body[key] is None or isinstance(body[key], str) for key in ("param", "code"))


def test_an_unknown_exception_says_nothing_of_itself() -> None:
    status, body, _ = answer(RuntimeError("secret of /srv/app.py"))

    assert status == 500
    assert "secret" not in json.dumps(body)


def test_a_wrong_method_is_told_the_right_one() -> None:
    status, body, headers = answer(HTTPException(405, headers={"Allow": "POST"}))

    assert status == 405
    assert headers["allow"] == "POST"
    assert "POST" in body["message"]


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (7.1, "8"), (900, "60")])
def test_retry_after_is_a_whole_number_from_1_to_60(seconds: float, header: str) -> None:
    for kind in (TooBusy, NotReady, EngineBusy):
        _, _, headers = answer(kind("x", retry_after=seconds))
        assert headers["retry-after"] == header


async def test_a_bug_in_a_handler_is_a_500_with_a_request_id() -> None:
    chain = chain_of(a=FakeEngine())
    app = service(chain)
    chain.pick = None  # type: ignore[assignment, method-assign]

    async with client(app) as http:
        response = await http.post("/v1/echo")

    assert response.status_code == 500
    assert response.headers["x-request-id"]
    assert response.json()["error"]["type"] == "server_error"
