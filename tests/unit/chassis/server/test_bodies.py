import gzip
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.bodies import invalid, parse_json
from chassis.server.forms import parse_form
from fixtures.small_disk import fill, small_disk
from unit.chassis.fakes import EchoSettings, FakeEngine, chain_of, client


class Part(msgspec.Struct):
    role: str


class Chat(msgspec.Struct):
    model: str
    parts: list[Part] = []


class Upload(msgspec.Struct):
    model: str
    temperature: float = 0
    stream: bool = False
    names: tuple[str, ...] = ()


async def as_json(request: Request) -> Response:
    return JSONResponse(msgspec.to_builtins(await parse_json(request, Chat)))


async def as_form(request: Request) -> Response:
    async with parse_form(request, Upload) as (fields, files):
        contents = {name: (await file.read()).decode() for name, file in files.items()}
    return JSONResponse({"fields": msgspec.to_builtins(fields), "files": contents})


ROUTES = [Route("/json", as_json, methods=["POST"]), Route("/form", as_form, methods=["POST"])]


class BigSettings(EchoSettings, frozen=True, kw_only=True):
    max_body_bytes: int = 4 * 2**20


async def post(path: str, **how: Any) -> httpx.Response:
    app = create_service(BigSettings(), chain_of(a=FakeEngine()), ROUTES, keys=KeyOptions())
    async with client(app) as http:
        return await http.post(path, **how)


async def test_json_is_read_and_unknown_fields_are_ignored() -> None:
    response = await post("/json", json={"model": "m", "parts": [{"role": "user"}], "new": {"deep": 1}})

    assert response.json() == {"model": "m", "parts": [{"role": "user"}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model": 5}', "model"),
        (b"{}", "model"),
        (b'{"model": "m", "parts": [{"role": "a"}, {"role": 1}]}', "parts[1].role"),
        (b'{"model": "m", "parts": [{}]}', "parts[0].role"),
        (b"[]", None),
        (b"", None),
        (b'{"model": "\xff"}', None),
        (b'{"model": NaN}', None),
        (b'{"model": "\\ud800"}', None),
        (b'{"model": "m", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", None),
    ],
)
async def test_json_that_is_wrong_is_400_and_names_the_field(body: bytes, param: str | None) -> None:
    response = await post("/json", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("value", "wording"),
    [
        ({}, "Object missing required field `model`"),
        ({"model": "m", "parts": [{}]}, "Object missing required field `role` - at `$.parts[0]`"),
        ({"model": 5}, "Expected `str`, got `int` - at `$.model`"),
    ],
)
def test_msgspec_words_its_errors_as_the_path_is_read_from_them(value: object, wording: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(value, Chat)

    assert str(raised.value) == wording
    assert invalid(raised.value).body["param"] in ("model", "parts[0].role")


class Odd(msgspec.Struct):
    tuple_of_names: Literal["tuple", "list"] = "list"
    names: Annotated[tuple[str, ...], msgspec.Meta(max_length=2)] = ()


async def test_a_field_takes_several_values_by_its_type_and_not_by_a_word_in_it() -> None:
    async def odd(request: Request) -> Response:
        async with parse_form(request, Odd, files=()) as (fields, _):
            return JSONResponse(msgspec.to_builtins(fields))

    app = create_service(
        BigSettings(), chain_of(a=FakeEngine()), [Route("/odd", odd, methods=["POST"])], keys=KeyOptions()
    )
    async with client(app) as http:
        response = await http.post("/odd", data={"tuple_of_names": "tuple", "names": "c"}, files={"other": b"x"})

    assert response.json() == {"tuple_of_names": "tuple", "names": ["c"]}


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
async def test_every_form_of_the_json_content_type_is_accepted(media_type: str) -> None:
    assert (await post("/json", content=b'{"model": "m"}', headers={"content-type": media_type})).status_code == 200


async def test_a_byte_order_mark_before_json_is_no_part_of_it() -> None:
    assert (await post("/json", content=b'\xef\xbb\xbf{"model": "m"}')).json()["model"] == "m"


async def test_a_compressed_body_is_called_what_it_is() -> None:
    response = await post("/json", content=gzip.compress(b'{"model": "m"}'), headers={"content-encoding": "gzip"})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "unsupported_content_encoding")
    assert "gzip" in response.json()["error"]["message"]


async def test_another_content_type_is_refused_by_name() -> None:
    for path, media_type in (("/json", "text/plain"), ("/form", "application/json")):
        response = await post(path, content=b"{}", headers={"content-type": media_type})
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "unsupported_content_type"


async def test_a_form_gives_typed_fields_lists_with_and_without_brackets_and_files() -> None:
    response = await post(
        "/form",
        data={"model": "m", "temperature": "0.5", "stream": "false", "names[]": ["a", "b"], "names": "c", "more": "x"},
        files={"file": ("语音.wav", b"sound")},
    )

    assert response.json() == {
        "fields": {"model": "m", "temperature": 0.5, "stream": False, "names": ["a", "b", "c"]},
        "files": {"file": "sound"},
    }


@pytest.mark.parametrize(("data", "param"), [({}, "model"), ({"model": "m", "temperature": "warm"}, "temperature")])
async def test_a_form_that_is_wrong_is_400_and_names_the_field(data: dict[str, str], param: str) -> None:
    response = await post("/form", data=data, files={"other": b"x"})

    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=abc"]
)
async def test_a_form_without_its_boundary_is_400(content_type: str) -> None:
    response = await post("/form", content=b"--xyz\r\nrubbish", headers={"content-type": content_type})

    assert response.status_code == 400
    assert response.json()["error"]["message"]


WHOLE = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n'
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
)


@pytest.mark.parametrize("length", range(len(WHOLE) - 4))
async def test_a_form_that_is_cut_short_anywhere_is_400(length: int) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}

    assert (await post("/form", content=WHOLE, headers=headers)).status_code == 200
    assert (await post("/form", content=WHOLE[:length], headers=headers)).status_code == 400


@pytest.mark.parametrize("charset", ["undefined", "idna", "hex", "no-such", "utf-16"])
async def test_an_odd_charset_is_no_error_of_ours(charset: str) -> None:
    headers = {"content-type": f"multipart/form-data; charset={charset}; boundary=b"}

    assert (
        await post("/form", content=WHOLE.replace(b"m\r\n--b--", b"\xff..\r\n--b--"), headers=headers)
    ).status_code < 500


async def test_a_full_disk_is_a_503_that_says_so_and_is_over_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload: dict[str, Any] = {"data": {"model": "m"}, "files": {"file": b"x" * 3 * 2**20}}
    with small_disk(tmp_path / "tmp", megabytes=4) as small:
        monkeypatch.setattr("tempfile.tempdir", str(small))
        fill(small)
        refused = await post("/form", **upload)
        (small / "filler").unlink()
        taken = await post("/form", **upload)

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "disk_full"
    assert "disk" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"] == "5"
    assert taken.status_code == 200
