"""What is used of faster-whisper beside its public API: an upgrade that changes it fails here, by name."""

import inspect
from importlib.util import find_spec
from pathlib import Path

from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens


def test_its_methods_take_what_they_are_given() -> None:
    assert list(inspect.signature(get_suppressed_tokens).parameters) == ["tokenizer", "suppress_tokens"]
    words = inspect.signature(WhisperModel.add_word_timestamps).parameters
    assert {"segments", "tokenizer", "encoder_output", "num_frames"} <= set(words)
    assert {"tokenizer", "multilingual", "task", "language"} <= set(inspect.signature(Tokenizer.__init__).parameters)


def test_a_loaded_model_has_the_parts_that_are_used() -> None:
    source = inspect.getsource(WhisperModel.__init__)

    for part in ("model", "hf_tokenizer", "feature_extractor", "max_length"):
        assert f"self.{part} =" in source, part


def test_its_package_holds_the_weights_of_silero() -> None:
    spec = find_spec("faster_whisper")
    assert spec is not None
    assert spec.submodule_search_locations is not None

    assert len([*Path(spec.submodule_search_locations[0], "assets").glob("silero_vad*.onnx")]) == 1
