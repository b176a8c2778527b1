import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from time import monotonic
from typing import Any

import numpy as np
import pytest

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import (
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    EngineUnpaid,
    EngineWithoutModel,
    NotFound,
)
from chassis.settings import SettingError
from chassis.upstream.refusals.meaning import TooMuch
from chassis.upstream.settings import Row
from fixtures import sounds
from imitations.transcription import MANNERS, Manner, TranscriptionServer
from stt.app import create_app
from stt.engines import Engine
from stt.engines.openai.engine import HearingRowOptions, OpenAITranscriptions
from stt.engines.openai.providers import PROVIDERS, UPSTREAMS, HearingProvider
from stt.hearing import Heard, Hints, Pcm
from unit.stt.fakes import HELLO, FakeEngine, ask, decoded, service

pytestmark = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")

KEY = "sk-secret-1234567"
SPOKEN = sounds.spoken("Hello little bear.") if sounds.can_speak() else sounds.silence(1)
TEXT = "hello little bear"


def engine(
    server: TranscriptionServer | None, options: HearingRowOptions | None = None, **row: Any
) -> OpenAITranscriptions:
    address = server.base_url if server else "http://127.0.0.1:9/v1"
    settled = Row(**{"name": "up", "base_url": address, "api_key": KEY, "prefix": "STT_UP_", **row})
    return OpenAITranscriptions(settled, options or HearingRowOptions(), HearingProvider(None))


@asynccontextmanager
async def listening(
    manner: Manner | None = None, options: HearingRowOptions | None = None, **row: Any
) -> AsyncIterator[tuple[OpenAITranscriptions, TranscriptionServer]]:
    async with TranscriptionServer(manner) as server:
        made = engine(server, options, **row)
        try:
            yield made, server
        finally:
            await made.aclose()


async def heard(made: Engine, hints: Hints | None = None, pcm: Pcm = SPOKEN) -> list[Heard]:
    return [piece async for piece in made.transcribe(pcm, hints or Hints())]


def text_of(pieces: list[Heard]) -> str:
    return "".join(segment.text for piece in pieces for segment in piece.segments)


async def refused(manner: Manner, options: HearingRowOptions | None = None, hints: Hints | None = None) -> Exception:
    async with listening(manner, options) as (made, _):
        with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is what is asked)
            await heard(made, hints)
    return caught.value


async def test_the_server_is_asked_as_openai_would_be() -> None:
    hints = Hints(language="en", prompt="bears", hotwords=("Momo", "小熊"), temperature=0.5)
    async with listening(model="m") as (made, server):
        [piece] = await heard(made, hints)

    [seen] = server.seen
    assert seen.fields == {
        "model": ["m"],
        "response_format": ["json"],
        "language": ["en"],
        "prompt": ["Momo, 小熊 bears"],
        "temperature": ["0.5"],
    }
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert (piece.language, text_of([piece])) == ("en", TEXT)


@pytest.mark.parametrize(("form", "most"), [("wav", 1.01), ("flac", 0.75), ("mp3", 0.25), ("opus", 0.2)])
async def test_what_is_sent_is_small_and_the_speech_alone(form: Any, most: float) -> None:
    pcm = np.concatenate([sounds.silence(5), SPOKEN, sounds.silence(5)])
    async with listening(None, HearingRowOptions(format=form)) as (made, server):
        await heard(made, pcm=pcm)

    [seen] = server.seen
    sent = decoded(seen.file)
    assert len(sent) / sounds.RATE == pytest.approx(len(SPOKEN) / sounds.RATE, abs=0.8)
    assert len(seen.file) < 2 * most * len(sent) + 100
    assert seen.name == {"opus": "speech.ogg"}.get(form, f"speech.{form}")
    loud = np.abs(SPOKEN).max()
    assert np.abs(sent).max() == pytest.approx(loud, rel=0.15)


@pytest.mark.parametrize(
    "sound", [sounds.silence(2), sounds.noise(2), sounds.tone(2)], ids=["silence", "noise", "tone"]
)
async def test_nothing_is_sent_where_nobody_speaks(sound: Pcm) -> None:
    async with listening() as (made, server):
        [piece] = await heard(made, pcm=sound)

    assert piece.segments == ()
    assert server.seen == []


async def test_times_are_those_of_the_recording_and_not_of_what_was_sent() -> None:
    pcm = np.concatenate([sounds.silence(5), SPOKEN])
    async with listening() as (made, server):
        [piece] = await heard(made, Hints(times=True, words=True), pcm)

    assert server.seen[0].fields["response_format"] == ["verbose_json"]
    assert server.seen[0].fields["timestamp_granularities[]"] == ["segment", "word"]
    [segment] = piece.segments
    assert piece.language == "en"
    assert (segment.text, segment.avg_logprob) == (f" {TEXT}", -0.25)
    assert [word.word for word in segment.words] == TEXT.split()
    assert 4.3 < segment.start == segment.words[0].start < 5.3
    assert segment.words[1].start == pytest.approx(segment.start + 0.5, abs=0.02)
    assert segment.words[1].end == pytest.approx(segment.start + 1, abs=0.02)


@pytest.mark.parametrize("refuses", [True, False])
async def test_where_a_server_knows_only_texts_the_segment_is_the_whole_and_it_is_not_asked_for_more_again(
    refuses: bool,
) -> None:
    async with listening(Manner(knows=("json",), refuses=refuses)) as (made, server):
        first, second = [await heard(made, Hints(times=True)) for _ in range(2)]

    assert text_of(first) == text_of(second) == TEXT
    assert len(server.seen) == (3 if refuses else 2)
    [segment] = first[0].segments
    assert 0 <= segment.start < segment.end <= len(SPOKEN) / sounds.RATE


async def test_openais_models_without_times_are_not_asked_for_them() -> None:
    async with listening(Manner(knows=("json",)), model="gpt-4o-mini-transcribe") as (made, server):
        assert text_of(await heard(made, Hints(times=True))) == TEXT

    assert len(server.seen) == 1


async def test_what_sensevoice_says_of_the_sound_is_left_out_and_tells_the_language() -> None:
    async with listening(model="sensevoice") as (made, _):
        [piece] = await heard(made, Hints(times=True))

    assert (piece.language, text_of([piece])) == ("zh", "你好小熊")


@pytest.mark.parametrize(("text", "language"), [("小熊", "zh"), ("こんにちは", "ja"), ("안녕", "ko"), ("bear", "en")])
async def test_a_language_that_nobody_tells_is_seen_in_the_letters(text: str, language: str) -> None:
    async with listening(Manner(text=text)) as (made, _):
        [piece] = await heard(made)

    assert piece.language == language


async def test_words_are_relayed_as_they_come() -> None:
    async with listening(Manner(slice_seconds=0.2)) as (made, server):
        began = monotonic()
        pieces, first = [], 0.0
        async for piece in made.transcribe(SPOKEN, Hints(stream=True)):
            first = first or monotonic() - began
            pieces.append(piece)
        assert first < (monotonic() - began) / 2

    assert server.seen[0].fields["stream"] == ["true"]
    assert [text_of([piece]) for piece in pieces] == ["hello", " little", " bear"]


async def test_a_stream_of_segments_without_types_is_understood_too() -> None:
    async with listening(Manner(untyped=True, deltas=(" hello", " bear"))) as (made, _):
        assert text_of(await heard(made, Hints(stream=True))) == " hello bear"


async def test_tags_are_left_out_of_a_stream_even_in_pieces() -> None:
    deltas = ("<", "|zh|><|NEU", "TRAL|>", "🎼你好", "a < b", " <|Sp", "eech|>小熊😊", "<")
    async with listening(Manner(deltas=deltas)) as (made, _):
        pieces = await heard(made, Hints(stream=True))

    assert text_of(pieces) == "你好a < b 小熊<"
    assert pieces[0].language == "zh"


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_server_that_cannot_stream_answers_whole(refuses: bool) -> None:
    async with listening(Manner(knows=("json",), refuses=refuses)) as (made, _):
        assert text_of(await heard(made, Hints(stream=True))) == TEXT


async def test_streaming_can_be_turned_off() -> None:
    async with listening(None, HearingRowOptions(stream="off")) as (made, server):
        assert text_of(await heard(made, Hints(stream=True))) == TEXT

    assert "stream" not in server.seen[0].fields


async def test_a_stream_without_words_is_an_empty_text() -> None:
    async with listening(Manner(deltas=("",))) as (made, _):
        [piece] = await heard(made, Hints(stream=True))

    assert piece.segments == ()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("how", [Manner(cut_after=90), Manner(stall_after=90)], ids=["cut", "stall"])
async def test_an_answer_that_breaks_off_is_a_failure_and_never_a_hang(how: Manner, streams: bool) -> None:
    long = Manner(text="hello " * 30, cut_after=how.cut_after, stall_after=how.stall_after)
    failure = await refused(long, HearingRowOptions(gap_seconds=0.3), Hints(stream=streams))

    assert isinstance(failure, EngineFailed)


async def test_a_stream_that_ends_early_but_politely_is_broken_off_too() -> None:
    body = b'data: {"type": "transcript.text.delta", "delta": "hello"}\n\n'

    failure = await refused(Manner(body=body, claims="text/event-stream"), hints=Hints(stream=True))

    assert isinstance(failure, EngineFailed)
    assert "broke off" in str(failure)


async def test_a_caller_who_leaves_ends_the_work_there() -> None:
    async with listening(Manner(slice_seconds=0.3, text="hello " * 30)) as (made, server):
        async with aclosing(made.transcribe(SPOKEN, Hints(stream=True))) as pieces:  # type: ignore[type-var]
            await anext(pieces)
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
        ("error-in-stream", EngineFailed, "upstream_error"),
        ("html", EngineFailed, "upstream_error"),
        ("empty", EngineFailed, "upstream_error"),
        ("not-a-text", EngineFailed, "upstream_error"),
        ("cut", EngineFailed, "upstream_error"),
        ("blocked", BadRequest, "content_filter"),
        ("400", Declined, "invalid_file"),
        ("413", TooMuch, "request_too_large"),
        ("422", Declined, None),
    ],
)
async def test_what_goes_wrong_is_told_in_the_chains_terms(manner: str, kind: type[Exception], code: str) -> None:
    failure = await refused(MANNERS[manner])

    assert type(failure) is kind
    assert isinstance(failure, BadRequest | EngineFailed)
    assert failure.body["code"] == code
    assert "secret" not in str(failure)


@pytest.mark.parametrize("manner", ["silent", "slow"])
async def test_silence_is_not_waited_for_for_ever(manner: str) -> None:
    assert isinstance(await refused(MANNERS[manner], HearingRowOptions(answer_seconds=0.3)), EngineTimeout)


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    made = engine(None)

    with pytest.raises(EngineFailed, match=r"cannot reach http://127\.0\.0\.1:9"):
        await heard(made)
    await made.aclose()


async def test_a_key_that_is_refused_rests_and_the_next_one_is_used() -> None:
    async with listening(Manner(keys={"one": "401"}), api_key="one", more_keys=("two",)) as (made, server):
        for _ in range(3):
            assert text_of(await heard(made)) == TEXT
        assert made.detail == "1 of 2 keys rest"

    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer one", *["Bearer two"] * 3]


@pytest.mark.parametrize(
    ("row", "hints", "asked"),
    [
        ({}, Hints(named="gpt-4o-transcribe"), "gpt-4o-transcribe"),
        ({}, Hints(named="up"), "whisper-1"),
        ({"model": "mine"}, Hints(named="whisper-1"), "mine"),
        ({"model": "mine"}, Hints(named="up/other", model="other"), "other"),
        ({"model": "mine", "models": ("mine", "big")}, Hints(named="big"), "big"),
    ],
)
async def test_the_model_is_the_operators_unless_one_is_picked(row: dict[str, Any], hints: Hints, asked: str) -> None:
    async with listening(**row) as (made, server):
        await heard(made, hints)

    assert server.seen[0].fields["model"] == [asked]


async def test_a_picked_model_that_is_not_there_is_the_callers_mistake() -> None:
    async with listening() as (made, _):
        with pytest.raises(NotFound):
            await heard(made, Hints(named="up/404", model="404"))


async def test_through_the_service_a_model_is_picked_and_a_stream_relayed() -> None:
    async with listening(model="mine") as (made, server):
        app = service(chain=Chain([Seat.of("up", made)]))
        speech = sounds.wav(SPOKEN)
        response = await ask(app, speech, model="up/big", stream="true")
        subtitles = await ask(app, speech, model="whisper-1", response_format="srt")

    assert response.headers["x-talkbox-engine"] == "up"
    assert response.text.count("transcript.text.delta") == 3
    assert subtitles.text.endswith("hello little bear\n\n")
    assert [seen.fields["model"] for seen in server.seen] == [["big"], ["mine"]]


async def test_a_model_that_the_operator_did_not_list_is_not_asked_for() -> None:
    async with listening(model="mine", models=("mine", "big")) as (made, server):
        response = await ask(service(chain=Chain([Seat.of("up", made)])), sounds.wav(SPOKEN), model="up/huge")

    assert response.status_code == 404
    assert server.seen == []


async def test_where_it_fails_the_next_engine_hears() -> None:
    async with listening(MANNERS["401"]) as (made, _):
        chain: Chain[Engine] = Chain([Seat.of("up", made), Seat.of("b", FakeEngine(*HELLO))])
        response = await ask(service(chain=chain), sounds.wav(SPOKEN))

    assert response.headers["x-talkbox-engine"] == "b"


async def test_a_language_it_does_not_hear_is_declined() -> None:
    async with listening(None, HearingRowOptions(languages=("Chinese", "en-US"))) as (made, server):
        assert made.hears("zh")
        assert made.hears(None)
        with pytest.raises(Declined):
            await heard(made, Hints(language="fr"))

    assert server.seen == []


def test_a_language_that_does_not_exist_is_named_with_its_variable() -> None:
    with pytest.raises(SettingError, match="STT_UP_LANGUAGES"):
        engine(None, HearingRowOptions(languages=("klingonese",)))


@pytest.mark.parametrize("bad", [{"base_url": "nonsense"}, {"api_key": "schlüssel"}, {"proxy": "socks5://x"}])
def test_what_cannot_be_sent_is_refused_at_the_start(bad: dict[str, Any]) -> None:
    with pytest.raises(EngineUnavailable, match="STT_UP_BASE_URL"):
        engine(None, **bad)


async def test_a_row_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("STT_GROQ_MODEL", "whisper-large-v3")

    made = OpenAITranscriptions.load("groq", lambda doing, part: None)

    assert made.row == UPSTREAMS.row("groq")
    assert (made.row.base_url, made.row.model) == ("https://api.groq.com/openai/v1", "whisper-large-v3")
    await made.aclose()


def test_a_chain_of_engines_that_do_not_exist_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_ENGINES", "parrot")

    with pytest.raises(SettingError, match=r"'parrot'.*groq, .*sphinx, .*whisper"):
        create_app()


def test_a_row_of_ones_own_needs_an_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_ENGINES", "parrot,sphinx")
    monkeypatch.setenv("STT_PARROT_BASE_URL", "http://localhost:9/v1")

    create_app()


@pytest.mark.parametrize("name", PROVIDERS)
async def test_every_known_server_is_usable_with_its_key_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("OPENAI", "GROQ", "SILICONFLOW"):
        monkeypatch.setenv(f"{key}_API_KEY", KEY)

    made = OpenAITranscriptions.load(name, lambda doing, part: None)

    assert made.row.model
    await made.aclose()


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_a_long_recording_is_sent_in_small_files_and_comes_back_as_one_text(stream: str) -> None:
    talk = np.resize(np.concatenate([SPOKEN, sounds.silence(1)]), 90 * sounds.RATE)
    async with listening() as (made, server):
        response = await ask(service(made), sounds.wav(talk), stream=stream)

    assert len(server.seen) >= 4
    assert all(len(decoded(seen.file)) <= 28 * sounds.RATE for seen in server.seen)
    assert " ".join([TEXT] * len(server.seen)) in response.text


async def test_hints_that_are_refused_are_left_out_from_then_on() -> None:
    hints = Hints(prompt="Bear", temperature=0.5)
    async with listening(Manner(lacks=("prompt", "temperature")), model="m") as (made, server):
        for _ in range(2):
            assert text_of(await heard(made, hints)) == TEXT
        assert made.detail == "asks m without prompt, temperature"

    assert len(server.seen) == 4
    assert not {"prompt", "temperature"} & server.seen[-1].fields.keys()


async def test_a_field_that_is_not_there_is_not_left_out() -> None:
    failure = await refused(Manner(lacks=("model",)))

    assert isinstance(failure, EngineMisconfigured)
    assert "STT_UP_MODEL" in str(failure)


async def test_no_thread_of_one_that_is_closed_goes_on() -> None:
    before = set(threading.enumerate())
    async with listening() as (made, _):
        await heard(made)
        its_own = [each for each in threading.enumerate() if each not in before and each.name.startswith("upload")]

    assert its_own
    async with asyncio.timeout(10):
        while any(each.is_alive() for each in its_own):
            await asyncio.sleep(0.01)
