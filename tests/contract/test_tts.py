"""The official client is the judge: the real app on a real socket, with eSpeak as its engine."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import EngineFailed
from fixtures.serving import served
from tts.app import assemble
from tts.engines import Engine
from tts.engines.espeak import Espeak
from tts.settings import Settings
from tts.voices.names import OPENAI
from unit.tts.fakes import FakeEngine, Heard, hum, service

FORMATS = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
TEXT = "Hello little bear. How are you today?"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    chain: Chain[Engine] = Chain([Seat("espeak", partial(Espeak.load, "espeak"))])
    with served(assemble(Settings(engines=("espeak",)), chain)) as url:
        while httpx.get(f"{url}/readyz").status_code != 200:
            time.sleep(0.02)
        yield url


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


def heard(data: bytes, response_format: str) -> Heard:
    if response_format == "pcm":
        return Heard(
            b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\xc0]\0\0\x80\xbb\0\0\2\0\x10\0data\xff\xff\xff\xff" + data
        )
    return Heard(data)


@pytest.mark.parametrize(("response_format", "media_type"), FORMATS.items())
def test_every_format_is_decodable_speech_of_the_right_type(
    client: OpenAI, response_format: Any, media_type: str
) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format=response_format)

    assert answer.response.headers["content-type"] == media_type
    assert answer.response.headers["x-talkbox-engine"] == "espeak"
    assert answer.response.headers["x-request-id"]
    found = heard(answer.content, response_format)
    assert 1.5 < found.seconds < 4
    assert found.loudest > 5_000


@pytest.mark.parametrize("response_format", FORMATS)
def test_streaming_into_a_file_works(client: OpenAI, response_format: Any, tmp_path: Path) -> None:
    file = tmp_path / "speech"

    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=TEXT * 5, response_format=response_format
    ) as answer:
        assert "content-length" not in answer.headers
        answer.stream_to_file(file)

    assert heard(file.read_bytes(), response_format).seconds > 8


async def test_the_async_client_reads_piece_by_piece(url: str) -> None:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        asked = client.audio.speech.with_streaming_response.create(model="tts-1", voice="onyx", input=TEXT * 12)
        async with asked as answer:
            pieces = [piece async for piece in answer.iter_bytes()]

    assert len(pieces) > 5
    assert Heard(b"".join(pieces)).seconds > 20


@pytest.mark.parametrize("speed", [0.25, 1.0, 2.0, 4.0])
def test_speed_is_obeyed(client: OpenAI, speed: float) -> None:
    plain = Heard(client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT).content).seconds

    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, speed=speed)

    assert Heard(answer.content).seconds == pytest.approx(plain / speed, rel=0.25)


@pytest.mark.parametrize("voice", [*OPENAI, "zh-CN-YunjianNeural", "cmn", "guodegang", "郭德纲"])
@pytest.mark.parametrize("text", ["Good morning.", "早上好。"])
def test_every_voice_says_something(client: OpenAI, voice: str, text: str) -> None:
    assert Heard(client.audio.speech.create(model="tts-1", voice=voice, input=text).content).loudest > 5_000


@pytest.mark.parametrize(
    "text",
    [
        "。",
        "🐻🎉",
        "a",
        "…",
        "مرحبا hello 你好 שלום",
        "Tom & Jerry <3 <b>bold</b>",
        "one\ntwo\r\n\r\nthree",
        "Call 555-1234 or see https://example.com/a?b=c&d=1 at 10:30",
        "a" * 300,
        "<speak><voice name='x'><prosody rate='9'>Hi</prosody></voice></speak><break time='99s'/>",
        "שלום, hello \u202eolleh\u202c " * 20,
        "\u202e\u200f\u2066Hello\ufeff",
        "从前有一只小熊住在森林里每天和朋友们一起玩" * 17,
        "[[ 'phonemes ]] <speak>",
        "nul \0 and bell \a and escape \x1b[0m",
        "x" + "\u0301" * 500,
    ],
)
def test_unusual_input_is_spoken_or_silent_and_always_decodable(client: OpenAI, text: str) -> None:
    assert Heard(client.audio.speech.create(model="tts-1", voice="alloy", input=text).content).seconds > 0.2


@pytest.mark.parametrize("text", ["a" * 4000, "🐻" * 4000, "ا" * 4000, "[[" * 2000, "1" * 4000, "<" * 4000])
def test_what_nobody_would_say_is_answered_and_the_next_caller_is_heard(client: OpenAI, text: str) -> None:
    for speakable in (True, False):
        asked = client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=text, speed=4, extra_body={"speakable": speakable}
        )
        with asked as answer:
            assert len(next(answer.iter_bytes())) > 100

    assert Heard(client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT).content).loudest > 5_000


@pytest.mark.parametrize(("text", "most_bytes"), [("你" * 4096, 10**8), ("🐻" * 4096, 10_000)])
def test_4096_characters_are_served(client: OpenAI, text: str, most_bytes: int) -> None:
    asked = client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=text, speed=2)
    with asked as answer:
        assert 1_000 < len(answer.read()) < most_bytes


def test_what_is_wrong_becomes_the_clients_exception(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.speech.create(model="tts-1", voice="alloy", input="x" * 4097)

    assert (refused.value.param, refused.value.type) == ("input", "invalid_request_error")
    assert refused.value.code == "string_above_max_length"
    assert refused.value.request_id


def test_a_model_that_does_not_exist_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.audio.speech.create(model="espeak/large", voice="alloy", input="Hello")

    assert missing.value.code == "model_not_found"


def test_kanji_that_the_only_engine_cannot_read_are_refused_with_a_reason(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="kana only"):
        client.audio.speech.create(model="tts-1", voice="alloy", input="日本語を話す")


def test_events_are_raw_bytes_to_the_client(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=TEXT, extra_body={"stream_format": "sse"}
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]

    assert all(line.startswith('data: {"type":"speech.audio.') for line in lines)
    assert '"speech.audio.done"' in lines[-1]


def test_a_failure_before_the_first_sound_is_an_api_error() -> None:
    broken = FakeEngine(error=EngineFailed("it broke off"))
    with (
        served(service(fake=broken)) as url,
        OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
        pytest.raises(openai.InternalServerError, match="it broke off"),
    ):
        client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT)


def test_a_failure_in_mid_answer_is_seen_by_the_client() -> None:
    broken = FakeEngine(hum(1.0), error=EngineFailed("it broke off"), after=1)
    with (
        served(service(fake=broken)) as url,
        OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
        pytest.raises((httpx.TransportError, openai.APIError)),
    ):
        client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT)
