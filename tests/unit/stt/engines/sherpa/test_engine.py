"""The real sherpa-onnx with a model made on the spot."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.errors import Declined, EngineUnavailable
from chassis.settings import SettingError
from chassis.weights import download
from fixtures import sounds
from fixtures.tools import needs
from imitations.hub import running
from stt.engines import ENGINES
from stt.engines.sherpa.engine import SherpaRecogniser
from stt.engines.sherpa.models import KINDS, NAMED, ModelFolder, find
from stt.engines.sherpa.words import words, written
from stt.hearing import Heard, Hints, Word
from unit.stt.fakes import ask, service

MISSING = [name for name in ("sherpa_onnx", "onnx") if importlib.util.find_spec(name) is None]
needs_sherpa = needs(not MISSING, f"an extra: {', '.join(MISSING)} not installed")
speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
HELLO = sounds.spoken("Hello little bear, how are you?") if sounds.can_speak() else sounds.silence(1)
SAYS = ["你", "好", "小", "熊"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fixtures import sense_voice_model

    return sense_voice_model.make(tmp_path_factory.mktemp("sense") / "bear", SAYS)


@pytest.fixture
def loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SENSEVOICE_MODEL", str(folder))
    return SherpaRecogniser.load("sensevoice", lambda doing, part: None)


async def heard(engine: SherpaRecogniser, pcm: Any = HELLO, **hints: Any) -> list[Heard]:
    return [piece async for piece in engine.transcribe(pcm, Hints(**hints))]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def text_of(pieces: list[Heard]) -> str:
    return "".join(segment.text for piece in pieces for segment in piece.segments)


@needs_sherpa
@speaks
async def test_what_sensevoice_makes_out_comes_without_its_tags_and_in_its_language(loaded: SherpaRecogniser) -> None:
    pieces = await heard(loaded)

    assert text_of(pieces) == "你好小熊"
    assert pieces[0].language == "zh"
    assert loaded.models == ("bear",)
    await loaded.aclose()


@needs_sherpa
@speaks
async def test_words_have_their_times_in_the_whole_recording(loaded: SherpaRecogniser) -> None:
    late = np.concatenate([sounds.silence(4), HELLO])

    segment = (await heard(loaded, late, words=True))[0].segments[0]

    assert [word.word for word in segment.words] == SAYS
    assert 3.3 < segment.start == segment.words[0].start < 4.4
    assert [word.start for word in segment.words][1:] == [word.end for word in segment.words][:-1]
    assert segment.words[1].start - segment.words[0].start == pytest.approx(0.24, abs=0.01)
    assert segment.end <= len(late) / sounds.RATE
    await loaded.aclose()


@needs_sherpa
@pytest.mark.parametrize(
    "sound", [sounds.silence(2), sounds.noise(2), sounds.tone(2)], ids=["silence", "noise", "tone"]
)
async def test_where_nobody_speaks_it_is_not_asked(loaded: SherpaRecogniser, sound: sounds.Samples) -> None:
    [piece] = await heard(loaded, sound)

    assert piece.segments == ()
    await loaded.aclose()


@needs_sherpa
@speaks
async def test_several_at_once_are_heard_side_by_side(loaded: SherpaRecogniser) -> None:
    answers = await asyncio.gather(*(heard(loaded) for _ in range(6)))

    assert {text_of(pieces) for pieces in answers} == {"你好小熊"}
    await loaded.aclose()


@needs_sherpa
@speaks
async def test_through_the_service_it_is_picked_by_its_name(loaded: SherpaRecogniser) -> None:
    app = service(chain=Chain([Seat.of("sensevoice", loaded)]))

    response = await ask(app, sounds.wav(HELLO), model="sensevoice/bear", response_format="verbose_json")

    assert (response.json()["text"], response.json()["language"]) == ("你好小熊", "chinese")
    await loaded.aclose()


@needs_sherpa
async def test_a_language_it_does_not_hear_is_declined(loaded: SherpaRecogniser) -> None:
    assert loaded.hears("yue")
    assert loaded.hears(None)
    with pytest.raises(Declined, match="zh, yue, en, ja, ko"):
        await heard(loaded, language="fr")
    await loaded.aclose()


@needs_sherpa
def test_a_damaged_model_is_unavailable_and_ends_nothing(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "tokens.txt").write_bytes((folder / "tokens.txt").read_bytes())
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:5000])
    monkeypatch.setenv("SENSEVOICE_MODEL", str(tmp_path))

    with pytest.raises(EngineUnavailable, match=r"SENSEVOICE_MODEL: .* cannot be used"):
        SherpaRecogniser.load("sensevoice", lambda doing, part: None)


def test_without_the_extra_it_is_unavailable_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSEVOICE_MODEL", "/models/sense")
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)  # as if it were not installed

    with pytest.raises(EngineUnavailable, match="sensevoice needs sherpa_onnx, and `make up`"):
        SherpaRecogniser.load("sensevoice", lambda doing, part: None)


# What the hub has of each kind's first model, as its page lists it: those that are wanted, and others.
AT_THE_HUB = {
    "sensevoice": ({"model.int8.onnx", "tokens.txt"}, {"model.onnx", "LICENSE", "test_wavs/zh.wav"}),
    "paraformer": ({"model.int8.onnx", "tokens.txt"}, {"model.onnx", "am.mvn", "tokens.json"}),
    "zipformer": (
        {
            "encoder-epoch-20-avg-1.int8.onnx",
            "decoder-epoch-20-avg-1.onnx",
            "joiner-epoch-20-avg-1.int8.onnx",
            "tokens.txt",
        },
        {"encoder-epoch-20-avg-1.onnx", "decoder-epoch-20-avg-1.int8.onnx", "bpe.model"},
    ),
    "moonshine": (
        {
            "preprocess.onnx",
            "encode.int8.onnx",
            "cached_decode.int8.onnx",
            "uncached_decode.int8.onnx",
            "tokens.txt",
        },
        {"README.md"},
    ),
    "whisper-onnx": (
        {"base-encoder.int8.onnx", "base-decoder.int8.onnx", "base-tokens.txt"},
        {"base-encoder.onnx", "base-decoder.onnx", "base-decoder.int8.ort"},
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_of_each_kind_there_is_one_that_is_fetched_by_itself(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ENGINES[name] == "stt.engines.sherpa.engine:SherpaRecogniser"
    wanted, others = AT_THE_HUB[name]
    repository = next(iter(NAMED[name].values()))
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    with running({repository.huggingface: dict.fromkeys(wanted | others, b"0")}) as model_hub:
        monkeypatch.setenv("HF_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        folder, _ = find(name, "", lambda doing, part: None)

    assert {path.name for path in folder.iterdir()} == wanted
    assert ModelFolder(name, folder, "M").folder == tmp_path / name / repository.huggingface.replace("/", "--")


@needs_sherpa
@speaks
@pytest.mark.parametrize("source", ["huggingface", "modelscope"])
async def test_a_model_is_loaded_by_its_name_and_what_is_fetched_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    repository, told = NAMED["sensevoice"]["small"], []
    monkeypatch.setattr(download, "_FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("MODELS_SOURCE", source)
    with running({str(getattr(repository, source)): contents(folder)}) as model_hub:
        model_hub.breaks, model_hub.break_after = 1, 1000
        monkeypatch.setenv("HF_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        engine = SherpaRecogniser.load("sensevoice", lambda doing, part: told.append((doing, part)))

    assert text_of(await heard(engine)) == "你好小熊"
    assert engine.models == ("small",)
    assert [part for doing, part in told if "downloading" in doing][-1] == 1.0
    assert told[-1][0] == "loading the weights"
    await engine.aclose()


@pytest.mark.parametrize("name", KINDS)
def test_a_name_that_is_none_is_answered_with_those_that_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"{name.replace('-', '_').upper()}_MODEL"
    first = next(iter(NAMED[name]))

    with pytest.raises(EngineUnavailable, match=f"{variable}: no model 'nonsense'. There are {first}"):
        find(name, "nonsense", lambda doing, part: None)


def test_what_a_named_model_hears_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    repository = NAMED["paraformer"]["zh"]
    with running({repository.huggingface: {"model.int8.onnx": b"0", "tokens.txt": b"0"}}) as model_hub:
        monkeypatch.setenv("HF_ENDPOINT", model_hub.url)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", model_hub.url)
        assert find("paraformer", "zh", lambda doing, part: None)[1] == ("zh", "en")


def test_a_language_that_does_not_exist_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIPFORMER_MODEL", "/models/zip")
    monkeypatch.setenv("ZIPFORMER_LANGUAGES", "klingonese")

    with pytest.raises(SettingError, match="ZIPFORMER_LANGUAGES"):
        SherpaRecogniser.load("zipformer", lambda doing, part: None)


def files(folder: Path, *names: str, tokens: str = "a 0\n") -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    (folder / "tokens.txt").write_text(tokens)
    return folder


@pytest.mark.parametrize(
    ("name", "within", "made", "chosen"),
    [
        ("sensevoice", ("model.int8.onnx", "model.onnx"), "from_sense_voice", {"model": "model.int8.onnx"}),
        ("paraformer", ("model.onnx",), "from_paraformer", {"paraformer": "model.onnx"}),
        (
            "zipformer",
            ("encoder-9.int8.onnx", "encoder-9.onnx", "decoder-9.int8.onnx", "decoder-9.onnx", "joiner-9.onnx"),
            "from_transducer",
            {"encoder": "encoder-9.int8.onnx", "decoder": "decoder-9.onnx", "joiner": "joiner-9.onnx"},
        ),
        ("zipformer", ("model.onnx",), "from_zipformer_ctc", {"model": "model.onnx"}),
        (
            "moonshine",
            ("preprocess.onnx", "encode.int8.onnx", "uncached_decode.int8.onnx", "cached_decode.int8.onnx"),
            "from_moonshine",
            {"encoder": "encode.int8.onnx", "cached_decoder": "cached_decode.int8.onnx"},
        ),
        (
            "whisper-onnx",
            ("tiny-encoder.onnx", "tiny-decoder.onnx"),
            "from_whisper",
            {"encoder": "tiny-encoder.onnx", "decoder": "tiny-decoder.onnx"},
        ),
    ],
)
def test_the_files_of_a_folder_are_told_by_their_names(
    tmp_path: Path, name: str, within: tuple[str, ...], made: str, chosen: dict[str, str]
) -> None:
    model = ModelFolder(name, files(tmp_path / "model", *within), "M")

    assert model.kind.made == made
    assert {argument: Path(model.arguments[argument]).name for argument in chosen} == chosen


def test_a_folder_without_a_model_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"ZIPFORMER_MODEL: .* holds no zipformer model: tokens.txt, and"):
        ModelFolder("zipformer", files(tmp_path / "model", "encoder.onnx"), "ZIPFORMER_MODEL")


@pytest.mark.parametrize(
    ("name", "tokens", "languages"),
    [
        ("sherpa-onnx-paraformer-zh-2023-09-14", "", ("zh",)),
        ("sherpa-onnx-zipformer-zh-en-2023-11-22", "", ("zh", "en")),
        ("sherpa-onnx-zipformer-korean-2024-06-24", "가 0\n", ("ko",)),
        ("mine", "你 0\n好 1\n", ("zh",)),
        ("mine", "你 0\n" + "".join(f"{'abcdefgh'[n % 8]}{'xyzuvw'[n // 8]} {n}\n" for n in range(48)), ("zh", "en")),
        ("mine", "HELLO 0\n", ("en",)),
    ],
)
def test_what_a_model_hears_is_told_by_its_name_or_its_tokens(
    tmp_path: Path, name: str, tokens: str, languages: tuple[str, ...]
) -> None:
    assert ModelFolder("zipformer", files(tmp_path / name, "model.onnx", tokens=tokens), "M").languages() == languages


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["▁HEL", "LO", "▁BEAR"], ["hello", "bear"]),
        ([" hello", ",", " bear"], ["hello,", "bear"]),
        (["你", "好", "，", "小", "熊"], ["你", "好，", "小", "熊"]),
        (["hel@@", "lo", "你"], ["hello", "你"]),
        (["<|zh|>", "你"], ["你"]),
        (["说", "▁OK"], ["说", "ok"]),
    ],
)
def test_tokens_become_words(tokens: list[str], expected: list[str]) -> None:
    times = [0.1 * number for number in range(len(tokens))]

    found = list(words(tokens, times, 2.0, 4.0))

    assert [word.word for word in found] == expected
    assert found[-1].end == 4.0


def test_a_model_without_times_tells_no_words() -> None:
    assert list(words(["a", "b"], [], 0, 1)) == []
    assert list(words(["a"], [0.5], 1, 2)) == [Word("a", 1.5, 2)]


def test_shouting_is_lowered() -> None:
    assert [written(" HELLO BEAR"), written("Hello TV"), written("你好")] == ["hello bear", "Hello TV", "你好"]
