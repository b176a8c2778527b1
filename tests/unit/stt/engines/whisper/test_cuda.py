"""As on a GPU, where there is none: a real model that says it lies on CUDA, and has memory for so many at a time."""

import asyncio
from pathlib import Path
from typing import Any

import ctranslate2
import faster_whisper
import pytest

from fixtures.whisper_model import tone
from stt.engines.whisper import engine as whisper
from stt.engines.whisper.batching import Batching
from stt.engines.whisper.decoding import Utterance
from stt.engines.whisper.engine import WhisperOptions
from stt.engines.whisper.windows import Windows
from unit.stt.engines.whisper.test_windows import TONES, everything, model, prepared, texts


class OnCuda:
    """CTranslate2's model as it is there, one that runs out of memory above `fits` at a time."""

    device, compute_type, num_workers = "cuda", "float16", 1

    def __init__(self, real: Any, fits: int = 1000) -> None:
        self.real, self.fits = real, fits
        self.encoded: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        count = features.shape[0]
        self.encoded.append(count)
        if count > self.fits:
            raise RuntimeError("CUDA failed with error out of memory")
        return self.real.encode(features, to_cpu=to_cpu)


class Model:
    """faster-whisper's around it."""

    def __init__(self, card: OnCuda) -> None:
        self.model = card

    def __getattr__(self, name: str) -> Any:
        return getattr(model(), name)


def on_cuda(fits: int = 1000) -> tuple[Windows, OnCuda]:
    card = OnCuda(model().model, fits)
    return Windows(Model(card), find=everything), card


def test_a_batch_is_encoded_together_on_the_card_and_each_hears_its_own() -> None:
    windows, card = on_cuda()
    decodings = [prepared(windows, Utterance(pcm=tone(n, 1.0 + n / 4), language="en")) for n in range(8)]
    assert not card.encoded, "what is encoded one by one would travel to the card and back"

    assert texts(windows.decode(decodings)) == list(TONES)
    assert card.encoded == [8]


async def test_out_of_memory_shrinks_the_batch_and_everybody_hears_his_own() -> None:
    windows, card = on_cuda(fits=3)
    assert windows.grows
    batching = Batching(windows, batch=16, patience_seconds=600)
    try:
        answers = await asyncio.gather(
            *(batching.hear(Utterance(pcm=tone(n % 8, 1.0 + n / 40), language="en")) for n in range(40))
        )
        most = batching.limit.now
        card.encoded.clear()
        later = await asyncio.gather(*(batching.hear(Utterance(pcm=tone(n, 1.0), language="en")) for n in range(8)))
    finally:
        batching.close()

    assert texts([*answers, *later]) == [*TONES] * 6
    assert most <= 3
    assert max(card.encoded) <= 3, "what was too much once is not tried again"


async def test_the_batch_grows_with_memory() -> None:
    windows, card = on_cuda()
    batching = Batching(windows, batch=2, patience_seconds=600)
    try:
        for _ in range(3):
            await asyncio.gather(*(batching.hear(Utterance(pcm=tone(n % 8, 1.0), language="en")) for n in range(40)))
    finally:
        batching.close()

    assert batching.limit.now > 2
    assert max(card.encoded) > 2


@pytest.mark.parametrize(
    ("cards", "device", "compute_type", "workers"), [(1, "cuda", "float16", 1), (0, "cpu", "int8", 4)]
)
def test_on_a_card_a_model_is_loaded_in_float16_and_with_one_worker(
    monkeypatch: pytest.MonkeyPatch, cards: int, device: str, compute_type: str, workers: int
) -> None:
    loaded: dict[str, Any] = {}
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: cards)
    monkeypatch.setattr(faster_whisper, "WhisperModel", lambda folder, **how: loaded.update(folder=folder, **how))

    whisper._load(Path("large-v3-turbo"), WhisperOptions(), 4)

    assert loaded["folder"] == "large-v3-turbo"
    assert (loaded["device"], loaded["compute_type"], loaded["num_workers"]) == (device, compute_type, workers)
    assert loaded["cpu_threads"] == 1
