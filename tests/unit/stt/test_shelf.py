"""Several models side by side, and memory that is given back."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import EngineFailed, EngineUnavailable
from fixtures.whisper_model import make
from stt.engines import Engine, Heard, Hints, Pcm
from stt.engines import whisper as whisper_module
from stt.engines.shelf import Shelf
from stt.engines.whisper import Whisper, WhisperOptions, best_here

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


async def heard(engine: Engine, model: str | None = None) -> str:
    [piece] = [piece async for piece in engine.transcribe(SILENCE, Hints(model=model))]
    return piece.language


async def test_whom_the_caller_names_hears_and_else_the_first() -> None:
    loaded: list[str] = []

    def load() -> Whisper:
        loaded.append("small")
        return Model("small")

    shelf = Shelf([(("base",), lambda: Model("base")), (("small", "owner/small"), load)], first=Model("base"))

    assert shelf.models == ("base", "small", "owner/small")
    assert await heard(shelf) == await heard(shelf, "base") == "base"
    assert not loaded
    assert set(await asyncio.gather(heard(shelf, "small"), heard(shelf, "owner/small"))) == {"small"}
    assert loaded == ["small"]
    await shelf.aclose()


async def test_a_model_that_cannot_be_loaded_is_a_failure_and_tried_again_by_the_next() -> None:
    tries: list[int] = []

    def load() -> Whisper:
        tries.append(1)
        if len(tries) == 1:
            raise EngineUnavailable("its weights are gone")
        return Model("small")

    shelf = Shelf([(("base",), lambda: Model("base")), (("small",), load)], first=Model("base"))

    with pytest.raises(EngineFailed, match="weights are gone"):
        await heard(shelf, "small")
    assert await heard(shelf, "small") == "small"


async def test_what_nobody_asks_for_is_put_away_and_loaded_again_for_who_does() -> None:
    first = Model("base")
    shelf = Shelf([(("base",), lambda: Model("again"))], first=first, idle_seconds=0.02)

    assert await heard(shelf) == "base"
    assert await asyncio.to_thread(first.unloaded.wait, 10)
    assert first.closed == 1
    assert shelf.loaded == ()
    assert await heard(shelf) == "again"
    await shelf.aclose()


async def test_what_is_in_use_is_not_put_away() -> None:
    slow, other = Model("slow"), Model("other")
    slow.go_on.clear()
    shelf = Shelf([(("slow",), lambda: slow), (("other",), lambda: other)], first=slow, idle_seconds=0.02)
    hearing = asyncio.create_task(heard(shelf))
    await heard(shelf, "other")

    assert await asyncio.to_thread(other.unloaded.wait, 10)
    assert shelf.loaded == ("slow",)
    slow.go_on.set()
    assert await hearing == "slow"
    await shelf.aclose()


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
async def test_memory_really_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = make(tmp_path / "tiny", "tiny", say="hello little bear")
    size = (tiny / "model.bin").stat().st_size / 2**20
    micro = make(tmp_path / "micro", say="hello little bear")
    monkeypatch.setenv("WHISPER_MODELS", f"{micro},{tiny}")
    monkeypatch.setenv("WHISPER_IDLE_SECONDS", "3600")
    shelf = await asyncio.to_thread(Shelf.load, "whisper", lambda doing, part: None)
    assert isinstance(shelf, Shelf)
    assert shelf.models == ("micro", "tiny")
    before = resident_mb()

    assert await heard(shelf, "tiny") == "en"
    loaded = resident_mb()
    place = shelf._places[1]
    assert place.model is not None
    await place.model.aclose()
    await asyncio.to_thread(place.model.unload)
    place.model = None
    after = resident_mb()
    await shelf.aclose()

    assert loaded - before > 0.8 * size
    assert loaded - after > 0.7 * (loaded - before)


async def test_a_lone_model_that_stays_needs_no_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_MODEL", str(make(tmp_path / "bear", say="hello")))

    engine = await asyncio.to_thread(Shelf.load, "whisper", lambda doing, part: None)

    assert isinstance(engine, Whisper)
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
