import asyncio
import base64
import io
import json
import threading
import wave
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import Declined, EngineFailed
from fixtures.serving import served
from tts.app import assemble
from tts.audio.pcm import Sound, pcm, silence
from tts.cache.cache import Cache
from tts.cache.settings import CacheOptions
from tts.engines import Engine
from tts.recent import RecentLanguages
from tts.settings import Settings
from tts.text.aside import LONG
from tts.voices.choose import Voice
from unit.tts.fakes import HELLO, SENTENCES, FakeEngine, Heard, ask, encoded, hum, service


def events(body: str) -> list[dict[str, Any]]:
    assert body.endswith("\n\n")
    lines = body.removesuffix("\n\n").split("\n\n")
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_an_engine_is_told_what_to_say_with_which_voice_and_how_fast() -> None:
    engine = FakeEngine(lengths=SENTENCES)

    response = await ask(service(fake=engine), input="你好。小熊！", voice="nova", speed=1.5)

    assert engine.said == [("你好。", "xiaoxiao", 1.5), ("小熊！", "xiaoxiao", 1.5)]
    assert response.headers["x-talkbox-engine"] == "fake"


async def test_clauses_are_joined_by_one_encoder_with_a_pause_between_them() -> None:
    response = await ask(service(fake=FakeEngine(hum(0.5), lengths=SENTENCES)), input="One. Two. Three.")

    heard = Heard(response.content)
    assert heard.seconds == pytest.approx(3 * 0.5 + 2 * 0.25, abs=0.1)
    assert heard.loudest < 9_000  # a second encoder's start would click


async def test_mp3_of_a_single_clause_is_passed_on_as_it_comes() -> None:
    engine = FakeEngine(b"frames", b"frames", sound=Sound("mp3", 24_000, 6_000))

    assert (await ask(service(fake=engine), input="One. Two.")).content == b"framesframes"


async def test_mp3_of_several_clauses_is_made_one_with_pauses_of_ours() -> None:
    sentence = encoded(silence(0.5) + hum(1.0) + silence(0.7))
    engine = FakeEngine(sentence, sound=Sound("mp3", 24_000, 8_000), lengths=SENTENCES)

    heard = Heard((await ask(service(fake=engine), input="One. Two. Three.")).content)

    assert heard.seconds == pytest.approx(3 * 1.0 + 2 * 0.25 + 0.7, abs=0.15)
    assert [silent for silent in heard.silences if silent > 0.1][:2] == pytest.approx([0.25, 0.25], abs=0.06)


@pytest.mark.parametrize(("speed", "native", "seconds"), [(4.0, 2.0, 1.0), (0.25, 0.5, 4.0), (1.2, 1.2, 2.0)])
async def test_what_an_engine_cannot_speed_up_itself_is_stretched(speed: float, native: float, seconds: float) -> None:
    engine = FakeEngine(hum(2.0))

    response = await ask(service(fake=engine), speed=speed)

    assert [said[2] for said in engine.said] == [native]
    assert Heard(response.content).seconds == pytest.approx(seconds, abs=0.15)


@pytest.mark.parametrize("text", ["。", "🐻🎉", " ", "...!?", "\u0000\u0007"])
@pytest.mark.parametrize("codec", ["mp3", "wav", "opus"])
async def test_a_text_with_nothing_to_say_is_a_short_silence_and_no_engine_is_asked(text: str, codec: str) -> None:
    engine = FakeEngine(hum(1.0), sound=pcm(16_000))

    response = await ask(service(fake=engine), input=text, response_format=codec)

    assert response.status_code == 200
    assert engine.said == []
    assert Heard(response.content).seconds == pytest.approx(0.3, abs=0.1)


async def test_clauses_without_a_word_are_not_given_to_the_engine() -> None:
    engine = FakeEngine(lengths=SENTENCES)

    await ask(service(fake=engine), input="Well. ……！ So\n***\n🐻", speakable=False)

    assert [said[0] for said in engine.said] == ["Well.", "……！ So"]


async def test_what_is_for_the_eye_is_left_out_unless_the_operator_or_the_caller_says_otherwise() -> None:
    on, off = Settings(), Settings(speakable=False)
    text = {"input": "*smiles* **Hi** 😀"}

    for settings, asked, said in [
        (on, {}, "Hi"),
        (on, {"speakable": False}, "*smiles* **Hi** 😀"),
        (off, {}, "*smiles* **Hi** 😀"),
        (off, {"speakable": True}, "Hi"),
    ]:
        engine = FakeEngine()
        await ask(service(settings, fake=engine), **text, **asked)
        assert [said[0] for said in engine.said] == [said]


async def test_an_engine_that_does_not_read_figures_is_given_words() -> None:
    plain, clever = FakeEngine(), FakeEngine()
    clever.reads_figures = True

    for engine in (plain, clever):
        await ask(service(fake=engine), input="I have 3 bears")

    assert plain.said[0][0] == "I have three bears"
    assert clever.said[0][0] == "I have 3 bears"


async def test_figures_are_read_as_the_voice_reads() -> None:
    engine = FakeEngine(voices=[Voice("denise", "fr-FR", "female")])

    await ask(service(fake=engine), input="Il a 3 ours", voice="denise")

    assert engine.said[0][0] == "Il a 3 ours"


async def test_nothing_of_a_long_text_without_punctuation_is_lost() -> None:
    engine = FakeEngine(hum(0.02))
    text = "熊" * 4096

    assert (await ask(service(fake=engine), input=text, response_format="pcm")).status_code == 200
    assert "".join(said[0] for said in engine.said) == text


async def test_control_characters_never_reach_an_engine() -> None:
    engine = FakeEngine()

    await ask(service(fake=engine), input="Hel\u0000lo\u001b[31m bear\ufffe")

    assert engine.said[0][0] == "Hel lo bear"


async def test_the_next_engine_answers_for_one_that_fails_or_declines() -> None:
    for first in (FakeEngine(error=EngineFailed("broke")), FakeEngine(declines=True), FakeEngine(voices=[])):
        response = await ask(service(first=first, second=FakeEngine()))

        assert (response.status_code, response.headers["x-talkbox-engine"]) == (200, "second")


async def test_an_engine_that_fails_at_once_is_a_502_and_not_a_broken_200() -> None:
    response = await ask(service(fake=FakeEngine(error=EngineFailed("it broke off"))))

    assert response.status_code == 502
    assert "it broke off" in response.json()["error"]["message"]


async def test_a_voice_that_no_engine_has_is_a_400_with_those_that_exist() -> None:
    only_german = FakeEngine(voices=[Voice("hans", "de-DE", "male")])

    response = await ask(service(fake=only_german), voice="zh-CN-XiaoxiaoNeural", input="你好")

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "voice"
    assert "hans" in response.json()["error"]["message"]


async def test_an_engine_is_asked_alone_by_its_name() -> None:
    app = service(first=FakeEngine(), second=FakeEngine())

    assert (await ask(app, model="second")).headers["x-talkbox-engine"] == "second"
    assert (await ask(app, model="tts-1-hd")).headers["x-talkbox-engine"] == "first"


async def test_a_model_that_an_engine_does_not_have_is_a_404() -> None:
    response = await ask(service(fake=FakeEngine()), model="fake/large")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"
    assert response.json()["error"]["param"] == "model"


@pytest.mark.parametrize("codec", ["mp3", "flac", "wav"])
async def test_events_carry_one_file_and_what_it_cost(codec: str) -> None:
    engine = FakeEngine(hum(1.0))

    response = await ask(service(fake=engine), stream_format="sse", response_format=codec, input="小熊 is here.")

    assert response.headers["content-type"].startswith("text/event-stream")
    *deltas, done = events(response.text)
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    sound = b"".join(base64.b64decode(delta["audio"], validate=True) for delta in deltas)
    assert Heard(sound).seconds == pytest.approx(1.0, abs=0.1)
    assert done == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 2 + 3, "output_tokens": 22, "total_tokens": 27},
    }


async def test_silence_comes_as_events_too() -> None:
    *deltas, done = events((await ask(service(fake=FakeEngine()), stream_format="sse", input="…")).text)

    assert deltas
    assert done["usage"]["output_tokens"] == 6


async def test_a_failure_before_the_first_event_is_an_answer_in_json() -> None:
    response = await ask(service(fake=FakeEngine(error=EngineFailed("it broke off"))), stream_format="sse")

    assert (response.status_code, response.headers["content-type"]) == (502, "application/json")


async def test_a_failure_in_mid_answer_is_the_last_event_and_there_is_no_done() -> None:
    engine = FakeEngine(hum(1.0), error=EngineFailed("it broke off"), after=1)

    *deltas, last = events((await ask(service(fake=engine), stream_format="sse")).text)

    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert last == {
        "error": {"message": "it broke off", "type": "server_error", "param": None, "code": "upstream_error"}
    }


def test_a_failure_in_mid_answer_breaks_the_body_off() -> None:
    engine = FakeEngine(hum(1.0), error=EngineFailed("it broke off"), after=1)

    with served(service(fake=engine)) as url, httpx.stream("POST", f"{url}/v1/audio/speech", json=HELLO) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()


async def test_the_first_sound_leaves_before_the_second_is_made() -> None:
    go = asyncio.Event()
    engine = FakeEngine(hum(1.0), hum(1.0), go=go)
    with served(service(fake=engine)) as url:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", f"{url}/v1/audio/speech", json=HELLO) as response,
        ):
            pieces = response.aiter_raw()
            assert len(await anext(pieces)) > 100


async def test_a_caller_who_leaves_stops_the_engine() -> None:
    go = asyncio.Event()
    engine = FakeEngine(hum(1.0), hum(1.0), go=go)
    with served(service(fake=engine)) as url:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", f"{url}/v1/audio/speech", json=HELLO) as response,
        ):
            pieces = response.aiter_raw()
            await anext(pieces)
            assert engine.closed == 0
        async with asyncio.timeout(30):
            while not engine.closed:
                await asyncio.sleep(0.01)


def hedged(cache: Cache | None = None) -> Starlette:
    """A service whose first engine is asked alone for 50 ms, and speaks after 200 ms, long before the second."""
    slow, slower = FakeEngine(seconds=0.2), FakeEngine(seconds=5.0, voices=[Voice("berta", "en-US", "female")])
    seats = [Seat[Engine].of("slow", slow), Seat[Engine].of("slower", slower)]
    return assemble(Settings(), Chain(seats, hedge_seconds=0.05), cache)


async def test_hedged_speech_that_the_first_engine_wins_is_kept_and_found_again() -> None:
    app = hedged(Cache(CacheOptions()))

    answers = [await ask(app) for _ in range(3)]

    assert [answer.headers["x-talkbox-engine"] for answer in answers] == ["slow"] * 3
    assert [answer.headers["x-talkbox-cache"] for answer in answers] == ["miss", "hit", "hit"]
    assert len({answer.content for answer in answers}) == 1


async def test_hedged_speech_reports_the_usage_of_the_engine_that_won() -> None:
    done = events((await ask(hedged(), stream_format="sse")).text)[-1]
    alone = events((await ask(service(fake=FakeEngine()), stream_format="sse")).text)[-1]

    assert done["usage"]["output_tokens"] > 0
    assert done == alone


async def test_an_engine_that_makes_no_sound_of_what_can_be_said_has_declined() -> None:
    mute, second = FakeEngine(silence(0.5)), FakeEngine()
    app = service(None, Cache(CacheOptions()), mute=mute, second=second)

    answers = [await ask(app, input="25") for _ in range(2)]

    assert [answer.headers["x-talkbox-engine"] for answer in answers] == ["second"] * 2
    assert Heard(answers[0].content).loudest > 1_000
    assert answers[1].headers["x-talkbox-cache"] in ("hit", "miss")


async def test_a_text_that_no_engine_makes_a_sound_of_is_an_error_and_no_silence() -> None:
    response = await ask(service(mute=FakeEngine(silence(0.5))), input="25")

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "input"


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
async def test_mp3_has_one_rate_whichever_engine_speaks(rate: int) -> None:
    response = await ask(service(fake=FakeEngine(hum(0.5, rate), sound=pcm(rate))))

    heard = Heard(response.content)
    assert heard.rate == 24_000
    assert heard.hertz == pytest.approx(300, rel=0.02)


async def test_what_is_kept_tells_its_length_and_gives_parts() -> None:
    app = service(None, Cache(CacheOptions()), fake=FakeEngine())
    first = await ask(app)

    again = await ask(app)
    assert again.headers["x-talkbox-cache"] == "hit"
    assert again.headers["content-length"] == str(len(first.content))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as client:
        part = await client.post("/v1/audio/speech", json=HELLO, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, first.content[10:20])


async def test_wav_that_is_kept_says_how_long_it_is() -> None:
    app = service(None, Cache(CacheOptions()), fake=FakeEngine(hum(0.5)))
    streamed, kept = [(await ask(app, response_format="wav")).content for _ in range(2)]

    assert streamed[44:] == kept[44:]
    with wave.open(io.BytesIO(kept)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(0.5, abs=0.12)


async def test_figures_alone_are_spoken_in_the_language_that_the_same_caller_heard_last() -> None:
    engine = FakeEngine()
    app = service(fake=engine)

    for text in ("答案是", "25", "And now", "25", "25。"):
        await ask(app, input=text)

    assert engine.said[1][:2] == ("二十五", "xiaoxiao")
    assert engine.said[3][:2] == ("twenty-five", "anna")
    assert engine.said[4][1] == "xiaoxiao"


async def test_an_engine_is_asked_to_accept_what_it_would_be_given() -> None:
    class Strict(FakeEngine):
        def accept(self, text: str, voice: Voice) -> None:
            if not text.isascii():
                raise Declined("English only", param="input")

    strict, second = Strict(), FakeEngine()
    await ask(service(strict=strict, second=second), input="5！")

    assert strict.said == []
    assert [said[0] for said in second.said] == ["五！"]


def test_no_more_callers_are_remembered_than_there_is_room_for() -> None:
    recent = RecentLanguages(most=2)
    for number in range(5):
        recent.note(str(number), "alloy", "zh")

    assert [recent.get(str(number), "alloy") for number in range(5)] == [None, None, None, "zh", "zh"]


async def test_nobody_waits_while_another_callers_figures_are_put_into_words() -> None:
    threads: list[threading.Thread] = []

    class Noting(FakeEngine):
        def accept(self, text: str, voice: Voice) -> None:
            assert text.startswith("five degrees")
            threads.append(threading.current_thread())

    await ask(service(noting=Noting()), input="5℃ " * (LONG // 2))

    assert threads
    assert threading.main_thread() not in threads


async def test_seconds_of_sound_that_an_engine_spoke_are_counted_and_those_kept_are_not() -> None:
    app = service(loud=FakeEngine(hum(2.0)), cache=Cache(CacheOptions()))

    for _ in range(2):
        await ask(app, voice="nova")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as http:
        lines = (await http.get("/metrics")).text.splitlines()
    [spoken] = [line for line in lines if line.startswith('talkbox_sound_seconds_total{engine="loud"}')]
    assert float(spoken.split()[1]) == pytest.approx(2.0, abs=0.2)
