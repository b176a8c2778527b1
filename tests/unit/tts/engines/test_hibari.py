"""The real voice: its weights are in the package."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import Any

import pytest

from chassis.errors import Declined, EngineFailed
from fixtures.tools import needs
from tts.engines.hibari import HEART, Hibari
from unit.tts.fakes import Heard, ask, gathered, service

pytestmark = needs(find_spec("hibari"), "the extra hibari is not installed")


@pytest.fixture
async def hibari() -> AsyncIterator[Hibari]:
    engine = Hibari.load("hibari", lambda doing, part: None)
    yield engine
    await engine.aclose()


async def test_a_sentence_sounds_as_long_as_it_takes_to_say(hibari: Hibari) -> None:
    assert hibari.detail == "loaded when it is needed"

    sound = await gathered(hibari.speak("Hello little bear, how are you today?", HEART, 1.0))

    assert 1.5 < len(sound) / 48_000 < 4.5
    assert hibari.detail is None


async def test_speed_is_its_own(hibari: Hibari) -> None:
    slow, fast = [len(await gathered(hibari.speak("Hello little bear.", HEART, speed))) for speed in (0.5, 2.0)]

    assert slow > 2 * fast


async def test_other_letters_than_latin_ones_are_declined(hibari: Hibari) -> None:
    with pytest.raises(Declined, match="English only"):
        hibari.accept("你好 little bear", HEART)


async def test_a_caller_hears_mp3_at_the_one_rate(hibari: Hibari) -> None:
    response = await ask(service(hibari=hibari), input="12 - 7 = 5", voice="nova")

    assert response.headers["x-talkbox-engine"] == "hibari"
    heard = Heard(response.content)
    assert heard.rate == 24_000
    assert heard.seconds > 1.0
    assert heard.loudest > 3_000


async def test_sentences_leave_as_they_are_made_and_a_caller_who_leaves_stops_the_next() -> None:
    class Model:
        def __init__(self) -> None:
            self.made = 0

        def stream(self, text: str, speed: float) -> Any:
            import numpy as np

            for _ in range(100):
                self.made += 1
                yield np.zeros(2_400, np.float32)

    model = Model()
    engine = Hibari(lambda: model)
    pieces = engine.speak("One. Two.", HEART, 1.0)
    assert len(await anext(pieces)) == 4_800
    await pieces.aclose()
    await asyncio.sleep(0.05)
    made = model.made
    await asyncio.sleep(0.05)
    await engine.aclose()

    assert model.made == made


async def test_a_model_that_breaks_is_the_engines_failure() -> None:
    def broken() -> Any:
        raise OSError("damaged")

    engine = Hibari(broken)
    with pytest.raises(EngineFailed, match="OSError"):
        await gathered(engine.speak("Hello.", HEART, 1.0))
    await engine.aclose()


def test_nothing_of_it_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from tts.engines.hibari import Hibari; Hibari.load('hibari', print); "
        "sys.exit(', '.join({'numpy', 'onnxruntime', 'hibari'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, capture_output=True
    )

    assert done.stderr.decode().strip() == ""
