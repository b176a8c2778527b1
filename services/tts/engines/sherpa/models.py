"""Find the model of a voice: its repository at the hub, its folder, and the role of each file."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.script_language import holds_han
from chassis.settings import read
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Repository, Weights
from tts.voices.choose import MANY
from tts.voices.language_tags import normal

_LETTERS_READ = 200_000
"""Number of characters of a lexicon that are read to detect its languages."""
LATIN = re.compile(r"^[a-z]{2,}\s", re.MULTILINE | re.IGNORECASE)


class NamedVoice(Repository, frozen=True):
    """Model that is fetched by its name.

    Args:
        language: Language of the model, if its files do not name it.
        vocoder: Repository and file of the second half of a Matcha model.
    """

    language: str | None = None
    vocoder: tuple[Repository, str] | None = None


_VOCOS_16K = (
    Repository("csukuangfj/sherpa-onnx-vocoders", "dengcunqin/matcha_tts_zh_en_20251010"),
    "vocos-16khz-univ.onnx",
)
_HIFIGAN = (Repository("csukuangfj/sherpa-onnx-hifigan"), "hifigan_v2.onnx")
NAMED = {
    "matcha-zh-en": NamedVoice("csukuangfj/matcha-icefall-zh-en", language=MANY, vocoder=_VOCOS_16K),
    "matcha-zh": NamedVoice("csukuangfj/matcha-icefall-zh-baker", language="zh-CN", vocoder=_HIFIGAN),
    "matcha-en": NamedVoice("csukuangfj/matcha-icefall-en_US-ljspeech", language="en-US", vocoder=_HIFIGAN),
    "melo-zh-en": NamedVoice("csukuangfj/vits-melo-tts-zh_en", "csukuangfj/vits-melo-tts-zh_en", MANY),
    "piper-zh": NamedVoice("csukuangfj/vits-piper-zh_CN-huayan-medium"),
    "piper-en": NamedVoice("csukuangfj/vits-piper-en_US-amy-low"),
    "kokoro": NamedVoice("csukuangfj/kokoro-multi-lang-v1_0", language=MANY),
    "kokoro-zh": NamedVoice("csukuangfj/kokoro-multi-lang-v1_1", language=MANY),
}
WEIGHTS = "model.onnx|model-steps-3.onnx|model.int8.onnx|*.onnx"
BESIDE = (
    *("*.onnx.json", "voices.bin", "lexicon.txt", "lexicon-us-en.txt", "lexicon-zh.txt", "*.fst"),
    # Of eSpeak's 364 files, those that English needs; the models know Chinese by their lexicons.
    *("espeak-ng-data/phon*", "espeak-ng-data/intonations", "espeak-ng-data/en_dict", "espeak-ng-data/lang/gmw/en*"),
)


class Found(NamedTuple):
    """Folder of a model, with its language and vocoder if they are known."""

    folder: Path
    language: str | None = None
    vocoder: Path | None = None


class _Piper(msgspec.Struct):
    """Description of a Piper model, from its `.onnx.json`."""

    espeak: dict[str, str] = {}
    language: dict[str, Any] = {}


class VoiceFolder:
    """Files of a model in its folder.

    Raises:
        EngineUnavailable: The folder holds no model of a known kind.
    """

    def __init__(self, folder: Path, language: str | None, vocoder: Path | None = None) -> None:
        self.folder = folder
        self._onnx = sorted(folder.glob("*.onnx"))
        self.piper = self._read_piper()
        beside = self._first("vocos*.onnx", "hifigan*.onnx") or self._first_in(folder.parent, "vocos*.onnx")
        self.vocoder = vocoder or beside
        self.voices_file = folder / "voices.bin"
        self.lexicons = _american(sorted(folder.glob("lexicon*.txt")))
        self.weights = next((path for path in self._onnx if path != self.vocoder), None)
        if self.weights is None or not (folder / "tokens.txt").is_file():
            told = f"SHERPA_MODEL: {folder} holds no model; its .onnx file and tokens.txt belong there."
            raise EngineUnavailable(told)
        self.language = normal(language) if language else self._language()

    def config(self, sherpa: Any, threads: int) -> Any:
        """Return the configuration for `sherpa_onnx.OfflineTts`."""
        kind, files = self.parts()
        model = getattr(sherpa, f"OfflineTts{kind}ModelConfig")(**files)
        return sherpa.OfflineTtsConfig(
            model=sherpa.OfflineTtsModelConfig(**{kind.lower(): model}, num_threads=threads, provider="cpu"),
            rule_fsts=",".join(map(str, sorted(self.folder.glob("*.fst")))),
            max_num_sentences=1,
        )

    def parts(self) -> tuple[str, dict[str, str]]:
        """Return the kind of the model, and its files by their role."""
        data = self.folder / "espeak-ng-data"
        files = {
            "tokens": str(self.folder / "tokens.txt"),
            "lexicon": ",".join(map(str, self.lexicons)),
            "data_dir": str(data) if data.is_dir() else "",
        }
        if self.voices_file.is_file():
            return "Kokoro", {"model": str(self.weights), "voices": str(self.voices_file), **files}
        if self.vocoder is not None:
            return "Matcha", {"acoustic_model": str(self.weights), "vocoder": str(self.vocoder), **files}
        return "Vits", {"model": str(self.weights), **files}

    def _read_piper(self) -> _Piper | None:
        described = self._first("*.onnx.json")
        if described is None:
            return None
        try:
            return msgspec.json.decode(described.read_bytes(), type=_Piper)
        except (OSError, msgspec.MsgspecError) as exc:
            raise EngineUnavailable(f"SHERPA_MODEL: {described.name} cannot be read ({exc}).") from exc

    def _language(self) -> str:
        if self.piper is not None:
            return normal(str(self.piper.language.get("code") or self.piper.espeak.get("voice") or "en-US"))
        words = "".join(path.read_text("utf-8", "replace")[:_LETTERS_READ] for path in self.lexicons)
        if holds_han(words):
            return MANY if len(self.lexicons) > 1 or LATIN.search(words) else "zh-CN"
        return "en-US"

    def _first(self, *patterns: str) -> Path | None:
        return self._first_in(self.folder, *patterns)

    @staticmethod
    def _first_in(folder: Path, *patterns: str) -> Path | None:
        return next((path for pattern in patterns for path in sorted(folder.glob(pattern))), None)


def find(wanted: str, report: Report) -> Found:
    """Return the folder of a model, which is fetched if it is missing.

    Raises:
        EngineUnavailable: The model is unknown, or cannot be fetched.
    """
    if (local := hub.folder_named(wanted)) is not None:
        return Found(local)
    repository = hub.look_up(wanted, NAMED, NamedVoice, "SHERPA_MODEL")
    vocoder = None
    if repository.vocoder is not None:
        where, file = repository.vocoder
        vocoder = _fetched(where, (file,), (), report) / file
    return Found(_fetched(repository, ("tokens.txt", WEIGHTS), BESIDE, report), repository.language, vocoder)


def _fetched(repository: Repository, needed: tuple[str, ...], wanted: tuple[str, ...], report: Report) -> Path:
    weights = Weights(
        repository=repository,
        needed=needed,
        wanted=wanted,
        kind="voice for sherpa-onnx",
        shelf="sherpa",
        variable="SHERPA_MODEL",
    )
    return hub.fetch(weights, report, read(HubOptions))


def _american(lexicons: list[Path]) -> list[Path]:
    """Return the lexicons without the British one if there is an American one: of two, the first with a word wins."""
    names = {path.name for path in lexicons}
    return [path for path in lexicons if path.name != "lexicon-gb-en.txt" or "lexicon-us-en.txt" not in names]
