"""The real sherpa-onnx with a voice made on the spot."""

import importlib.util
from pathlib import Path

import pytest

from chassis.errors import EngineUnavailable
from tts.engines.sherpa import Model, Sherpa, SherpaOptions
from tts.voices import MANY
from unit.tts.fakes import Heard, ask, gathered, service

NEEDED = ("sherpa_onnx", "numpy", "onnx")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_sherpa = pytest.mark.skipif(bool(MISSING), reason=f"an extra: {', '.join(MISSING)} not installed")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fixtures import piper_model

    return piper_model.make(tmp_path_factory.mktemp("voice"))


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / name.replace("__", "-").replace("_", ".")).write_text(text)
    return folder


@needs_sherpa
async def test_a_piper_voice_speaks_as_long_as_its_phonemes(folder: Path) -> None:
    engine = Sherpa(SherpaOptions(model=folder))
    (voice,) = engine.voices

    short = await gathered(engine.speak("Hello.", voice, 1.0))
    long = await gathered(engine.speak("Hello little bear, how are you today?", voice, 1.0))
    await engine.aclose()

    assert (voice.name, voice.language) == ("0", "en-US")
    assert len(short) > 2 * 0.2 * engine.sound.rate
    assert len(long) > 3 * len(short)


@needs_sherpa
async def test_it_answers_requests(folder: Path) -> None:
    engine = Sherpa(SherpaOptions(model=folder))

    response = await ask(service(sherpa=engine), input="Hello little bear. How are you?", response_format="wav")
    await engine.aclose()

    assert response.headers["x-talkbox-engine"] == "sherpa"
    assert Heard(response.content).seconds > 1


@needs_sherpa
async def test_what_it_cannot_read_the_next_engine_is_asked(folder: Path) -> None:
    engine = Sherpa(SherpaOptions(model=folder))

    response = await ask(service(sherpa=engine), input="你好，小熊！")
    await engine.aclose()

    assert response.status_code == 400


@needs_sherpa
async def test_nothing_in_a_text_wedges_it(folder: Path) -> None:
    engine = Sherpa(SherpaOptions(model=folder))
    (voice,) = engine.voices

    for text in ["a" * 300, "[[x]] <speak>", "123", "\u200d", "Hello שלום bear"]:
        await gathered(engine.speak(text, voice, 2.0))
    sound = await gathered(engine.speak("Hello.", voice, 1.0))
    await engine.aclose()

    assert sound


@needs_sherpa
def test_a_folder_that_sherpa_cannot_use_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="SHERPA_MODEL"):
        Sherpa(SherpaOptions(model=tmp_path))


@pytest.mark.parametrize("model", [None, Path("/nowhere")])
def test_without_a_model_it_says_what_to_set(model: Path | None) -> None:
    with pytest.raises(EngineUnavailable, match="SHERPA_MODEL"):
        Sherpa(SherpaOptions(model=model))


class FakeSherpa:
    """Notes which kind of model is configured with what."""

    def __getattr__(self, kind: str):  # type: ignore[no-untyped-def]
        return lambda **files: {"kind": kind, **files}


def test_kinds_of_models_are_told_by_their_files(tmp_path: Path) -> None:
    kinds = {
        "kokoro": {"model_onnx": "", "voices_bin": "", "tokens_txt": "", "lexicon__zh_txt": "你好 n\nhello h\n"},
        "matcha": {"model__steps__3_onnx": "", "vocos__22khz_onnx": "", "tokens_txt": "", "lexicon_txt": "你好 n\n"},
        "vits": {"model_onnx": "", "tokens_txt": "", "lexicon_txt": "你好 n\n"},
    }
    languages = {}
    for kind, texts in kinds.items():
        (tmp_path / kind).mkdir()
        model = Model(files(tmp_path / kind, **texts), None)
        languages[kind] = model.language
        assert list(model.config(FakeSherpa(), 2)["model"]) == ["kind", kind, "num_threads", "provider"]

    assert languages == {"kokoro": MANY, "matcha": "zh-CN", "vits": "zh-CN"}


def test_the_operator_knows_the_language_better(tmp_path: Path) -> None:
    assert Model(files(tmp_path, model_onnx="", tokens_txt=""), "de").language == "de"
