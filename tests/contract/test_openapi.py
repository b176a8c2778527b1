"""Each service's own description of itself: a valid document, and what it says of requests and refusals is so."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from unit.llm import fakes as llm
from unit.stt import fakes as stt
from unit.tts import fakes as tts

SERVICES: dict[str, Starlette] = {}
DOCUMENTS: dict[str, dict[str, Any]] = {}
BOUNDED = settings(max_examples=25, suppress_health_check=list(HealthCheck))
PATHS = {"stt": "/v1/audio/transcriptions", "llm": "/v1/chat/completions", "tts": "/v1/audio/speech"}


def app(service: str) -> Starlette:
    """The real app around an engine that answers at once."""
    if not SERVICES:
        SERVICES["stt"] = stt.service(stt.FakeEngine(*stt.HELLO))
        SERVICES["llm"] = llm.service(one=llm.FakeEngine(b'{"choices":[]}'))
        SERVICES["tts"] = tts.service(fake=tts.FakeEngine(tts.hum(0.1)))
    return SERVICES[service]


def client(service: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app(service)), base_url="http://service")


async def document(service: str) -> dict[str, Any]:
    async with client(service) as http:
        answer = await http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("service", PATHS)
async def test_the_document_is_whole_and_its_schemas_are_valid(service: str) -> None:
    found = await document(service)

    assert found["openapi"].startswith("3.1.")
    assert {"/healthz", "/readyz", "/v1/models", PATHS[service], "/openapi.json"} <= found["paths"].keys()
    assert not {"/authorized", "/v1/audio/speech/ahead"} & found["paths"].keys(), "the proxy passes neither on"
    schemas = found["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert {reference.rpartition("/")[2] for reference in references(found)} <= schemas.keys()
    ids = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    assert len(set(ids)) == len(ids)


async def test_a_form_names_its_file() -> None:
    form = (await document("stt"))["components"]["schemas"]["TranscriptionRequest"]

    assert form["properties"]["file"] == {"type": "string", "format": "binary"}
    assert "file" in form["required"]


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("llm", {"model": "m", "stream": False, "messages": [{"role": "user", "content": "Hello"}], "n": 1}),
        ("tts", {"model": "tts-1", "voice": "alloy", "input": "Hello", "speed": 1.5}),
    ],
)
async def test_what_is_answered_is_a_valid_body_of_the_document(service: str, body: dict[str, Any]) -> None:
    found = await document(service)
    operation = found["paths"][PATHS[service]]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"] | {"components": found["components"]}

    jsonschema.validate(body, schema)
    async with client(service) as http:
        answer = await http.post(PATHS[service], json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] in operation["responses"]["200"]["content"]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def bodies(service: str) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies with any of the fields that the service knows, most of them wrong."""
    from llm.wire import ChatRequest
    from tts.wire import SpeechRequest

    kind = {"llm": ChatRequest, "tts": SpeechRequest}[service]
    right = {
        "messages": st.just([{"role": "user", "content": "Hello"}]),
        "input": st.just("Hello"),
        "model": st.just("m"),
    }
    fields = {
        name: (right[name] | ANYTHING if name in right else ANYTHING)
        for name in kind.__struct_fields__
        if name != "stream"
    }
    return st.fixed_dictionaries({}, optional=fields)


async def refused_or_answered(service: str, **sent: Any) -> None:
    """Whatever was sent: an answer, or a refusal that the document names, in the one shape of errors."""
    if service not in DOCUMENTS:
        DOCUMENTS[service] = await document(service)
    found = DOCUMENTS[service]
    async with client(service) as http:
        answer = await http.post(PATHS[service], **sent)
    assert str(answer.status_code) in found["paths"][PATHS[service]]["post"]["responses"]
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        refusal = found["components"]["schemas"]["Refusal"] | {"components": found["components"]}
        jsonschema.validate(answer.json(), refusal)


@BOUNDED
@given(body=bodies("llm"))
async def test_no_chat_of_any_shape_is_an_error_of_ours(body: dict[str, Any]) -> None:
    await refused_or_answered("llm", json=body)


@BOUNDED
@given(body=bodies("tts"))
async def test_no_speech_of_any_shape_is_an_error_of_ours(body: dict[str, Any]) -> None:
    await refused_or_answered("tts", json=body)


@BOUNDED
@given(
    body=st.binary(max_size=64), media_type=st.sampled_from(["application/json", "multipart/form-data; boundary=b", ""])
)
@pytest.mark.parametrize("service", PATHS)
async def test_no_bytes_are_an_error_of_ours(service: str, body: bytes, media_type: str) -> None:
    await refused_or_answered(service, content=body, headers={"content-type": media_type})


FIELD = st.tuples(
    st.sampled_from(
        ["model", "language", "prompt", "response_format", "temperature", "stream", "include[]", "languages"]
    ),
    st.text(max_size=12),
)


@BOUNDED
@given(fields=st.lists(FIELD, max_size=4), sound=st.just(stt.SPEECH) | st.binary(max_size=64))
async def test_no_form_of_any_shape_is_an_error_of_ours(fields: list[tuple[str, str]], sound: bytes) -> None:
    await refused_or_answered("stt", data=dict(fields), files={"file": ("a.wav", sound)})
