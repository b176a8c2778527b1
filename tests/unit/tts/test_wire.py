import json

import httpx
import pytest

from tts.wire import MEDIA_TYPES, MOST_CHARACTERS
from unit.tts.fakes import HELLO, FakeEngine, ask, service


async def refused(**changes: object) -> tuple[int, str | None, str | None, str]:
    """Status, param, code and message of the answer to `HELLO` with `changes`."""
    response = await ask(service(fake=FakeEngine()), **changes)
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    return response.status_code, error["param"], error["code"], error["message"]


async def posted(content: bytes, media_type: str = "application/json") -> httpx.Response:
    transport = httpx.ASGITransport(service(fake=FakeEngine()))
    async with httpx.AsyncClient(transport=transport, base_url="http://tts") as client:
        return await client.post("/v1/audio/speech", content=content, headers={"content-type": media_type})


async def test_a_missing_input_is_named() -> None:
    assert (await refused(input=None))[:2] == (400, "input")


@pytest.mark.parametrize(
    "changes",
    [
        {"voice": ""},
        {"voice": None},
        {"voice": " "},
        {"voice": {"id": ""}},
        {"model": ""},
        {"model": None},
        {"response_format": ""},
        {"stream_format": ""},
        {"response_format": "MP3"},
        {"stream_format": "Audio"},
        {"instructions": "None"},
        {"instructions": ""},
    ],
)
async def test_an_empty_field_counts_as_left_out_and_capitals_as_small_letters(changes: dict[str, object]) -> None:
    fake = FakeEngine()
    expected = await ask(service(fake=FakeEngine()))

    response = await ask(service(fake=fake), **changes)

    assert (response.status_code, response.content) == (200, expected.content)


@pytest.mark.parametrize("field", ["model", "voice"])
async def test_a_role_without_a_voice_or_a_model_is_not_mute(field: str) -> None:
    body = {name: value for name, value in HELLO.items() if name != field}

    assert (await posted(json.dumps(body).encode())).status_code == 200


@pytest.mark.parametrize("text", [r"Hi \ud83d", r"Hi \udc3b", r"\ud83d\ud83d Hi", r"Hi \\ud83d", r"Hi \ud83d\udc3b"])
async def test_an_emoji_cut_in_half_is_left_out(text: str) -> None:
    body = b'{"model": "tts-1", "voice": "alloy", "input": "' + text.encode() + b'"}'

    assert (await posted(body)).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", 1),
        ("input", ["Hello"]),
        ("input", ""),
        ("voice", 7),
        ("voice", ["alloy"]),
        ("response_format", "ogg"),
        ("response_format", 3),
        ("speed", "1.0"),
        ("speed", True),
        ("speed", 0.2),
        ("speed", 4.1),
        ("speed", -1),
        ("instructions", 5),
        ("instructions", "x" * (MOST_CHARACTERS + 1)),
        ("stream_format", "websocket"),
        ("stream_format", False),
    ],
)
async def test_a_wrong_field_is_named(field: str, value: object) -> None:
    status, param, _, message = await refused(**{field: value})

    assert (status, param) == (400, field)
    assert field in message


async def test_a_voice_object_needs_an_id() -> None:
    assert (await refused(voice={"name": "alloy"}))[:2] == (400, "voice.id")


async def test_a_choice_that_does_not_exist_is_answered_with_those_that_do() -> None:
    assert "mp3, opus, aac, flac, wav, pcm" in (await refused(response_format="ogg"))[3]
    assert "audio, sse" in (await refused(stream_format="ws"))[3]


@pytest.mark.parametrize("letter", ["a", "熊", "🐻"])
async def test_4096_characters_are_the_most_however_many_bytes(letter: str) -> None:
    status, param, code, message = await refused(input=letter * 4097)

    assert (status, param, code) == (400, "input", "string_above_max_length")
    assert "4097" in message
    assert (await ask(service(fake=FakeEngine()), input=letter * 4096)).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": "tts-1", "voice": "alloy", "input": "hi", "speed": NaN}',
        b'{"model": "tts-1", "voice": "alloy", "input": "hi", "speed": Infinity}',
        b'{"model": "tts-1", "voice": "alloy", "input": "hi", "speed": 1e999}',
        b'{"model": "tts-1", "voice": "alloy", "input": "\xff\xfe"}',
        b'{"model": "tts-1", "voice": "alloy", "input": "\xed\xa0\x80"}',
        b'{"a":' * 100_000,
    ],
)
async def test_a_broken_body_is_a_400(content: bytes) -> None:
    response = await posted(content)

    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


async def test_another_content_type_is_refused() -> None:
    assert (await posted(b"model=tts-1", "application/x-www-form-urlencoded")).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"voice": {"id": "anna"}},
        {"instructions": "Whisper."},
        {"speed": 1},
        {"speed": 0.25},
        {"speed": 4},
        {"stream_format": "audio"},
        {"user": "somebody", "seed": 4},
    ],
)
async def test_all_that_is_allowed_is_served(changes: dict[str, object]) -> None:
    assert (await ask(service(fake=FakeEngine()), **changes)).status_code == 200


async def test_null_is_the_same_as_absent() -> None:
    body = b'{"model":"tts-1","voice":"alloy","input":"hi","speed":null,"response_format":null,"stream_format":null}'

    assert (await posted(body)).headers["content-type"] == "audio/mpeg"


async def test_an_empty_field_is_the_same_as_absent() -> None:
    body = b'{"model":"","voice":"","input":"hi","speed":"","response_format":"","stream_format":"","instructions":""}'

    assert (await posted(body)).headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize(("codec", "media_type"), MEDIA_TYPES.items())
async def test_each_format_has_its_true_content_type(codec: str, media_type: str) -> None:
    response = await ask(service(fake=FakeEngine()), response_format=codec)

    assert response.headers["content-type"] == media_type


async def test_mp3_is_what_a_toy_gets_that_asks_for_nothing() -> None:
    assert "response_format" not in HELLO
    assert (await ask(service(fake=FakeEngine()))).headers["content-type"] == "audio/mpeg"
