from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy import models

from chassis.weights import download
from imitations.hub import Hub, running

SET = ("WHISPER_MODEL", "WHISPER_MODELS", "MOONSHINE_MODEL", "GGUF_MODEL", "SHERPA_MODEL")
MOONSHINE = "csukuangfj/sherpa-onnx-moonshine-base-en-int8"
REPOSITORIES = {
    "Systran/faster-whisper-tiny": {
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "vocabulary.txt": b"a",
        "model.bin": bytes(3_000_000),
    },
    MOONSHINE: {
        **{f"{part}.int8.onnx": b"0" for part in ("encode", "cached_decode", "uncached_decode")},
        "preprocess.onnx": b"0",
        "tokens.txt": b"0",
    },
    "Qwen/Qwen3-0.6B-GGUF": {"Qwen3-0.6B-Q8_0.gguf": b"0", "Qwen3-0.6B-F16.gguf": b"0"},
    "csukuangfj/vits-piper-zh_CN-huayan-medium": {"zh_CN-huayan-medium.onnx": b"0", "tokens.txt": b"0"},
}


@pytest.fixture
def model_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(download, "_FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    for variable in ("STT_ENGINES", "LLM_ENGINES", "TTS_ENGINES", *SET):
        monkeypatch.delenv(variable, raising=False)
    with running(REPOSITORIES) as model_hub:
        monkeypatch.setenv("HF_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        yield model_hub


def kept(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.glob("*/*") if path.is_dir()}


def test_the_weights_of_the_engines_in_the_chains_are_fetched_and_the_second_time_nothing_is_asked(
    model_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STT_ENGINES", "moonshine,whisper,sphinx")
    monkeypatch.setenv("WHISPER_MODEL", "tiny")
    monkeypatch.setenv("TTS_ENGINES", "sherpa,espeak")
    monkeypatch.setenv("SHERPA_MODEL", "piper-zh")
    model_hub.breaks, model_hub.break_after = 2, 1_000_000

    assert models.main() == 0

    told = capsys.readouterr().out
    assert kept(tmp_path) == {
        "whisper/Systran--faster-whisper-tiny",
        "moonshine/csukuangfj--sherpa-onnx-moonshine-base-en-int8",
        "sherpa/csukuangfj--vits-piper-zh_CN-huayan-medium",
    }
    assert "downloading Systran/faster-whisper-tiny, 3 of 3 MB (100%)" in told
    assert told.count("  there, in ") == 3

    asked = len(model_hub.asked)
    assert models.main() == 0
    assert len(model_hub.asked) == asked
    assert "downloading" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wanted", "folder"),
    [
        ("whisper/tiny", "whisper/Systran--faster-whisper-tiny"),
        ("moonshine", "moonshine/csukuangfj--sherpa-onnx-moonshine-base-en-int8"),
        (f"moonshine/{MOONSHINE}", "moonshine/csukuangfj--sherpa-onnx-moonshine-base-en-int8"),
        ("gguf/Qwen/Qwen3-0.6B-GGUF:Q8_0", "gguf/Qwen--Qwen3-0.6B-GGUF"),
        ("sherpa/piper-zh", "sherpa/csukuangfj--vits-piper-zh_CN-huayan-medium"),
    ],
)
def test_one_is_fetched_by_its_name_whatever_the_chains_are(
    model_hub: Hub, tmp_path: Path, wanted: str, folder: str
) -> None:
    assert models.main(wanted) == 0
    assert kept(tmp_path) == {folder}


@pytest.mark.parametrize(
    ("wanted", "status", "says"),
    [
        ("parrot", 4, "There are whisper, sensevoice, paraformer, zipformer, moonshine, whisper-onnx, gguf, sherpa."),
        ("sphinx", 4, "that needs weights is called 'sphinx'"),
        ("gguf", 1, "Set GGUF_MODEL"),
        ("sherpa/nonsense", 1, "SHERPA_MODEL: no model 'nonsense'. There are matcha-zh-en,"),
        ("whisper/huge", 1, "has no model Systran/faster-whisper-huge"),
        ("sherpa/kokoro", 1, "has no model csukuangfj/kokoro-multi-lang-v1_0"),
    ],
)
def test_what_cannot_be_fetched_says_what_can(
    model_hub: Hub, wanted: str, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models.main(wanted) == status
    assert says in capsys.readouterr().err


def test_chains_without_weights_are_told_of(
    model_hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STT_ENGINES", "sphinx")

    assert models.main() == 0

    assert "stt, llm, tts: no engine of the chain needs weights." in capsys.readouterr().out
    assert model_hub.asked == []
