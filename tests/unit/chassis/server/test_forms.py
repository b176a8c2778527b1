"""Forms as many clients really send them."""

from typing import Any, Literal

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.forms import parse_form
from chassis.settings import ServiceSettings
from unit.chassis.fakes import FakeEngine, chain_of, client


class Toys(msgspec.Struct, omit_defaults=True):
    name: str = "bear"
    size: float = 1.0
    loud: bool = False
    kind: Literal["soft", "hard"] = "soft"
    parts: tuple[Literal["ear", "eye"], ...] = ()
    friends: tuple[str, ...] = ()


async def toys(request: Request) -> Response:
    async with parse_form(request, Toys) as (fields, files):
        found = {name: (await file.read()).decode() for name, file in files.items()}
        return JSONResponse({"fields": msgspec.to_builtins(fields), "files": found})


def service_of_toys() -> Starlette:
    return create_service(
        ServiceSettings(engines=("a",)),
        chain_of(a=FakeEngine()),
        [Route("/form", toys, methods=["POST"])],
        keys=KeyOptions(),
    )


async def post(**request: Any) -> httpx.Response:
    app = service_of_toys()
    async with client(app) as http:
        return await http.post("/form", **request)


async def fields(**data: Any) -> Any:
    """Return what becomes of these fields; a name with brackets is written with two underscores."""
    named = {name.replace("__", "[", 1).replace("__", "]") if "__" in name else name: v for name, v in data.items()}
    response = await post(data=named, files={"file": b"x", "other": b"x"})
    assert response.status_code == 200, response.text
    return response.json()["fields"]


async def test_a_file_part_without_a_filename_was_not_a_file() -> None:
    for part in ((None, b"sound"), ("语音.wav", b"sound"), ("", b"sound")):
        response = await post(files={"file": part})
        assert response.json()["files"] == {"file": "sound"}


async def test_a_hand_made_body_without_a_filename_is_understood() -> None:
    body = (
        b'--cut\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: audio/wav\r\n\r\nsound\r\n'
        b"--cut\r\nContent-Disposition: form-data; name=name\r\n\r\nfox\r\n--cut--\r\n"
    )

    response = await post(content=body, headers={"content-type": "multipart/form-data; boundary=cut"})

    assert response.json() == {"fields": {"name": "fox"}, "files": {"file": "sound"}}


@pytest.mark.parametrize("empty", ["", " ", "null", "None", "undefined"])
@pytest.mark.parametrize("name", ["size", "loud", "kind", "parts[]"])
async def test_an_optional_field_that_was_left_empty_was_refused(name: str, empty: str) -> None:
    assert await fields(**{name: empty}) == {}


async def test_free_text_may_be_any_word_but_not_empty() -> None:
    assert await fields(name="None") == {"name": "None"}
    assert await fields(name="") == {}


@pytest.mark.parametrize(
    "data",
    [
        {"parts": ["ear", "eye"]},
        {"parts[]": ["ear", "eye"]},
        {"parts[0]": "ear", "parts[1]": "eye"},
        {"parts": "ear,eye"},
        {"parts": " ear, EYE "},
        {"parts": '["ear", "eye"]'},
        {"parts[]": "['ear', 'eye']"},
    ],
)
async def test_a_list_is_understood_however_it_is_written(data: dict[str, Any]) -> None:
    assert await fields(**data) == {"parts": ["ear", "eye"]}


async def test_free_text_in_a_list_keeps_its_commas() -> None:
    assert await fields(friends="data:audio/wav;base64,AAAA") == {"friends": ["data:audio/wav;base64,AAAA"]}
    assert await fields(friends='["小熊", "a,b"]') == {"friends": ["小熊", "a,b"]}
    assert await fields(friends="[not json]") == {"friends": ["[not json]"]}


@pytest.mark.parametrize(("written", "loud"), [("yes", True), ("ON", True), ("1", True), ("True", True), ("no", False)])
async def test_a_switch_is_understood_however_it_is_written(written: str, loud: bool) -> None:
    assert (await fields(loud=written)).get("loud", False) is loud


async def test_names_and_numbers_are_tidied() -> None:
    assert await fields(kind=" HARD ", size="0.2 ") == {"kind": "hard", "size": 0.2}


@pytest.mark.parametrize("data", [{"kind": "liquid"}, {"parts": "ear,tail"}, {"size": "large"}, {"loud": "perhaps"}])
async def test_what_is_none_of_the_allowed_names_says_which_there_are(data: dict[str, str]) -> None:
    response = await post(data=data, files={"file": b"x", "other": b"x"})

    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, next(iter(data)))
    if "kind" in data:
        assert "none of hard, soft" in error["message"]
        assert error["code"] == "unsupported_value"


async def test_a_field_that_nobody_filled_gives_way_to_the_file_wherever_it_stands() -> None:
    for files in (["", "sound"], ["sound", ""]):
        response = await post(files=[("file", ("a.wav", sound.encode())) for sound in files])
        assert response.json()["files"] == {"file": "sound"}


async def test_a_file_under_another_name_is_named() -> None:
    response = await post(files={"audio": b"x"})

    assert response.status_code == 400
    assert response.json()["error"] == {
        "message": "Missing required parameter: 'file'. A file came as 'audio'; call that part 'file'.",
        "type": "invalid_request_error",
        "param": "file",
        "code": None,
    }


@pytest.mark.parametrize(
    ("content_type", "headers", "message"),
    [
        ("multipart/form-data", {}, "Leave that header to your HTTP client"),
        ("multipart/form-data; boundary=another", {}, "boundary 'another'"),
        ("multipart/form-data; boundary=another", {"content-encoding": "gzip"}, "Send it as it is"),
    ],
)
async def test_what_is_wrong_with_a_body_is_said_with_the_remedy(
    content_type: str, headers: dict[str, str], message: str
) -> None:
    body = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsound\r\n--cut--\r\n'
    response = await post(content=body, headers={"content-type": content_type, **headers})

    assert response.status_code == 400
    assert message in response.json()["error"]["message"]
