import asyncio
import json
from typing import Any

import httpx
import numpy as np
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from fixtures import sounds
from stt.engines import Engine
from stt.hearing import Segment
from unit.stt.fakes import HELLO, SPEECH, FakeEngine, ask, chain_of, service

speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
URL = "/v1/audio/transcriptions"


def events(body: str) -> list[dict[str, Any]]:
    lines = [event.splitlines()[-1] for event in body.split("\n\n") if event]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_what_is_heard_comes_back_as_json_with_its_usage_and_its_engine() -> None:
    response = await ask(service(FakeEngine(*HELLO)))

    assert response.status_code == 200
    assert response.json() == {"text": "hello little bear", "usage": {"type": "duration", "seconds": 3}}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-talkbox-engine"] == "a"


async def test_an_engine_gets_the_sound_and_what_the_caller_said_of_it() -> None:
    engine = FakeEngine(*HELLO)

    await ask(
        service(engine),
        language="en-GB",
        prompt="bears",
        temperature="0.5",
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )

    [(pcm, hints)] = engine.asked
    assert pcm.dtype == np.float32
    assert len(pcm) == 2.5 * sounds.RATE
    assert (hints.language, hints.prompt, hints.temperature, hints.words) == ("en", "bears", 0.5, True)


async def test_silence_is_an_empty_text_and_no_error() -> None:
    app = service(FakeEngine())
    silence = sounds.wav(sounds.silence(1))

    assert (await ask(app, silence)).json()["text"] == ""
    assert (await ask(app, silence, response_format="text")).text == "\n"
    assert (await ask(app, silence, response_format="srt")).text == ""
    assert (await ask(app, silence, response_format="vtt")).text == "WEBVTT\n\n"
    assert (await ask(app, silence, response_format="verbose_json")).json()["segments"] == []
    assert events((await ask(app, silence, stream="true")).text)[0]["type"] == "transcript.text.done"


@pytest.mark.parametrize(
    ("sound", "speech"),
    [
        (sounds.silence(1), "silence"),
        (sounds.silence(2) + 0.25, "silence"),
        (sounds.noise(1), "none"),
        (sounds.noise(40), "none"),
    ],
    ids=["silence", "a dead microphone with an offset", "noise", "minutes of noise"],
)
async def test_an_empty_text_says_whether_nobody_spoke_or_the_microphone_is_dead(
    sound: sounds.Samples, speech: str
) -> None:
    answer = await ask(service(FakeEngine()), sounds.wav(sound))

    assert answer.json()["text"] == ""
    assert answer.headers["x-talkbox-speech"] == speech


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
async def test_an_empty_text_for_speech_that_was_not_understood_says_no_such_thing() -> None:
    answer = await ask(service(FakeEngine()), sounds.wav(sounds.spoken("hello little bear")))

    assert answer.json()["text"] == ""
    assert "x-talkbox-speech" not in answer.headers


@speaks
@pytest.mark.parametrize("stream", ["true", "false"])
async def test_a_header_that_says_another_thing_than_its_samples_is_named_and_logged(
    stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    voice = sounds.spoken("hello little bear")
    lying = sounds.wav(np.repeat(voice, 2))

    honest = await ask(service(FakeEngine(*HELLO)), sounds.wav(voice), stream=stream)
    answer = await ask(service(FakeEngine(*HELLO)), lying, stream=stream)

    assert "x-talkbox-recording" not in honest.headers
    assert answer.headers["x-talkbox-recording"] == "says 1 channel, sounds like 2"
    assert [record.message for record in caplog.records if "header" in record.message] == [
        "the header of a recording says 1 channel, sounds like 2"
    ]


@speaks
@pytest.mark.parametrize(
    ("heard", "doubted"), [((), True), (HELLO, False), ((replace(HELLO[0], avg_logprob=-1.2),), True)]
)
async def test_a_rate_is_doubted_only_where_little_was_understood(heard: tuple[Segment, ...], *, doubted: bool) -> None:
    sounds_like_16000 = sounds.wav(sounds.spoken("Hello little bear, how are you today?"), 48_000)

    answer = await ask(service(FakeEngine(*heard)), sounds_like_16000)

    assert answer.headers.get("x-talkbox-recording") == ("says 48000 Hz, sounds like 16000" if doubted else None)


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe", "anything at all", "a"])
async def test_streaming_sends_each_segment_and_then_the_whole_whatever_the_model_is_called(model: str) -> None:
    response = await ask(service(FakeEngine(*HELLO)), stream="true", model=model)

    assert response.headers["content-type"].startswith("text/event-stream")
    first, second, done = events(response.text)
    assert first == {"type": "transcript.text.delta", "delta": "hello little"}
    assert second == {"type": "transcript.text.delta", "delta": " bear"}
    assert done["type"] == "transcript.text.done"
    assert done["text"] == "hello little bear"
    assert done["usage"] == {
        "type": "tokens",
        "input_tokens": 25,
        "output_tokens": 3,
        "total_tokens": 28,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 25},
    }


async def test_the_text_false_does_not_stream() -> None:
    assert (await ask(service(FakeEngine(*HELLO)), stream="false")).json()["text"] == "hello little bear"


async def test_a_stream_that_breaks_off_says_so_in_its_last_event() -> None:
    app = service(FakeEngine(*HELLO, error=EngineFailed("whisper broke off"), after=1), FakeEngine(*HELLO))

    response = await ask(app, stream="true")

    assert response.status_code == 200
    delta, error = events(response.text)
    assert delta["delta"] == "hello little"
    assert error["error"]["message"] == "whisper broke off"


async def test_an_answer_that_is_not_streamed_comes_from_the_next_engine_if_one_breaks_off_half_way() -> None:
    broken, second = FakeEngine(*HELLO, error=EngineFailed("broke off"), after=1), FakeEngine(HELLO[1])

    response = await ask(service(broken, second))

    assert response.json()["text"] == "bear"
    assert response.headers["x-talkbox-engine"] == "b"
    assert broken.closed == second.closed == 1


async def test_when_every_engine_fails_before_its_first_word_a_stream_is_an_error_too() -> None:
    response = await ask(service(FakeEngine(error=EngineFailed("nobody listens"))), stream="true")

    assert response.status_code == 502
    assert "nobody listens" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "mp3"}, "response_format"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": "1.5"}, "temperature"),
        ({"temperature": "-0.1"}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"temperature": "1e999"}, "temperature"),
        ({"stream": "perhaps"}, "stream"),
        ({"language": "klingon"}, "language"),
        ({"language": "xx"}, "language"),
        ({"languages[]": ["en", "xx"]}, "languages"),
        ({"timestamp_granularities[]": ["sentence"], "response_format": "verbose_json"}, "timestamp_granularities"),
        ({"timestamp_granularities[]": ["word"]}, "timestamp_granularities"),
        ({"include[]": ["tokens"]}, "include"),
        ({"include[]": ["logprobs"], "response_format": "text"}, "include"),
        ({"chunking_strategy": "sometimes"}, "chunking_strategy"),
        ({"chunking_strategy": '{"type": "client_vad"}'}, "chunking_strategy"),
        ({"chunking_strategy[type]": "client_vad"}, "chunking_strategy[type]"),
        ({"chunking_strategy[threshold]": "2"}, "chunking_strategy[threshold]"),
        ({"known_speaker_names[]": ["a", "b", "c", "d", "e"]}, "known_speaker_names"),
    ],
)
async def test_a_field_that_is_wrong_is_400_and_named(fields: dict[str, Any], param: str) -> None:
    engine = FakeEngine(*HELLO)

    response = await ask(service(engine), **fields)

    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert engine.asked == []


@pytest.mark.parametrize(
    "fields",
    [
        {"language": ""},
        {"prompt": ""},
        {"language": "auto"},
        {"chunking_strategy": "auto"},
        {"chunking_strategy": '{"type": "server_vad", "threshold": 0.4}'},
        {"chunking_strategy[type]": "server_vad", "chunking_strategy[silence_duration_ms]": "300"},
        {"include[]": ["logprobs"]},
        {"timestamp_granularities": ["segment"]},
        {"languages[]": ["en", "zh"], "keywords[]": ["bear"]},
        {"known_speaker_names[]": ["a"], "known_speaker_references[]": ["data:audio/wav;base64,AA=="]},
        {"user": "somebody", "something_new": "1"},
        {"prompt": "\x00\ud7ff 你好"},
    ],
)
async def test_a_field_that_is_right_unusual_or_unknown_is_no_obstacle(fields: dict[str, Any]) -> None:
    assert (await ask(service(FakeEngine(*HELLO)), **fields)).json()["text"] == "hello little bear"


@pytest.mark.parametrize("name", ["speech.mp3", "语音.wav", "upload", 'a"b.wav', "../../etc/passwd"])
async def test_what_the_file_is_called_does_not_matter(name: str) -> None:
    assert (await ask(service(FakeEngine(*HELLO)), name=name)).json()["text"] == "hello little bear"


@pytest.mark.parametrize("file", [None, b"", b"no sound at all", sounds.wav_header(), sounds.film_without_sound()])
async def test_no_file_or_one_without_sound_is_400(file: bytes | None) -> None:
    response = await ask(service(FakeEngine(*HELLO)), file)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


async def test_less_than_a_tenth_of_a_second_is_400_with_its_own_code() -> None:
    response = await ask(service(FakeEngine(*HELLO)), sounds.wav(sounds.tone(0.09)))

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "audio_too_short"


async def test_a_body_that_is_no_form_is_400() -> None:
    transport = httpx.ASGITransport(service(FakeEngine(*HELLO)))
    async with httpx.AsyncClient(transport=transport, base_url="http://stt") as client:
        responses = [
            await client.post(URL, json={"model": "whisper-1"}),
            await client.post(URL, content=b"x", headers={"content-type": "multipart/form-data"}),
            await client.post(URL, content=SPEECH, headers={"content-type": "audio/wav"}),
            await client.post(URL),
        ]

    assert [response.status_code for response in responses] == [400] * 4


async def test_an_upload_over_the_limit_is_413() -> None:
    response = await ask(service(FakeEngine(*HELLO), max_body_bytes=50_000))

    assert response.status_code == 413
    assert response.json()["error"]["message"]


async def test_a_recording_over_the_limit_is_400() -> None:
    response = await ask(service(FakeEngine(*HELLO), max_seconds=2.0))

    assert response.status_code == 400
    assert "2 seconds" in response.json()["error"]["message"]


async def test_the_default_language_is_used_where_none_is_stated() -> None:
    engine = FakeEngine(*HELLO)
    app = service(engine, language="Chinese")

    await ask(app)
    await ask(app, language="en")
    await ask(app, languages=["fr"])

    assert [hints.language for _, hints in engine.asked] == ["zh", "en", "fr"]


async def test_an_engine_that_does_not_hear_the_language_is_passed_over() -> None:
    english = FakeEngine(*HELLO, error=Declined("English only", param="language"), hears=("en",))

    response = await ask(service(english, FakeEngine(HELLO[1])), language="zh")

    assert response.json()["text"] == "bear"


async def test_no_time_is_kept_for_an_engine_that_does_not_hear_the_language() -> None:
    class Slow(FakeEngine):
        async def transcribe(self, pcm: Any, hints: Any) -> Any:
            await asyncio.sleep(0.3)
            async for heard in super().transcribe(pcm, hints):
                yield heard

    english = FakeEngine(HELLO[1], hears=("en",))
    english.first_byte_seconds = 3.9
    app = service(chain=chain_of(4.0, a=Slow(*HELLO), b=english))

    assert (await ask(app, language="zh")).headers["x-talkbox-engine"] == "a"


async def test_a_long_recording_gets_more_time() -> None:
    class Slow(FakeEngine):
        async def transcribe(self, pcm: Any, hints: Any) -> Any:
            await asyncio.sleep(0.3)
            async for heard in super().transcribe(pcm, hints):
                yield heard

    app = service(chain=chain_of(0.2, a=Slow(*HELLO)))

    assert (await ask(app, sounds.wav(sounds.silence(21)))).status_code == 200
    assert (await ask(app, sounds.wav(sounds.silence(19)))).status_code == 504


def still_loading(*ready: Engine) -> Starlette:
    seats: list[Seat[Engine]] = [Seat("a", lambda report: FakeEngine())]
    seats += [Seat.of(name, engine) for name, engine in zip("bc", ready, strict=False)]
    return service(chain=Chain(seats, first_byte_seconds=0.1, last_engine_seconds=0.1))


async def test_while_the_best_engine_loads_only_a_stated_language_goes_to_the_next() -> None:
    second = FakeEngine(*HELLO)
    app = still_loading(second)

    unstated = await ask(app)
    stated = await ask(app, language="en")

    assert unstated.status_code == 503
    assert unstated.headers["retry-after"]
    assert stated.headers["x-talkbox-engine"] == "b"
    assert len(second.asked) == 1


async def test_when_the_best_engine_cannot_be_had_the_next_answers_whatever_the_language() -> None:
    def unavailable(report: object) -> Engine:
        raise EngineUnavailable("no network")

    chain: Chain[Engine] = Chain([Seat("a", unavailable), Seat.of("b", FakeEngine(*HELLO))])
    chain.start()
    try:
        assert (await ask(service(chain=chain))).headers["x-talkbox-engine"] == "b"
    finally:
        await chain.aclose()


@pytest.mark.parametrize(("model", "status"), [("a/small", 200), ("b", 200), ("a/large", 404), ("a/../../etc", 404)])
async def test_a_model_of_an_engine_is_one_that_it_has(model: str, status: int) -> None:
    response = await ask(service(FakeEngine(*HELLO), FakeEngine(*HELLO)), model=model)

    assert response.status_code == status
    if status == 404:
        assert response.json()["error"]["code"] == "model_not_found"
    else:
        assert response.headers["x-talkbox-engine"] == model[0]


async def test_who_finds_every_place_taken_is_told_at_once() -> None:
    app = service(chain=(chain := chain_of(a=FakeEngine(*HELLO))))
    chain.admission.concurrent, chain.admission.running, chain.admission.queued = 1, 1, 0

    response = await ask(app)

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1


async def test_the_place_is_free_again_after_an_answer_a_stream_and_a_failure() -> None:
    chain = chain_of(a=FakeEngine(*HELLO, error=EngineFailed("x"), after=1))

    for stream in ("true", "false"):
        await ask(service(chain=chain), stream=stream)

    assert chain.admission.running == 0


def talk(seconds: float) -> sounds.Samples:
    sentence = np.concatenate([sounds.spoken("tell me a story about a bear"), sounds.silence(1)])
    return np.tile(sentence, -(-round(seconds * sounds.RATE) // len(sentence)))[: round(seconds * sounds.RATE)]


@speaks
@pytest.mark.parametrize("stream", ["true", "false"])
async def test_a_long_recording_is_heard_in_pieces_and_comes_back_as_one(stream: str) -> None:
    engine = FakeEngine(*HELLO)

    response = await ask(service(engine), sounds.encoded("flac", talk(100)), stream=stream)

    count = len(engine.asked)
    assert count >= 4
    assert all(len(pcm) <= 28 * sounds.RATE for pcm, _ in engine.asked)
    assert engine.closed == count
    whole = " ".join(["hello little bear"] * count)
    assert (events(response.text)[-1] if stream == "true" else response.json())["text"] == whole


@speaks
async def test_segments_words_and_cues_of_a_long_recording_have_its_times() -> None:
    app, file = service(FakeEngine(*HELLO)), sounds.encoded("flac", talk(70))

    verbose = (await ask(app, file, response_format="verbose_json", timestamp_granularities=["word", "segment"])).json()
    srt = (await ask(app, file, response_format="srt")).text
    vtt = (await ask(app, file, response_format="vtt")).text

    assert verbose["duration"] == pytest.approx(70, abs=0.1)
    starts = [segment["start"] for segment in verbose["segments"]]
    assert starts == sorted(starts)
    assert starts[0] == 0.1
    assert 40 < starts[-1] < 70
    assert [segment["id"] for segment in verbose["segments"]] == list(range(len(starts)))
    assert verbose["words"][-1]["start"] == starts[-1]
    minutes, seconds = divmod(starts[-1], 60)
    last = f"00:{minutes:02.0f}:{int(seconds):02}"
    assert last in srt
    assert last in vtt


@speaks
async def test_an_engine_that_fails_before_the_first_word_of_a_long_recording_leaves_all_of_it_to_the_next() -> None:
    second = FakeEngine(*HELLO)

    response = await ask(
        service(FakeEngine(error=EngineFailed("nobody listens")), second),
        sounds.encoded("flac", talk(70)),
        stream="true",
    )

    assert response.headers["x-talkbox-engine"] == "b"
    assert sum(len(pcm) for pcm, _ in second.asked) == 70 * sounds.RATE


@speaks
async def test_a_recording_that_turns_out_damaged_is_400_or_the_last_event() -> None:
    file = sounds.encoded("aac", talk(60))
    file += 3 * sounds.damaged_aac(file)

    whole = await ask(service(FakeEngine(*HELLO)), file)
    streamed = await ask(service(FakeEngine(*HELLO)), file, stream="true")

    assert whole.status_code == 400
    assert streamed.status_code == 200
    *deltas, error = events(streamed.text)
    assert len(deltas) >= 2
    assert error["error"] == whole.json()["error"]
    assert error["error"]["param"] == "file"


@speaks
async def test_the_place_of_a_long_recording_is_free_again_after_its_answer_and_after_its_failure() -> None:
    file = sounds.encoded("flac", talk(40))
    app = service(FakeEngine(*HELLO, error=EngineFailed("x"), after=1), max_concurrent=1, max_queued=0)

    for stream in ("true", "false", "true"):
        assert (await ask(app, file, stream=stream)).status_code != 429


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_seconds_of_sound_that_were_heard_are_counted(stream: str) -> None:
    app = service(FakeEngine(*HELLO))

    async def heard() -> float:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stt") as http:
            lines = (await http.get("/metrics")).text.splitlines()
        return sum(
            float(line.split()[1]) for line in lines if line.startswith('talkbox_sound_seconds_total{engine="a"}')
        )

    before = await heard()
    await ask(app, stream=stream)

    assert await heard() - before == pytest.approx(2.5)
