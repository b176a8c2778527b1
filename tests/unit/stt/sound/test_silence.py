"""Through the service, whoever hears: where nobody speaks there is no word; noise beside words takes none away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from fixtures import sounds
from fixtures.whisper_model import make
from stt.engines import Engine
from stt.engines.sphinx.engine import Sphinx
from stt.engines.whisper.engine import Whisper
from stt.hearing import RATE, Pcm
from unit.stt.fakes import ask, chain_of, service
from unit.stt.sound.test_speech import WORDLESS

SAYS = "hello little bear"
speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")


def loud(name: str, seconds: float, loudness: float) -> Pcm:
    sound = WORDLESS[name](seconds)
    return np.asarray(loudness / (np.abs(sound).max() or 1.0) * sound, np.float32)


async def told(app: Starlette, pcm: Pcm, model: str) -> httpx.Response:
    response = await ask(
        app,
        sounds.wav(pcm),
        model=model,
        language="en",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert response.headers["x-talkbox-engine"] == model
    return response


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says `SAYS` whatever it hears."""
    return make(tmp_path_factory.mktemp("whisper") / "bear", say=SAYS)


@pytest.fixture(params=["whisper", "sphinx"])
async def heard_by(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Starlette, str]]:
    """A service, and the name of its engine."""
    monkeypatch.setenv("WHISPER_MODEL", str(folder))
    name = request.param
    load: Callable[..., Engine] = Whisper.load if name == "whisper" else Sphinx.load
    engine = await asyncio.to_thread(load, name, lambda doing, part: None)
    yield service(chain=chain_of(60.0, **{name: engine})), name
    await engine.aclose()


async def test_no_word_is_heard_where_nobody_speaks(heard_by: tuple[Starlette, str]) -> None:
    app, name = heard_by
    for sound in WORDLESS:
        for seconds in (1.0, 5.0):
            answer = (await told(app, loud(sound, seconds, 0.3), name)).json()

            assert answer["text"] == "", f"{sound}, {seconds} s"
            assert answer["segments"] == answer["words"] == []
            assert answer["duration"] == seconds


@speaks
@pytest.mark.parametrize("heard_by", ["whisper", "sphinx"], indirect=True)
async def test_noise_before_and_after_takes_no_word_away_and_adds_none(heard_by: tuple[Starlette, str]) -> None:
    app, name = heard_by
    said, pause = sounds.spoken(SAYS), sounds.silence(1.5)
    for noise in ("white noise", "pink noise", "hum of 50 Hz", "clicks", "a sine", "a slow tune"):
        around = loud(noise, 3.0, 0.1)
        begin = len(around) + len(pause)
        answer = (await told(app, np.concatenate([around, pause, said, pause, around]), name)).json()

        assert answer["text"] == SAYS, noise
        assert [word["word"] for word in answer["words"]] == SAYS.split(), noise
        for word in (*answer["words"], *answer["segments"]):
            assert begin / RATE - 0.5 <= word["start"] <= word["end"] <= (begin + len(said)) / RATE + 0.5, noise
