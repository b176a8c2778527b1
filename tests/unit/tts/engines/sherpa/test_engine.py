"""The real sherpa-onnx with a voice made on the spot."""

import importlib.util
import sys
from pathlib import Path

import pytest

from chassis.errors import EngineUnavailable
from fixtures.tools import needs
from imitations.hub import running
from tts.engines.sherpa.engine import SherpaOptions, SherpaVoice
from tts.engines.sherpa.models import NAMED, Found, VoiceFolder, find
from tts.voices.choose import MANY
from unit.tts.fakes import Heard, ask, gathered, service

NEEDED = ("sherpa_onnx", "numpy", "onnx")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_sherpa = needs(not MISSING, f"an extra: {', '.join(MISSING)} not installed")


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
    engine = SherpaVoice(SherpaOptions(), Found(folder))
    (voice,) = engine.voices

    short = await gathered(engine.speak("Hello.", voice, 1.0))
    long = await gathered(engine.speak("Hello little bear, how are you today?", voice, 1.0))
    await engine.aclose()

    assert (voice.name, voice.language) == ("0", "en-US")
    assert len(short) > 2 * 0.2 * engine.sound.rate
    assert len(long) > 3 * len(short)


@needs_sherpa
async def test_it_answers_requests(folder: Path) -> None:
    engine = SherpaVoice(SherpaOptions(), Found(folder))

    response = await ask(service(sherpa=engine), input="Hello little bear. How are you?", response_format="wav")
    await engine.aclose()

    assert response.headers["x-talkbox-engine"] == "sherpa"
    assert Heard(response.content).seconds > 1


@needs_sherpa
async def test_what_it_cannot_read_the_next_engine_is_asked(folder: Path) -> None:
    engine = SherpaVoice(SherpaOptions(), Found(folder))

    response = await ask(service(sherpa=engine), input="你好，小熊！")
    await engine.aclose()

    assert response.status_code == 400


@needs_sherpa
async def test_nothing_in_a_text_wedges_it(folder: Path) -> None:
    engine = SherpaVoice(SherpaOptions(), Found(folder))
    (voice,) = engine.voices

    for text in ["a" * 300, "[[x]] <speak>", "123", "\u200d", "Hello שלום bear"]:
        await gathered(engine.speak(text, voice, 2.0))
    sound = await gathered(engine.speak("Hello.", voice, 1.0))
    await engine.aclose()

    assert sound


@needs_sherpa
@pytest.mark.parametrize("weights", [b"", b"no weights at all", None])
def test_damaged_weights_are_unavailable_and_end_nothing(folder: Path, tmp_path: Path, weights: bytes | None) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = (tmp_path / "voice.onnx").read_bytes()
    (tmp_path / "voice.onnx").write_bytes(whole[: len(whole) // 2] if weights is None else weights)

    with pytest.raises(EngineUnavailable, match=r"SHERPA_MODEL: .* cannot be used by sherpa-onnx"):
        SherpaVoice(SherpaOptions(), Found(tmp_path))


@needs_sherpa
def test_a_folder_that_sherpa_cannot_use_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="SHERPA_MODEL"):
        SherpaVoice(SherpaOptions(), Found(tmp_path))


def silent(doing: str, part: float | None) -> None:
    pass


@needs_sherpa
async def test_a_voice_is_loaded_by_its_name_and_what_is_fetched_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, float | None]] = []
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("SHERPA_MODEL", "piper-en")
    with running({NAMED["piper-en"].huggingface: contents(folder)}) as model_hub:
        monkeypatch.setenv("HF_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        engine = SherpaVoice.load("sherpa", lambda doing, part: told.append((doing, part)))
        asked = len(model_hub.asked)
        assert SherpaVoice.fetch("sherpa", "", silent) == (
            tmp_path / "sherpa" / "csukuangfj--vits-piper-en_US-amy-low",
        )
        assert len(model_hub.asked) == asked

    assert await gathered(engine.speak("Hello.", engine.voices[0], 1.0))
    assert [part for doing, part in told if "downloading" in doing][-1] == 1.0
    assert told[-1] == ("loading the model", None)
    await engine.aclose()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


ESPEAK = {f"espeak-ng-data/{name}" for name in ("phondata", "phontab", "phonindex", "intonations", "en_dict")}
ESPEAK |= {"espeak-ng-data/lang/gmw/en-US"}
# What the hub has of each, as its page lists it: what is wanted, and others.
AT_THE_HUB = {
    "matcha-zh-en": (
        {"model-steps-3.onnx", "tokens.txt", "lexicon.txt", "phone-zh.fst", "number-zh.fst", "date-zh.fst", *ESPEAK},
        {"espeak-ng-data/ru_dict", "espeak-ng-data/lang/sla/ru", "README.md", "dict/jieba.dict.utf8"},
    ),
    "melo-zh-en": (
        {"model.onnx", "tokens.txt", "lexicon.txt", "date.fst", "number.fst", "phone.fst", "new_heteronym.fst"},
        {"model.int8.onnx", "dict/jieba.dict.utf8", "LICENSE"},
    ),
    "piper-zh": (
        {"zh_CN-huayan-medium.onnx", "zh_CN-huayan-medium.onnx.json", "tokens.txt", *ESPEAK},
        {"espeak-ng-data/cmn_dict", "MODEL_CARD"},
    ),
    "kokoro": (
        {
            *("model.onnx", "voices.bin", "tokens.txt", "lexicon-us-en.txt", "lexicon-zh.txt"),
            *("date-zh.fst", "number-zh.fst", "phone-zh.fst", *ESPEAK),
        },
        {"lexicon-gb-en.txt", "dict/pos_dict/char_state_tab.utf8"},
    ),
}


@pytest.mark.parametrize("name", AT_THE_HUB)
def test_of_a_voice_all_that_it_needs_is_fetched_and_no_more(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, others = AT_THE_HUB[name]
    repository = NAMED[name]
    repositories = {repository.huggingface: dict.fromkeys(wanted | others, b"{}")}
    if repository.vocoder is not None:
        repositories[repository.vocoder[0].huggingface] = {
            repository.vocoder[1]: b"v",
            "vocos-22khz-univ.onnx": b"not this",
        }
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    with running(repositories) as model_hub:
        monkeypatch.setenv("HF_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        found = find(name, silent)

    assert {str(path.relative_to(found.folder)) for path in found.folder.rglob("*") if path.is_file()} == wanted
    model = VoiceFolder(found.folder, found.language, found.vocoder)
    assert model.language == (repository.language or "en-US")
    assert (model.vocoder is None) == (repository.vocoder is None)
    assert model.vocoder is None or model.vocoder.read_bytes() == b"v"


def test_a_name_that_is_none_is_answered_with_those_that_are() -> None:
    with pytest.raises(EngineUnavailable, match=r"SHERPA_MODEL: no model 'nonsense'\. There are matcha-zh-en,"):
        find("nonsense", silent)


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    assert find(str(tmp_path), silent) == Found(tmp_path)


def test_without_the_extra_nothing_is_fetched_and_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)  # as if it were not installed

    with pytest.raises(EngineUnavailable, match="sherpa needs sherpa_onnx, and `make up`"):
        SherpaVoice.load("sherpa", silent)


def test_british_words_do_not_win_over_american_ones(tmp_path: Path) -> None:
    model = files(tmp_path, model_onnx="", tokens_txt="", lexicon__gb__en_txt="", lexicon__us__en_txt="")

    assert [path.name for path in VoiceFolder(model, None).lexicons] == ["lexicon-us-en.txt"]


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
        model = VoiceFolder(files(tmp_path / kind, **texts), None)
        languages[kind] = model.language
        assert list(model.config(FakeSherpa(), 2)["model"]) == ["kind", kind, "num_threads", "provider"]

    assert languages == {"kokoro": MANY, "matcha": "zh-CN", "vits": "zh-CN"}


def test_the_operator_knows_the_language_better(tmp_path: Path) -> None:
    assert VoiceFolder(files(tmp_path, model_onnx="", tokens_txt=""), "de").language == "de"
