import asyncio
import html
from collections.abc import AsyncIterator, Callable

import pytest

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import Declined, EngineBusy, EngineFailed, EngineTimeout
from chassis.settings import SettingError, read
from imitations.edge import EdgeImitation, Trouble, mp3
from tts.app import assemble
from tts.engines import Engine
from tts.engines.edge.engine import Edge, EdgeOptions
from tts.settings import Settings
from tts.text.clauses import clauses
from tts.voices.choose import Voice, choose
from unit.tts.fakes import HELLO, FakeEngine, Heard, ask, gathered, service

TEXT = "Hello little bear, how are you today? I am very well indeed."
GUY = Voice("en-US-GuyNeural", "en-US", "male")


made: list[Edge] = []


@pytest.fixture(autouse=True)
async def _all_is_closed() -> AsyncIterator[None]:
    yield
    while made:
        await made.pop().aclose()


@pytest.fixture
async def imitation() -> AsyncIterator[EdgeImitation]:
    with EdgeImitation() as edge:
        yield edge
        while made:
            await made.pop().aclose()


def edge_at(url: str, patience: float = 4.0) -> Edge:
    made.append(Edge(EdgeOptions(url=url, first_audio_seconds=patience, gap_seconds=patience)))
    return made[-1]


def impatient(url: str) -> Edge:
    return edge_at(url, 0.3)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def said(edge: Edge, text: str = TEXT, voice: Voice = GUY, speed: float = 1.0) -> bytes:
    return await gathered(edge.speak(text, voice, speed))


async def test_what_the_service_says_arrives_whole(imitation: EdgeImitation) -> None:
    assert await said(edge_at(imitation.url)) == mp3(TEXT)


async def test_the_service_is_told_text_voice_and_rate(imitation: EdgeImitation) -> None:
    await said(edge_at(imitation.url), "Tom & Jerry <3", speed=1.25)

    (heard,) = imitation.heard
    assert heard.text == "Tom & Jerry <3"
    assert heard.voice == "Microsoft Server Speech Text to Speech Voice (en-US, GuyNeural)"
    assert heard.rate == "+25%"


@pytest.mark.parametrize(("speed", "rate"), [(0.5, "-50%"), (1.0, "+0%"), (2.0, "+100%")])
async def test_rates_are_percentages(imitation: EdgeImitation, speed: float, rate: str) -> None:
    await said(edge_at(imitation.url), speed=speed)

    assert imitation.heard[0].rate == rate


async def test_markup_in_the_text_is_text(imitation: EdgeImitation) -> None:
    await said(edge_at(imitation.url), "</prosody></voice><voice name='other'>")

    assert imitation.heard[0].ssml.count("<voice") == 1
    assert html.escape("</prosody>", quote=False) in imitation.heard[0].ssml


async def test_the_first_sound_is_passed_on_at_once(imitation: EdgeImitation) -> None:
    imitation.turn(trouble="stall", messages_before_trouble=1)
    spoken = edge_at(imitation.url, patience=60).speak(TEXT, GUY, 1.0)

    async with asyncio.timeout(30):  # a second message never comes
        first = await anext(spoken)
    await spoken.aclose()

    assert mp3(TEXT).startswith(first)


async def test_a_clock_that_is_wrong_is_corrected_once(imitation: EdgeImitation) -> None:
    imitation.turn(trouble="403-once")

    assert await said(edge_at(imitation.url)) == mp3(TEXT)
    assert imitation.handshakes in (2, 3)  # the third for the next sentence


@pytest.mark.parametrize(
    ("trouble", "failure", "words", "rests"),
    [
        ("403", EngineFailed, "403", True),
        ("429", EngineBusy, "429", True),
        ("500", EngineFailed, "500", False),
        ("no-audio", EngineFailed, "no audio", False),
        ("drop-at-once", EngineFailed, "no audio", False),
        ("drop", EngineFailed, "hung up in the middle", False),
        ("unknown-path", EngineFailed, "UnknownResponse", False),
    ],
)
async def test_every_trouble_is_a_failure_with_a_name(
    imitation: EdgeImitation, trouble: Trouble, failure: type[EngineFailed], words: str, rests: bool
) -> None:
    imitation.turn(trouble=trouble)

    with pytest.raises(failure, match=words) as failed:
        await said(edge_at(imitation.url))
    assert (failed.value.rest_seconds is not None) == rests


async def test_a_connection_dropped_in_mid_sentence_gives_what_was_said_and_then_fails(
    imitation: EdgeImitation,
) -> None:
    imitation.turn(trouble="drop", messages_before_trouble=2)
    spoken = edge_at(imitation.url).speak(TEXT, GUY, 1.0)

    assert mp3(TEXT).startswith(await anext(spoken) + await anext(spoken))
    with pytest.raises(EngineFailed, match="hung up"):
        await anext(spoken)


@pytest.mark.parametrize("trouble", ["stall", "stall-at-once"])
async def test_a_stalled_service_is_given_up_within_the_patience(imitation: EdgeImitation, trouble: Trouble) -> None:
    imitation.turn(trouble=trouble)

    async with asyncio.timeout(9):  # edge-tts itself would wait ten seconds for the other side to hang up
        with pytest.raises(EngineTimeout, match=r"silent for 0\.3 s"):
            await said(impatient(imitation.url))


async def test_slowness_within_the_patience_is_no_failure(imitation: EdgeImitation) -> None:
    imitation.turn(first_audio_seconds=0.1, message_seconds=0.02)

    assert await said(edge_at(imitation.url)) == mp3(TEXT)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://edge.invalid"])
async def test_without_a_network_it_fails_at_once_and_rests(url: str) -> None:
    with pytest.raises(EngineFailed, match="cannot be reached") as failed:
        await said(edge_at(url, patience=60))
    assert failed.value.rest_seconds


async def test_a_voice_that_is_silent_on_another_language_declines(imitation: EdgeImitation) -> None:
    imitation.turn(trouble="no-audio")

    with pytest.raises(Declined, match="silent on this text"):
        await said(edge_at(imitation.url), "你好")


async def test_one_who_leaves_hangs_up(imitation: EdgeImitation) -> None:
    imitation.turn(trouble="stall")
    edge = edge_at(imitation.url)
    spoken = edge.speak(TEXT, GUY, 1.0)
    await anext(spoken)

    async with asyncio.timeout(9):  # edge-tts itself would wait ten seconds for the other side to hang up
        await spoken.aclose()

    assert await asyncio.to_thread(imitation.hung_up.wait, 30)
    await edge.aclose()


async def test_a_long_chinese_text_reaches_the_service_whole(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)
    text = "从前有一只小熊，住在森林里" * 300 + "&<>" * 60

    for clause in clauses(text, edge.lengths):
        await said(edge, clause)

    assert "".join(heard.text for heard in imitation.heard) == text
    assert len(imitation.heard) > 2
    assert all(len(html.escape(heard.text, quote=False).encode()) <= 4096 for heard in imitation.heard)


async def test_a_long_story_is_one_mp3_made_by_few_connections_side_by_side(imitation: EdgeImitation) -> None:
    imitation.turn(first_audio_seconds=0.2)
    story = "从前有一只小熊，它住在一片很大很大的森林里，每天都出去找蜂蜜吃。" * 60

    response = await ask(service(edge=edge_at(imitation.url)), input=story, voice="zh-CN-XiaoxiaoNeural")

    assert "".join(sorted(heard.text for heard in imitation.heard)).count("从前") == 60
    assert 4 <= len(imitation.heard) <= 12
    apart = sum(Heard(mp3(heard.text)).seconds for heard in imitation.heard)
    assert Heard(response.content).seconds == pytest.approx(apart, rel=0.1)
    assert imitation.heard[0].text == story[: len(imitation.heard[0].text)]


async def test_a_voice_that_hangs_up_in_a_later_clause_breaks_the_answer_off(imitation: EdgeImitation) -> None:
    imitation.turn(trouble="drop")
    story = "从前有一只小熊，它住在一片很大很大的森林里，每天都出去找蜂蜜吃。" * 30

    response = await ask(service(edge=edge_at(imitation.url)), input=story, stream_format="sse")

    assert '"error"' in response.text.strip().split("\n\n")[-1] or response.status_code == 502


async def test_many_at_once_are_served_side_by_side(imitation: EdgeImitation) -> None:
    imitation.turn(first_audio_seconds=0.3)
    texts = [f"Sentence number {number}." for number in range(8)]
    edge = edge_at(imitation.url)

    sounds = await asyncio.gather(*(said(edge, text) for text in texts))

    assert sounds == [mp3(text) for text in texts]
    assert imitation.most_open >= 8


async def test_the_next_sentence_waits_for_no_handshake(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)
    await said(edge)
    await until(lambda: edge.connections_ahead == 1)
    imitation.turn(handshake_seconds=60.0)

    assert await said(edge, "The next one.") == mp3("The next one.")

    await edge.aclose()
    assert [heard.text for heard in imitation.heard] == [TEXT, "The next one."]


async def test_what_is_opened_ahead_is_little_and_closed_in_the_end(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)
    await asyncio.gather(*(said(edge, f"Number {number}.") for number in range(8)))
    await until(lambda: edge.connections_ahead == 2)

    await edge.aclose()

    await until(lambda: imitation.open == 0)
    assert imitation.handshakes <= 8 + 2


async def test_a_connection_that_died_while_it_waited_costs_nobody_his_sentence(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)
    await said(edge)
    await until(lambda: edge.connections_ahead == 1)
    imitation.turn(trouble="dead-when-used")

    assert await said(edge, "The next one.") == mp3("The next one.")


async def test_a_connection_that_was_closed_while_it_waited_is_not_used(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)
    await said(edge)
    await until(lambda: edge.connections_ahead == 1)
    imitation.hang_up()
    await until(lambda: edge.connections_ahead == 0)

    assert await said(edge, "The next one.") == mp3("The next one.")


async def test_where_none_can_be_opened_ahead_it_is_not_tried_again_and_again(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)
    imitation.turn(trouble="first-only")

    await said(edge)
    await until(lambda: imitation.handshakes == 2)
    with pytest.raises(EngineFailed):
        await said(edge)
    assert imitation.handshakes == 3


def test_voices_are_known_without_asking() -> None:
    edge = Edge(EdgeOptions())

    def found(asked: str, text: str) -> str:
        return choose(edge.voices, edge.voice(asked), asked, text, "en").name

    assert found("alloy", "你好") == "zh-CN-XiaoxiaoNeural"
    assert found("onyx", "你好") != found("nova", "你好")
    assert found("alloy", "Hello") == "en-US-EmmaMultilingualNeural"
    assert found("guodegang", "こんにちは") == "ja-JP-NanamiNeural"
    assert found("zh-cn-yunxineural", "你好") == "zh-CN-YunxiNeural"
    assert found("cmn", "Hello") == "zh-CN-XiaoxiaoNeural"
    assert found("zh-CN-liaoning-XiaobeiNeural", "你好") == "zh-CN-liaoning-XiaobeiNeural"
    assert found("en-US-GuyNeural", "你好") == "zh-CN-YunxiNeural"
    assert found("en-US-AvaMultilingualNeural", "你好") == "en-US-AvaMultilingualNeural"
    assert found("iu-Latn-CA-SiqiniqNeural", "Hello") == "iu-Latn-CA-SiqiniqNeural"  # not in our list, yet it may exist


def test_the_operator_may_prefer_others() -> None:
    edge = Edge(EdgeOptions(voices=("zh-CN-YunxiNeural", "en-US-AnaNeural")))

    assert choose(edge.voices, None, "alloy", "你好", "en").name == "zh-CN-YunxiNeural"
    assert choose(edge.voices, None, "alloy", "Hello", "en").name == "en-US-AnaNeural"
    with pytest.raises(SettingError, match="'guodegang'"):
        Edge(EdgeOptions(voices=("guodegang",)))


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_patience_of_no_time_is_refused(seconds: str) -> None:
    with pytest.raises(SettingError, match="EDGE_GAP_SECONDS"):
        read(EdgeOptions, {"EDGE_GAP_SECONDS": seconds})


async def test_the_services_own_list_is_asked_once_and_then_believed(imitation: EdgeImitation) -> None:
    edge = edge_at(imitation.url)

    await asyncio.gather(edge.refresh_voices(), edge.refresh_voices())

    assert edge.voices[0] == Voice("zh-CN-XiaoxiaoNeural", "zh-CN", "female")
    assert edge.voices[-1] == Voice("eo-XX-ZamenhofNeural", "eo-XX", "male", late=True)
    assert edge.voice("en-US-NobodyNeural") is None
    imitation.turn(trouble="500")
    await edge.refresh_voices()
    assert len(edge.voices) == 5


@pytest.mark.parametrize("trouble", ["403", "500"])
async def test_a_list_that_does_not_come_leaves_what_was_known(imitation: EdgeImitation, trouble: Trouble) -> None:
    imitation.turn(trouble=trouble)
    edge = edge_at(imitation.url)
    known = list(edge.voices)

    await edge.refresh_voices()

    assert edge.voices == known


@pytest.mark.parametrize("trouble", ["403", "500", "no-audio", "drop-at-once", "stall-at-once", "unknown-path"])
async def test_in_a_chain_the_next_engine_answers_for_it(imitation: EdgeImitation, trouble: Trouble) -> None:
    imitation.turn(trouble=trouble)

    response = await ask(service(edge=impatient(imitation.url), fake=FakeEngine()))

    assert (response.status_code, response.headers["x-talkbox-engine"]) == (200, "fake")


async def test_an_mp3_caller_gets_the_services_own_bytes_and_others_a_decodable_file(
    imitation: EdgeImitation,
) -> None:
    app = service(edge=edge_at(imitation.url))

    assert (await ask(app, input=TEXT)).content == mp3(TEXT)
    opus = Heard((await ask(app, input=TEXT, response_format="opus")).content)
    assert opus.seconds == pytest.approx(Heard(mp3(TEXT)).seconds, abs=0.1)


async def test_a_speed_beyond_the_services_own_is_stretched(imitation: EdgeImitation) -> None:
    response = await ask(service(edge=edge_at(imitation.url)), input=TEXT, speed=4)

    assert imitation.heard[0].rate == "+100%"
    assert Heard(response.content).seconds == pytest.approx(Heard(mp3(TEXT)).seconds / 2, abs=0.15)


async def test_a_service_that_hangs_costs_one_sentence_and_comes_back_by_itself(
    imitation: EdgeImitation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.chain.seat.FIRST_REST_SECONDS", 0.1)
    imitation.turn(trouble="stall-at-once")
    seat = Seat[Engine].of("edge", impatient(imitation.url))
    assert (seat.state.state, seat.state.detail) == ("ready", "not tried yet")
    chain: Chain[Engine] = Chain([seat, Seat[Engine].of("flite", FakeEngine())])
    app = assemble(Settings(), chain)

    spoken = [(await ask(app)).headers["x-talkbox-engine"] for _ in range(3)]
    assert spoken == ["flite"] * 3
    assert [heard.text for heard in imitation.heard].count(HELLO["input"]) == 1, "the others did not wait for it"
    assert seat.state.state == "resting"

    imitation.turn(trouble="none")
    await until(lambda: seat.state.state == "ready")
    assert seat.state.detail is None
    assert (await ask(app)).headers["x-talkbox-engine"] == "edge"
