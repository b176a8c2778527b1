from pathlib import Path

import pytest

from chassis.errors import EngineUnavailable
from chassis.weights.hub import HubOptions
from imitations.hub import running
from stt.engines.whisper import weights

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"model": {}}',
    "vocabulary.txt": b"a\nb\n",
    "model.bin": bytes(range(256)) * 100,
    "README.md": b"not wanted",
}


def silent(doing: str, part: float | None) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("base", "Systran/faster-whisper-base"),
        ("small.en", "Systran/faster-whisper-small.en"),
        ("large", "Systran/faster-whisper-large-v3"),
        ("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
    ],
)
def test_short_names_are_those_of_faster_whisper(name: str, repository: str) -> None:
    from faster_whisper.utils import _MODELS

    assert weights.weights(name).repository.huggingface == repository == _MODELS[name]


def test_a_model_that_modelscope_keeps_under_another_name_is_found_there() -> None:
    assert weights.weights("base").repository.modelscope == "Systran/faster-whisper-base"
    assert weights.weights("turbo").repository.modelscope == "pengzhendong/faster-whisper-large-v3-turbo"


def test_a_name_is_fetched_and_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    with running({"Systran/faster-whisper-tiny": FILES}) as hub:
        options = HubOptions(hf_endpoint=hub.url, modelscope_endpoint=hub.url, models_dir=tmp_path)
        folder = weights.find("tiny", silent, options)
        asked = len(hub.asked)
        same = weights.find(str(folder), silent, options)

    assert folder == same == tmp_path / "whisper" / "Systran--faster-whisper-tiny"
    assert {path.name for path in folder.iterdir()} == FILES.keys() - {"README.md"}
    assert len(hub.asked) == asked


def test_a_folder_without_a_model_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"WHISPER_MODEL.*model\.bin"):
        weights.find(str(tmp_path), silent, HubOptions())
