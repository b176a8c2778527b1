"""Several models side by side, and memory that is given back."""

import asyncio
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from chassis.chain.answer import Work
from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from chassis.errors import EngineFailed, EngineUnavailable, NotReady
from fixtures import sounds
from fixtures.serving import process
from fixtures.whisper_model import make
from stt.engines import Engine
from stt.engines.whisper import engine as whisper_module
from stt.engines.whisper.engine import Whisper, WhisperOptions, best_here
from stt.engines.whisper.model_pool import ListedModel, ModelPool
from stt.hearing import Heard, Hints, Pcm

SILENCE = np.zeros(1600, np.float32)


class Model(Whisper):
    """Hears its own name."""

    def __init__(self, name: str) -> None:
        self.name, self.closed, self.unloaded = name, 0, threading.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def hears(self, language: str | None) -> bool:
        return True

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        await self.go_on.wait()
        yield Heard(language=self.name)

    def unload(self) -> None:
        self.unloaded.set()

    async def aclose(self) -> None:
        self.closed += 1


def listed(name: str, *, memory_bytes: int = 0) -> ListedModel:
    return ListedModel((name,), lambda report: Model(name), memory_bytes)


async def heard(engine: Engine, model: str | None = None) -> str:
    [piece] = [piece async for piece in engine.transcribe(SILENCE, Hints(model=model))]
    return piece.language


async def test_whom_the_caller_names_hears_and_else_the_first() -> None:
    loaded: list[str] = []

    def load(report: Report) -> Whisper:
        loaded.append("small")
        return Model("small")

    pool = ModelPool([listed("base"), ListedModel(("small", "owner/small"), load)], first=Model("base"))

    assert pool.models == ("base", "small", "owner/small")
    assert await heard(pool) == await heard(pool, "base") == "base"
    assert not loaded
    assert set(await asyncio.gather(heard(pool, "small"), heard(pool, "owner/small"))) == {"small"}
    assert loaded == ["small"]
    await pool.aclose()


async def test_a_model_that_cannot_be_loaded_is_a_failure_and_tried_again_by_the_next() -> None:
    tries: list[int] = []

    def load(report: Report) -> Whisper:
        tries.append(1)
        if len(tries) == 1:
            raise EngineUnavailable("its weights are gone")
        return Model("small")

    pool = ModelPool([listed("base"), ListedModel(("small",), load)], first=Model("base"))

    with pytest.raises(EngineFailed, match="weights are gone"):
        await heard(pool, "small")
    assert await heard(pool, "small") == "small"


async def test_what_nobody_asks_for_is_put_away_and_loaded_again_for_who_does() -> None:
    first = Model("base")
    pool = ModelPool([ListedModel(("base",), lambda report: Model("again"))], first=first, idle_seconds=0.02)

    assert await heard(pool) == "base"
    assert await asyncio.to_thread(first.unloaded.wait, 10)
    assert first.closed == 1
    assert pool.loaded == ()
    assert await heard(pool) == "again"
    await pool.aclose()


async def test_what_is_in_use_is_not_put_away() -> None:
    slow, other = Model("slow"), Model("other")
    slow.go_on.clear()
    models = [ListedModel(("slow",), lambda report: slow), ListedModel(("other",), lambda report: other)]
    pool = ModelPool(models, first=slow, idle_seconds=0.02)
    hearing = asyncio.create_task(heard(pool))
    await heard(pool, "other")

    assert await asyncio.to_thread(other.unloaded.wait, 10)
    assert pool.loaded == ("slow",)
    slow.go_on.set()
    assert await hearing == "slow"
    await pool.aclose()


async def test_where_memory_is_short_those_make_room_who_were_asked_for_longest_ago() -> None:
    memory = 250
    pool = ModelPool(
        [listed(name, memory_bytes=100) for name in ("base", "small", "medium")],
        first=Model("base"),
        free=lambda: memory - 100 * len(pool.loaded),
    )

    assert await heard(pool, "small") == "small"
    assert await heard(pool, "base") == "base"
    assert set(pool.loaded) == {"base", "small"}
    assert await heard(pool, "medium") == "medium"
    assert set(pool.loaded) == {"base", "medium"}
    memory = 1000
    assert await heard(pool, "small") == "small"
    assert set(pool.loaded) == {"base", "small", "medium"}
    await pool.aclose()


async def test_who_is_heard_makes_no_room_however_short_memory_is() -> None:
    busy = Model("busy")
    busy.go_on.clear()
    pool = ModelPool([listed("busy"), listed("other", memory_bytes=100)], first=busy, free=lambda: 0)
    hearing = asyncio.create_task(heard(pool))
    await asyncio.sleep(0)

    assert await heard(pool, "other") == "other"
    assert set(pool.loaded) == {"busy", "other"}
    busy.go_on.set()
    assert await hearing == "busy"
    await pool.aclose()


async def test_what_is_being_loaded_and_how_far_is_told_to_readyz_and_to_who_waits() -> None:
    half, go_on = threading.Event(), threading.Event()

    def load(report: Report) -> Whisper:
        report("loading the weights of small", 0.5)
        half.set()
        assert go_on.wait(10)
        return Model("small")

    pool = ModelPool([listed("base"), ListedModel(("small",), load)], first=Model("base"), loading_seconds=0.1)
    seat = Seat[Engine].of("whisper", pool)
    chain = Chain([seat])
    assert seat.state.detail == "in memory: base"

    with pytest.raises(NotReady, match="loading the weights of small, 50%") as refusal:
        await chain.answer(
            "whisper/small", lambda engine, model: Work(engine.transcribe(SILENCE, Hints(model=model)), None)
        )
    assert refusal.value.headers["retry-after"] == "5"
    assert await asyncio.to_thread(half.wait, 10)
    assert seat.state.state == "ready"
    assert seat.state.detail == "in memory: base; loading the weights of small, 50%"
    assert await heard(pool) == "base", "the others go on"
    go_on.set()

    while "small" not in pool.loaded:
        await asyncio.sleep(0)
    assert await heard(pool, "small") == "small"
    assert seat.state.detail == "in memory: base, small"
    await pool.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
def test_memory_really_returns(tmp_path: Path) -> None:
    """Of a model that was used, warm and short, and that nobody asks for any more; thrice, since a leak shows then."""
    tiny = make(tmp_path / "tiny", "tiny", say="hello little bear")
    size = (tiny / "model.bin").stat().st_size / 2**20
    micro = make(tmp_path / "micro", say="hello little bear")
    speech = sounds.encoded("wav", sounds.spoken("hello little bear"))
    with process("stt", STT_ENGINES="whisper", WHISPER_MODELS=f"{micro},{tiny}", WHISPER_IDLE_SECONDS="1") as stt:

        def ask(model: str) -> None:
            form = {"model": f"whisper/{model}", "language": "en"}
            url, status, until = f"{stt.base}/v1/audio/transcriptions", 503, time.monotonic() + 300
            while status == 503:  # it is being loaded, which a busy machine takes long for
                assert time.monotonic() < until
                status = httpx.post(url, data=form, files={"file": ("bear.wav", speech)}).status_code
            assert status == 200

        ask("micro")
        before = stt.forget_peak()
        for _ in range(3):
            ask("tiny")
            loaded = stt.peak()
            until = time.monotonic() + 120
            while loaded - (after := stt.forget_peak()) < size:
                assert time.monotonic() < until, f"{after - before:.0f} of {loaded - before:.0f} MB are kept"
                time.sleep(0.05)
        assert after - before < 1.5 * size, "more is kept each time"


async def test_a_lone_model_that_stays_has_nothing_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_MODEL", str(make(tmp_path / "bear", say="hello")))

    engine = await asyncio.to_thread(ModelPool.load, "whisper", lambda doing, part: None)

    assert engine.models == ("bear",)
    assert engine.detail is None
    await engine.aclose()


@pytest.mark.parametrize(
    ("cores", "gigabytes", "cuda", "model"),
    [
        (2, 8, 0, "base"),
        (4, 64, 0, "base"),
        (8, 2, 0, "base"),
        (8, 8, 0, "small"),
        (32, 64, 0, "small"),
        (32, 0.5, 0, "tiny"),
        (4, 8, 1, "large-v3-turbo"),
    ],
)
def test_the_model_follows_the_hardware(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: float, cuda: int, model: str
) -> None:
    import ctranslate2

    monkeypatch.setattr(whisper_module, "cores", lambda: cores)
    monkeypatch.setattr(whisper_module, "memory_bytes", lambda: int(gigabytes * 2**30))
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: cuda)

    assert best_here("auto") == model
    assert WhisperOptions(model="auto").wanted == (model,)
    assert best_here("cpu") != "large-v3-turbo"
    assert WhisperOptions(models=("base", "auto")).wanted == ("base", model)


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No hub answers, and `base` is in the folder of models."""
    make(tmp_path / "whisper" / "Systran--faster-whisper-base", say="hello")
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        for variable in ("HF_ENDPOINT", "MODELSCOPE_ENDPOINT"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{taken.getsockname()[1]}")
        yield


@pytest.mark.usefixtures("no_hub")
async def test_where_no_source_has_the_model_of_the_settings_base_hears_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WHISPER_MODEL", "small")

    engine = ModelPool.load("whisper", lambda doing, part: None)

    assert engine.models == ("base",)
    assert engine.detail is not None
    assert engine.detail.startswith(
        "base hears until the next start, since Systran/faster-whisper-small cannot be fetched"
    )
    await engine.aclose()


@pytest.mark.usefixtures("no_hub")
def test_a_model_that_is_not_there_and_may_not_be_fetched_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_MODEL", "small")
    monkeypatch.setenv("MODELS_OFFLINE", "on")

    with pytest.raises(EngineUnavailable, match="MODELS_OFFLINE"):
        ModelPool.load("whisper", lambda doing, part: None)
