import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis.errors import (
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    EngineUnpaid,
    EngineWithoutModel,
    NotFound,
)
from chassis.upstream.settings import Row
from imitations.speech import MANNERS, Manner, SpeechServer
from tts.audio.pcm import RATE
from tts.cache.cache import Cache
from tts.cache.settings import CacheOptions
from tts.engines.openai.engine import OpenAISpeech, SpeechOptions
from tts.engines.openai.providers import PROVIDERS, UPSTREAMS, SpeechProvider
from tts.voices.choose import choose
from unit.tts.fakes import Heard, ask, gathered, service

KEY = "sk-secret-1234567"
TEXT = "Hello little bear."
SECONDS = 0.06 * len(TEXT)


def engine(server: SpeechServer | None, options: SpeechOptions | None = None, **row: Any) -> OpenAISpeech:
    address = server.base_url if server else "http://127.0.0.1:9/v1"
    settled = Row("up", address, KEY, prefix="TTS_UP_", **row)
    return OpenAISpeech(settled, options or SpeechOptions(), SpeechProvider(None))


@asynccontextmanager
async def speaking(
    manner: Manner | None = None, options: SpeechOptions | None = None, **row: Any
) -> AsyncIterator[tuple[OpenAISpeech, SpeechServer]]:
    async with SpeechServer(manner) as server:
        made = engine(server, options, **row)
        try:
            yield made, server
        finally:
            await made.aclose()


async def said(made: OpenAISpeech, text: str = TEXT, speed: float = 1.0) -> bytes:
    return await gathered(made.speak(text, made.voices[0], speed))


async def refused(manner: Manner, options: SpeechOptions | None = None, **row: Any) -> Exception:
    async with speaking(manner, options, **row) as (made, _):
        with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is what is asked)
            await said(made)
    return caught.value


async def test_the_server_is_asked_as_openai_would_be() -> None:
    async with speaking(None, SpeechOptions(format="wav", instructions="Softly."), model="m") as (made, server):
        await gathered(made.speak(TEXT, made.voices[1], 1.5))

    assert server.seen[0].json == {
        "model": "m",
        "input": TEXT,
        "voice": "nova",
        "response_format": "wav",
        "speed": 1.5,
        "instructions": "Softly.",
    }
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("asked", ["mp3", "pcm"])
@pytest.mark.parametrize("claims", ["audio/mpeg", "application/octet-stream"])
@pytest.mark.parametrize("sends", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
async def test_sound_is_told_by_its_bytes_whatever_was_asked_for_and_whatever_it_is_called(
    sends: str, claims: str, asked: Any
) -> None:
    async with speaking(Manner(sends=sends, claims=claims), SpeechOptions(format=asked)) as (made, _):
        pcm = await said(made)

    assert len(pcm) / 2 / RATE == pytest.approx(SECONDS, abs=0.12)
    middle = array("h", pcm)[RATE // 4 : -RATE // 4]
    assert max(middle) == pytest.approx(8_000, rel=0.15)


async def test_sound_is_passed_on_as_it_comes() -> None:
    async with speaking(Manner(sends="wav", stall_after=9600)) as (made, _):
        spoken = made.speak(TEXT * 4, made.voices[0], 1.0)
        async with asyncio.timeout(30):  # the rest never comes
            assert await anext(spoken)
        await spoken.aclose()


async def test_a_caller_who_leaves_ends_the_work_there() -> None:
    async with speaking(Manner(slice_bytes=100, slice_seconds=0.05)) as (made, server):
        spoken = made.speak(TEXT * 9, made.voices[0], 1.0)
        await anext(spoken)
        await spoken.aclose()
        async with asyncio.timeout(30):
            await server.seen[0].over.wait()

        assert server.seen[0].left


@pytest.mark.parametrize(
    ("manner", "kind", "code"),
    [
        ("401", EngineRefused, "upstream_auth"),
        ("402", EngineUnpaid, "upstream_quota"),
        ("quota-in-200", EngineUnpaid, "upstream_quota"),
        ("429", EngineBusy, "upstream_rate_limited"),
        ("500", EngineFailed, "upstream_error"),
        ("503", EngineFailed, "upstream_error"),
        ("404", EngineWithoutModel, "upstream_misconfigured"),
        ("error-in-200", EngineFailed, "upstream_error"),
        ("error-as-mp3", EngineFailed, "upstream_error"),
        ("html", EngineFailed, "upstream_error"),
        ("empty", EngineFailed, "upstream_error"),
        ("header-only", EngineFailed, "upstream_error"),
        ("cut", EngineFailed, "upstream_error"),
        ("blocked", BadRequest, "content_filter"),
        ("400", Declined, "invalid_voice"),
        ("422", Declined, None),
    ],
)
async def test_what_goes_wrong_is_told_in_the_chains_terms(manner: str, kind: type[Exception], code: str) -> None:
    failure = await refused(MANNERS[manner])

    assert type(failure) is kind
    assert isinstance(failure, BadRequest | EngineFailed)
    assert failure.body["code"] == code
    assert "secret" not in str(failure)


async def test_a_refused_key_rests_for_long_and_names_the_variable() -> None:
    failure = await refused(MANNERS["401"])

    assert isinstance(failure, EngineFailed)
    assert (failure.rest_seconds or 0) >= 300
    assert "Check TTS_UP_API_KEY" in str(failure)


async def test_a_key_that_is_refused_rests_and_the_others_speak() -> None:
    manner = Manner(keys={KEY: "401", "two": "429"})
    async with speaking(manner, more_keys=("two", "three")) as (made, server):
        for _ in range(3):
            assert await said(made)
        assert made.detail == "2 of 3 keys rest"

    used = [seen.headers["authorization"].removeprefix("Bearer ") for seen in server.seen]
    assert used == [KEY, "two", *["three"] * 3]


async def test_an_upstreams_limit_is_kept() -> None:
    failure = await refused(MANNERS["429"])

    assert isinstance(failure, EngineBusy)
    assert failure.rest_seconds == 7


@pytest.mark.parametrize("manner", ["silent", "stall"])
async def test_silence_is_a_failure_within_its_bounds(manner: str) -> None:
    options = SpeechOptions(first_audio_seconds=0.2, gap_seconds=0.2)

    async with asyncio.timeout(30):  # the server itself would be silent for ever
        assert isinstance(await refused(MANNERS[manner], options), EngineTimeout)


async def test_a_server_that_takes_long_to_begin_is_given_up() -> None:
    assert isinstance(await refused(MANNERS["slow"], SpeechOptions(first_audio_seconds=0.2)), EngineTimeout)


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    made = engine(None)
    with pytest.raises(EngineFailed, match="cannot reach"):
        await said(made)
    await made.aclose()


async def test_the_next_engine_answers_for_one_that_broke_and_through_the_real_app_it_sounds() -> None:
    async with SpeechServer() as server:
        broken, good = engine(server, model="html"), engine(server)
        response = await ask(service(broken=broken, good=good), input=TEXT)
        assert response.headers["x-talkbox-engine"] == "good"
        assert Heard(response.content).seconds == pytest.approx(SECONDS, abs=0.3)

        response = await ask(service(broken=broken, good=good), model="good/401", input=TEXT)
        assert response.status_code == 502
        for made in (broken, good):
            await made.aclose()


async def test_a_model_is_picked_by_the_caller_where_the_operator_allows_it() -> None:
    async with speaking(models=("small", "large")) as (made, server):
        await said(made.model("large"))
        with pytest.raises(NotFound, match="up/small, up/large"):
            made.model("huge")

    assert server.seen[0].json["model"] == "large"
    assert made.model("large").likeness != made.likeness


def test_classic_names_are_passed_on_and_others_mean_the_nearest() -> None:
    made = engine(None)

    def chosen(asked: str, text: str = TEXT) -> str:
        return choose(made.voices, made.voice(asked), asked, text, "en").name

    assert [chosen(name) for name in ("nova", "onyx", "echo")] == ["nova", "onyx", "echo"]
    assert chosen("zm_yunxi", "你好") in ("onyx", "fable", "echo")
    assert chosen("zf_xiaobei", "你好") in ("nova", "shimmer")


def test_the_operators_one_voice_speaks_for_all_but_those_listed() -> None:
    made = engine(None, SpeechOptions(voice="8051", voices=("6097",)))

    assert [made.voice(name) and made.voice(name).name for name in ("alloy", "6097", "x")] == ["8051", "6097", "8051"]  # type: ignore[union-attr]


def test_a_listed_voice_says_its_language_and_gender() -> None:
    options = SpeechOptions(voices=("zh-CN/female=echo", "zh-TW/male=阿强", "af_heart", "中文男", "some"))
    voices = engine(None, options).voices

    assert [(voice.name, voice.language, voice.gender) for voice in voices] == [
        ("echo", "zh-CN", "female"),
        ("阿强", "zh-TW", "male"),
        ("af_heart", "en-US", "female"),
        ("中文男", "zh-CN", "male"),
        ("some", "mul", None),
    ]
    assert choose(voices, None, "nova", "你好", "en").name == "echo"
    assert choose(voices, None, "nova", "Hello", "en").name == "af_heart"


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_known_server_can_be_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = name.upper().replace("-", "_")
    monkeypatch.setenv(f"{variable}_API_KEY", "k")
    if PROVIDERS[name].base_url is None:
        monkeypatch.setenv(f"{variable}_API_BASE", "https://mine.openai.azure.com")

    made = OpenAISpeech.load(name, lambda doing, part: None)

    assert made.voices
    assert choose(made.voices, made.voice("nova"), "nova", "Hello", "en")
    assert name == "openai" or not made.row.prefix.startswith("TTS_OPENAI")


def test_a_row_of_ones_own_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_GRANNY_BASE_URL", "http://granny:8000/v1/audio/speech")
    monkeypatch.setenv("TTS_GRANNY_VOICE", "8051")
    assert UPSTREAMS.exists("granny")

    made = OpenAISpeech.load("granny", lambda doing, part: None)

    assert made.row.base_url == "http://granny:8000/v1"
    assert [voice.name for voice in made.voices] == ["8051"]


def test_a_row_without_its_key_is_unavailable_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TTS_OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(EngineUnavailable, match="Set OPENAI_API_KEY"):
        OpenAISpeech.load("openai", lambda doing, part: None)


@pytest.mark.parametrize(("model", "speeds"), [("tts-1", (0.25, 4.0)), ("gpt-4o-mini-tts", (1.0, 1.0))])
def test_a_model_that_ignores_speed_has_its_sound_stretched(model: str, speeds: tuple[float, float]) -> None:
    assert engine(None, model=model).speeds == speeds
    assert engine(None, SpeechOptions(speed="on"), model=model).speeds == (0.25, 4.0)
    assert engine(None, SpeechOptions(speed="off"), model=model).speeds == (1.0, 1.0)


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        ("voices", {"voices": ["af_heart", "zf_xiaobei", "my_clone"]}),
        ("voices", ["af_heart", {"id": "zf_xiaobei"}, {"voice_id": "my_clone", "name": "Mine"}, {"nothing": 1}]),
        ("voices", {"voices": [{"id": "af_heart", "language": None}, {"name": "zf_xiaobei"}, {"id": "my_clone"}]}),
        ("speech/voices", {"data": [{"voice_id": name} for name in ("af_heart", "zf_xiaobei", "my_clone")]}),
    ],
)
async def test_a_servers_own_voices_are_listed_and_can_be_asked_for(path: str, listed: object) -> None:
    async with speaking() as (made, server):
        server.voices = {path: listed}
        before = choose(made.voices, made.voice("nova"), "nova", TEXT, "en")
        await made.refresh_voices()
        await made.refresh_voices()

        found = {voice.name: (voice.language, voice.gender) for voice in made.voices}
        assert found["zf_xiaobei"] == ("zh-CN", "female")
        assert found["my_clone"] == ("mul", None)
        assert made.voice("MY_CLONE") in made.voices
        assert choose(made.voices, made.voice("nova"), "nova", TEXT, "en") == before
        assert server.voices_asked <= 2


async def test_a_voice_may_say_its_language_and_gender() -> None:
    async with speaking() as (made, server):
        server.voices = {"voices": {"voices": [{"id": "ida", "locale": "de_de", "gender": "Female"}]}}
        await made.refresh_voices()

        ida = made.voice("ida")
        assert ida is not None
        assert (ida.language, ida.gender, ida.polyglot) == ("de-DE", "female", False)


@pytest.mark.parametrize("listed", [None, {"voices": {"a": 1}}, {"detail": "no"}, "voices", 7])
async def test_a_server_that_lists_nothing_readable_keeps_the_voices_it_is_known_for(listed: object) -> None:
    async with speaking() as (made, server):
        server.voices = {"voices": listed}
        before = list(made.voices)
        await made.refresh_voices()

        assert list(made.voices) == before


async def test_what_the_operator_listed_is_what_there_is() -> None:
    for options in (SpeechOptions(voices=("anna",)), SpeechOptions(voice="anna")):
        async with speaking(options=options) as (made, server):
            server.voices = {"voices": ["berta"]}
            await made.refresh_voices()

            assert [voice.name for voice in made.voices] == ["anna"]
            assert server.voices_asked == 0


@pytest.mark.parametrize(
    ("model", "operators", "sent"),
    [("gpt-4o-mini-tts", None, "Whisper."), ("tts-1", None, None), ("cosyvoice", "Be kind.", "Whisper.")],
)
async def test_a_callers_instructions_reach_who_takes_them(model: str, operators: str | None, sent: str | None) -> None:
    async with speaking(None, SpeechOptions(instructions=operators), model=model) as (made, server):
        told = await ask(service(up=made), instructions="Whisper.")
        untold = await ask(service(up=made))

        assert (told.status_code, untold.status_code) == (200, 200)
        assert [seen.json.get("instructions") for seen in server.seen] == [sent, operators]


async def test_another_instruction_is_another_answer_only_where_it_is_heard() -> None:
    for model, hows in (("gpt-4o-mini-tts", ["miss", "miss", "hit"]), ("tts-1", ["miss", "hit", "hit"])):
        async with speaking(model=model) as (made, _):
            app = service(None, Cache(CacheOptions()), up=made)
            answers = [await ask(app, instructions=text) for text in ("Whisper.", "Shout.", "Whisper.")]

            assert [answer.headers["x-talkbox-cache"] for answer in answers] == hows


async def test_a_field_that_is_refused_is_left_out_and_the_sound_is_told_by_its_bytes() -> None:
    manner = Manner(lacks=("instructions", "response_format"), sends="wav")
    options = SpeechOptions(format="mp3", instructions="Softly.")
    async with speaking(manner, options, model="m") as (made, server):
        for _ in range(2):
            assert await said(made)
        assert made.detail == "asks m without instructions, response_format"

    assert len(server.seen) == 4
    assert not {"instructions", "response_format"} & server.seen[-1].json.keys()
