import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from math import inf
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY

from chassis.chain.answer import Work
from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import Declined, EngineFailed, EngineUnavailable, TooBusy
from chassis.settings import SettingError
from fixtures import sounds
from stt.engines import Engine
from stt.engines.sphinx import engine
from stt.engines.sphinx.engine import Sphinx, SphinxOptions
from stt.engines.sphinx.process_pool import PROGRAM
from stt.hearing import RATE, Heard, Hints, Pcm
from unit.stt.fakes import FakeEngine, loaded_sphinx

speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")


@pytest.fixture
async def sphinx() -> AsyncIterator[Sphinx]:
    async with loaded_sphinx() as engine:
        yield engine


async def text(engine: Sphinx, pcm: Pcm) -> str:
    heard = [piece async for piece in engine.transcribe(pcm, Hints(language="en"))]
    return "".join(segment.text for piece in heard for segment in piece.segments).strip()


@speaks
async def test_it_hears_what_flite_says_one_after_the_other(sphinx: Sphinx) -> None:
    assert await text(sphinx, sounds.spoken("What is the weather like today?")) == "what is the weather like today"
    assert await text(sphinx, sounds.spoken("Please tell me a story.")) == "please tell me a story"


@speaks
async def test_words_have_their_times_in_the_whole_recording(sphinx: Sphinx) -> None:
    pcm = np.concatenate([sounds.silence(4), sounds.spoken("hello little bear")])

    [piece] = [piece async for piece in sphinx.transcribe(pcm, Hints(words=True))]

    [segment] = piece.segments
    assert segment.text == " hello little bear"
    assert [word.word for word in segment.words] == ["hello", "little", "bear"]
    assert 4 < segment.start == segment.words[0].start < 4.5
    assert segment.end == segment.words[-1].end < len(pcm) / sounds.RATE + 0.1
    assert all(word.start < word.end for word in segment.words)


@speaks
async def test_a_long_recording_comes_in_pieces(sphinx: Sphinx) -> None:
    said = sounds.spoken("good morning")
    pcm = np.concatenate([said, sounds.silence(2), said])

    pieces = [piece async for piece in sphinx.transcribe(pcm, Hints())]

    assert [segment.text for piece in pieces for segment in piece.segments] == [" good morning"] * 2
    assert len(pieces) == 2


@pytest.mark.parametrize(
    "sound", [sounds.silence(2), sounds.noise(2), sounds.tone(2)], ids=["silence", "noise", "tone"]
)
async def test_where_nobody_speaks_there_is_one_piece_without_words(sphinx: Sphinx, sound: sounds.Samples) -> None:
    [piece] = [piece async for piece in sphinx.transcribe(sound, Hints())]

    assert piece.segments == ()
    assert piece.language == "en"


async def test_another_language_is_declined(sphinx: Sphinx) -> None:
    assert sphinx.hears("en")
    assert sphinx.hears(None)
    assert not sphinx.hears("zh")
    with pytest.raises(Declined):
        await anext(sphinx.transcribe(sounds.silence(1), Hints(language="zh")))


def process_ids(engine: Sphinx) -> list[int]:
    return [process._process.pid for process in engine._pool._idle]


@speaks
async def test_a_process_that_dies_is_replaced(sphinx: Sphinx) -> None:
    [dead] = process_ids(sphinx)
    os.kill(dead, signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, dead, os.WEXITED | os.WNOWAIT)

    assert await text(sphinx, sounds.spoken("good morning")) == "good morning"
    assert dead not in process_ids(sphinx)


@speaks
async def test_one_that_dies_at_work_is_a_failure_of_the_engine_and_replaced(sphinx: Sphinx) -> None:
    [dying] = process_ids(sphinx)
    os.kill(dying, signal.SIGSTOP)
    hearing = asyncio.create_task(text(sphinx, sounds.spoken("good morning")))
    while process_ids(sphinx):
        await asyncio.sleep(0.01)
    os.kill(dying, signal.SIGKILL)

    with pytest.raises(EngineFailed):
        await hearing
    assert await text(sphinx, sounds.spoken("good morning")) == "good morning"


@speaks
async def test_who_waits_for_a_process_is_counted_while_that_is_so() -> None:
    def queued() -> float:
        return REGISTRY.get_sample_value("talkbox_queued", {"for": "engine"}) or 0.0

    before, sphinx = queued(), Sphinx(processes=1)
    sphinx.patience_seconds = inf
    with sphinx._pool.lent():
        pass  # it is started, and idle
    [busy] = process_ids(sphinx)
    os.kill(busy, signal.SIGSTOP)
    hearing = [asyncio.create_task(text(sphinx, sounds.spoken("good morning"))) for _ in range(3)]
    async with asyncio.timeout(60):
        while process_ids(sphinx) or queued() != before + 2:
            await asyncio.sleep(0.01)
        os.kill(busy, signal.SIGCONT)
        assert await asyncio.gather(*hearing) == ["good morning"] * 3
    await sphinx.aclose()

    assert queued() == before


@speaks
async def test_a_caller_who_leaves_ends_the_work_at_once(sphinx: Sphinx) -> None:
    [busy] = process_ids(sphinx)
    process = sphinx._pool._idle[0]
    os.kill(busy, signal.SIGSTOP)  # it would take for ever
    hearing = sphinx.transcribe(sounds.spoken("good morning"), Hints())
    async with aclosing(hearing):  # type: ignore[type-var]  # it is a generator
        first = asyncio.ensure_future(anext(hearing))
        while process_ids(sphinx):
            await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

    async with asyncio.timeout(60):
        while process.alive:
            await asyncio.sleep(0.01)
        assert await text(sphinx, sounds.spoken("good morning")) == "good morning"


@speaks
async def test_several_at_once_each_hear_their_own(sphinx: Sphinx) -> None:
    first, second = sounds.spoken("good morning"), sounds.spoken("please tell me a story")

    heard = await asyncio.gather(*(text(sphinx, sound) for sound in (first, second, first, second)))

    assert heard == ["good morning", "please tell me a story"] * 2


async def test_closing_it_leaves_no_process() -> None:
    engine = await asyncio.to_thread(Sphinx.load, "sphinx", lambda doing, part: None)
    processes = [process._process for process in engine._pool._idle]

    await engine.aclose()

    assert [process.returncode for process in processes] == [-signal.SIGKILL]


def test_a_process_ends_with_its_input_and_not_with_a_signal_to_the_group() -> None:
    process = subprocess.Popen([sys.executable, "-P", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.read(4)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        samples = bytes(3200)
        process.stdin.write(len(samples).to_bytes(4, "little") + samples)
        process.stdin.flush()
        assert process.stdout.read(2) == b"[]", "it is ready"
        _, _, words = json.loads(process.stdout.read(int.from_bytes(process.stdout.read(4), "little")))
        assert words == []
        process.stdin.close()

        assert process.wait(30) == 0


GRAMMAR = """#JSGF V1.0;
/* what a bear is told */
grammar bear;
<verb> = /2.0/ tell me {tag} | sing;  // it can do both
public <command> = please <verb> [a] (story | song) | good night;
"""


@asynccontextmanager
async def listening(monkeypatch: pytest.MonkeyPatch, **settings: str) -> AsyncIterator[Sphinx]:
    for name, value in settings.items():
        monkeypatch.setenv(f"SPHINX_{name.upper()}", value)
    engine = await asyncio.to_thread(Sphinx.load, "sphinx", lambda doing, part: None)
    try:
        yield engine
    finally:
        await engine.aclose()


@speaks
async def test_with_a_grammar_it_hears_what_that_allows_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bear.jsgf").write_text(GRAMMAR)

    async with listening(monkeypatch, grammar=str(tmp_path / "bear.jsgf")) as engine:
        assert await text(engine, sounds.spoken("Please tell me a story.")) == "please tell me a story"
        assert await text(engine, sounds.spoken("Please sing a song.")) == "please sing a song"
        assert await text(engine, sounds.spoken("What is the weather like today?")) == ""


@speaks
async def test_keywords_are_heard_among_other_words_with_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    pcm = sounds.spoken("Well hello bear I think it is time now good night.")

    async with listening(monkeypatch, keywords="Good Night, hello  bear=1e-25") as engine:
        [piece] = [piece async for piece in engine.transcribe(pcm, Hints(words=True))]
        assert await text(engine, sounds.spoken("What is the weather like today?")) == ""

    [segment] = piece.segments
    assert segment.text == " hello bear good night"
    assert [word.word for word in segment.words] == ["hello bear", "good night"]
    assert segment.words[0].end <= segment.words[1].start


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keywords": "hello xiaobao,momo"}, "no 'xiaobao', 'momo';"),
        ({"grammar": "#JSGF V1.0; grammar qq; public <c> = hello xiaobao;"}, "no 'xiaobao';"),
        ({"grammar": "#JSGF V1.0; grammar b public = = hello;"}, "is no JSGF grammar"),
        ({"grammar": None}, "cannot be read"),
    ],
)
async def test_what_it_cannot_listen_for_is_refused_at_the_start_by_name(
    settings: dict[str, str | None], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "grammar" in settings:
        if settings["grammar"] is not None:
            (tmp_path / "b.jsgf").write_text(settings["grammar"])
        settings = {"grammar": str(tmp_path / "b.jsgf")}

    with pytest.raises(EngineUnavailable, match=message):
        async with listening(monkeypatch, **{name: value for name, value in settings.items() if value}):
            pass


@pytest.mark.parametrize(
    "options", [SphinxOptions(grammar=Path("b.jsgf"), keywords=("stop",)), SphinxOptions(keywords=("stop=often",))]
)
def test_settings_that_contradict_each_other_or_are_no_number_are_named(options: SphinxOptions) -> None:
    with pytest.raises(SettingError, match="SPHINX_KEYWORDS"):
        Sphinx(options=options)


@speaks
async def test_of_a_burst_those_who_would_wait_too_long_are_refused_at_once() -> None:
    engine = Sphinx(processes=1)
    said = sounds.spoken("good morning")
    engine.pace.seconds = 1.5 * RATE / len(said)  # a busy machine: one and a half seconds for each
    try:
        burst = [asyncio.create_task(text(engine, said)) for _ in range(5)]
        refused, waiting = await asyncio.wait(burst, return_when=asyncio.FIRST_COMPLETED)

        assert sum(not task.done() for task in burst) == 2, "none of them has been heard yet"
        for task in refused:
            with pytest.raises(TooBusy) as refusal:
                await task
            assert refusal.value.headers["retry-after"] == "5"
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert "good morning" in answers
        assert all(answer == "good morning" or isinstance(answer, TooBusy) for answer in answers), "or slower than that"
    finally:
        await engine.aclose()


@speaks
async def test_a_place_is_free_again_when_its_caller_has_left() -> None:
    engine = Sphinx(processes=1)
    engine.pace.seconds = 100.0
    try:
        hearing = asyncio.create_task(text(engine, sounds.spoken("good morning")))
        while not len(engine.pace):
            await asyncio.sleep(0)
        hearing.cancel()
        await asyncio.wait([hearing])

        assert await text(engine, sounds.spoken("good morning")) == "good morning"
        assert engine.pace.seconds < 100, "it has learned better"
    finally:
        await engine.aclose()


async def test_it_stands_in_for_better_ones_and_is_not_asked_ahead_of_its_turn() -> None:
    class Silent(FakeEngine):
        async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
            await asyncio.sleep(0.1)
            yield Heard(language="en")

    sphinx = Sphinx(processes=1)
    chain: Chain[Engine] = Chain([Seat.of("better", Silent()), Seat.of("sphinx", sphinx)], hedge_seconds=0.01)
    try:
        answer = await chain.answer(
            "whisper-1", lambda engine, _: Work(engine.transcribe(sounds.silence(1), Hints()), None)
        )
        await answer.aclose()
    finally:
        await sphinx.aclose()

    assert answer.engine == "better"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
@speaks
async def test_its_processes_step_back_equally_whoever_starts_them(sphinx: Sphinx) -> None:
    """Those started by a thread that has stepped back did so twice, and were starved on a busy machine."""
    await asyncio.gather(*(text(sphinx, sounds.spoken("good morning")) for _ in range(2 * sphinx.pace.places)))

    own = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in process_ids(sphinx)} == {min(19, own + 5)}


@speaks
async def test_what_does_not_fit_its_words_is_declined_unless_english_is_stated(
    sphinx: Sphinx, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = sounds.spoken("Please tell me a story.")
    assert [piece async for piece in sphinx.transcribe(said, Hints())]

    monkeypatch.setattr(engine, "LIKELY_ENGLISH", -1.0)

    with pytest.raises(Declined, match="does not sound like it"):
        async for _ in sphinx.transcribe(said, Hints()):
            pass
    assert await text(sphinx, said) == "please tell me a story"


@speaks
async def test_what_a_grammar_allows_is_heard_however_badly_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grammar = tmp_path / "toy.gram"
    grammar.write_text("#JSGF V1.0; grammar toy; public <toy> = hello bear | good night;")
    monkeypatch.setattr(engine, "LIKELY_ENGLISH", -1.0)
    sphinx = Sphinx(1, SphinxOptions(grammar=grammar))

    pieces = [piece async for piece in sphinx.transcribe(sounds.spoken("good night"), Hints())]

    assert [segment.text for piece in pieces for segment in piece.segments] == [" good night"]
    await sphinx.aclose()


async def test_engines_ahead_leave_it_the_time_that_a_recording_of_this_length_needs() -> None:
    sphinx = Sphinx(1)
    sphinx.pace.seconds = 0.4

    assert sphinx.needs(1.0) == 1.0
    assert sphinx.needs(6.0) == pytest.approx(2.4)
    await sphinx.aclose()
