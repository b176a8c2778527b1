"""The official SDK is the judge: the real app and its real engines, on a real socket."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import httpx
import openai
import pytest

from fixtures import sounds, whisper_model
from fixtures.serving import served
from stt.app import create_app
from stt.hearing import Heard, Hints, Pcm
from unit.stt.fakes import HELLO, FakeEngine, service

KEY = "sk-talkbox"
speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
QUESTION = sounds.wav(sounds.spoken("What is the weather like today?")) if sounds.can_speak() else b""
SILENCE = sounds.wav(sounds.silence(2))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that has whisper, which says the same whatever it hears, and sphinx."""
    folder = whisper_model.make(tmp_path_factory.mktemp("whisper") / "bear", say="hello little bear")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WHISPER_MODEL", str(folder))
        environment.setenv("API_KEYS", KEY)
        environment.setenv("STT_FIRST_BYTE_SECONDS", "30")  # a busy machine is no failure
        with served(create_app()) as base:
            until = time.monotonic() + 60
            while any(engine["state"] == "loading" for engine in httpx.get(f"{base}/readyz").json()["engines"]):
                assert time.monotonic() < until, "the engines do not load"
                time.sleep(0.05)
            yield base


@pytest.fixture
def client(base: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@speaks
def test_both_engines_are_ready_and_can_be_picked(base: str, client: openai.OpenAI) -> None:
    ready = httpx.get(f"{base}/readyz").json()

    assert [(engine["name"], engine["state"]) for engine in ready["engines"]] == [
        ("whisper", "ready"),
        ("sphinx", "ready"),
    ]
    transcribe = client.audio.transcriptions.with_raw_response.create
    heard = transcribe(model="whisper-1", file=QUESTION)
    assert heard.headers["x-talkbox-engine"] == "whisper"
    assert heard.parse().text == "hello little bear"
    picked = transcribe(model="sphinx", file=QUESTION)
    assert picked.headers["x-talkbox-engine"] == "sphinx"
    assert picked.parse().text == "what is the weather like today"


@speaks
def test_json_has_a_text_a_usage_and_a_request_id(client: openai.OpenAI) -> None:
    heard = client.audio.transcriptions.create(model="whisper-1", file=("语音.wav", QUESTION), language="en")

    assert heard.text == "hello little bear"
    assert heard.usage is not None
    assert heard.usage.type == "duration"
    assert heard.usage.seconds == 3
    assert heard._request_id


@speaks
@pytest.mark.parametrize("model", ["whisper", "sphinx"])
def test_verbose_json_has_segments_and_words(client: openai.OpenAI, model: str) -> None:
    heard = client.audio.transcriptions.create(
        model=model,
        file=QUESTION,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="en",
    )

    assert heard.language == "english"
    assert heard.duration == pytest.approx(2.35, abs=0.3)
    assert heard.segments is not None
    assert heard.words is not None
    assert heard.segments[0].text.startswith(" ")
    assert 0 <= heard.segments[0].start < heard.segments[-1].end <= heard.duration
    assert " ".join(word.word for word in heard.words) == heard.text
    assert all(word.start <= word.end <= heard.duration for word in heard.words)


@speaks
def test_verbose_json_has_segments_by_default_and_words_alone_if_wanted(client: openai.OpenAI) -> None:
    by_default = client.audio.transcriptions.create(model="sphinx", file=QUESTION, response_format="verbose_json")
    words = client.audio.transcriptions.create(
        model="sphinx", file=QUESTION, response_format="verbose_json", timestamp_granularities=["word"]
    )

    assert by_default.segments
    assert by_default.words is None
    assert words.words
    assert words.segments is None


@speaks
def test_text_srt_and_vtt_are_handed_over_as_they_are(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create

    assert create(model="sphinx", file=QUESTION, response_format="text") == "what is the weather like today\n"
    srt = create(model="sphinx", file=QUESTION, response_format="srt").splitlines()
    assert srt[0] == "1"
    assert srt[1].startswith("00:00:00,")
    assert srt[2] == "what is the weather like today"
    vtt = create(model="sphinx", file=QUESTION, response_format="vtt").splitlines()
    assert vtt[:2] == ["WEBVTT", ""]
    assert " --> 00:00:0" in vtt[2]


@speaks
@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-mini-transcribe", "sphinx"])
def test_a_stream_is_deltas_and_then_the_whole(client: openai.OpenAI, model: str) -> None:
    deltas, done = "", []
    with client.audio.transcriptions.create(model=model, file=QUESTION, stream=True, language="en") as events:
        for event in events:
            if event.type == "transcript.text.delta":
                deltas += event.delta
            elif event.type == "transcript.text.done":
                done.append(event)

    assert deltas
    assert [event.text for event in done] == [deltas]
    assert done[0].usage is not None
    assert done[0].usage.total_tokens == done[0].usage.input_tokens + done[0].usage.output_tokens > 0


@pytest.mark.parametrize("model", ["whisper", "sphinx"])
def test_silence_is_an_empty_text(client: openai.OpenAI, model: str) -> None:
    assert client.audio.transcriptions.create(model=model, file=SILENCE).text == ""
    verbose = client.audio.transcriptions.create(model=model, file=SILENCE, response_format="verbose_json")
    assert (verbose.text, verbose.segments, verbose.duration) == ("", [], 2.0)
    with client.audio.transcriptions.create(model=model, file=SILENCE, stream=True) as events:
        assert [event.type for event in events] == ["transcript.text.done"]


@speaks
@pytest.mark.parametrize("kind", sounds.CONTAINERS)
def test_any_container_is_heard_the_same(client: openai.OpenAI, kind: str) -> None:
    file = sounds.encoded(kind, sounds.spoken("good morning"))

    heard = client.audio.transcriptions.create(model="whisper-1", file=("upload", file), language="en")

    assert heard.text == "hello little bear"


@speaks
def test_languages_are_understood_in_every_form_and_english_is_not_chinese(client: openai.OpenAI) -> None:
    for language in ("zh", "zh-CN", "cmn", "Chinese"):
        heard = client.audio.transcriptions.create(
            model="whisper-1", file=QUESTION, language=language, response_format="verbose_json"
        )
        assert heard.language == "chinese"
        with pytest.raises(openai.BadRequestError) as raised:
            client.audio.transcriptions.create(model="sphinx", file=QUESTION, language=language)
        assert raised.value.param == "language"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"file": b""}, "file"),
        ({"file": b"this is no sound"}, "file"),
        ({"file": sounds.wav_header()}, "file"),
        ({"temperature": 2.0}, "temperature"),
        ({"language": "xx"}, "language"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"response_format": "docx"}, "response_format"),
        ({"extra_body": {"timestamp_granularities": ["letter"]}}, "timestamp_granularities"),
        ({"chunking_strategy": {"type": "client_vad"}}, "chunking_strategy[type]"),
    ],
)
def test_what_cannot_be_served_is_a_bad_request_that_names_its_field(
    client: openai.OpenAI, options: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.audio.transcriptions.create(**({"model": "whisper-1", "file": SILENCE} | options))

    assert raised.value.param == param
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id


def test_a_moment_too_short_has_its_own_code(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.audio.transcriptions.create(model="whisper-1", file=sounds.wav(sounds.tone(0.05)))

    assert raised.value.code == "audio_too_short"


def test_the_options_of_newer_models_are_accepted(client: openai.OpenAI) -> None:
    heard = client.audio.transcriptions.create(
        model="gpt-4o-transcribe",
        file=SILENCE,
        chunking_strategy={"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 300},
        include=["logprobs"],
        prompt="bears",
        temperature=0,
    )

    assert heard.text == ""


def test_a_wrong_key_is_an_authentication_error(base: str) -> None:
    with (
        openai.OpenAI(base_url=f"{base}/v1", api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        client.audio.transcriptions.create(model="whisper-1", file=SILENCE)

    assert raised.value.code == "invalid_api_key"


def test_an_unknown_model_of_an_engine_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client.audio.transcriptions.create(model="whisper/enormous", file=SILENCE)

    assert raised.value.code == "model_not_found"


@pytest.mark.parametrize("stated", [True, False], ids=["with its length", "in chunks"])
def test_more_than_25_mib_is_refused_in_words_that_arrive(base: str, stated: bool) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = head + bytes(26 * 2**20)
    headers = {"authorization": f"Bearer {KEY}", "content-type": "multipart/form-data; boundary=b"}
    content = body if stated else (body[at : at + 2**20] for at in range(0, len(body), 2**20))

    response = httpx.post(f"{base}/v1/audio/transcriptions", content=content, headers=headers, timeout=60)

    assert response.status_code == 413
    assert response.json()["error"]["message"]


def test_the_first_words_arrive_long_before_the_last() -> None:
    class Slow(FakeEngine):
        async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
            yield Heard(language="en", segments=HELLO[:1])
            await go_on.wait()
            yield Heard(language="en", segments=HELLO[1:])

    go_on = asyncio.Event()
    app = service(Slow())
    with served(app) as base, openai.OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0, timeout=10) as client:
        events = iter(client.audio.transcriptions.create(model="whisper-1", file=SILENCE, stream=True))
        assert next(events).type == "transcript.text.delta"  # while the engine waits for `go_on`
        go_on._loop.call_soon_threadsafe(go_on.set)  # type: ignore[attr-defined]
        assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]


@pytest.mark.parametrize("stream", ["true", "false"])
def test_a_caller_who_leaves_ends_the_work(stream: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    class Endless(FakeEngine):
        async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
            try:
                begun.set()
                while True:
                    yield Heard(language="en", segments=HELLO[:1])
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

    request = httpx.Request(
        "POST",
        "http://stt/v1/audio/transcriptions",
        data={"model": "whisper-1", "stream": stream},
        files={"file": SILENCE},
    )
    headers = b"".join(b"%s: %s\r\n" % header for header in request.headers.raw)
    with served(service(Endless())) as base:
        address = httpx.URL(base)
        with closing(socket.create_connection((address.host, address.port or 80))) as caller:
            caller.sendall(b"POST /v1/audio/transcriptions HTTP/1.1\r\n" + headers + b"\r\n" + request.read())
            assert begun.wait(10)
        assert ended.wait(5)
