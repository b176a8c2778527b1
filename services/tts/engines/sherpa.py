"""Speak with models in this process through sherpa-onnx, without torch: Matcha, Kokoro, Piper's and other VITS.

sherpa-onnx is an extra: `pip install sherpa-onnx numpy`. `SHERPA_MODEL` names the model: one that is fetched by its
name, or a folder as it comes out of one of the project's archives.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from chassis.chain.seat import Report
from chassis.chain.subprocess_trial import failure
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.script_language import foreign, holds_han
from chassis.settings import Options, read
from chassis.threads import Stop, handed_over
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Place, Weights
from tts.audio.pcm import pcm
from tts.engines import Engine
from tts.engines.espeak import phonemes
from tts.text.clauses import Lengths
from tts.voices.choose import MANY, Voice, prefer
from tts.voices.language_tags import normal

PACKAGES = "`pip install sherpa-onnx numpy`"
LETTERS_READ = 200_000
"""Number of characters of a lexicon that are read to detect its languages."""
LATIN = re.compile(r"^[a-z]{2,}\s", re.MULTILINE | re.IGNORECASE)
LONGEST_SECONDS = 60.0
TRIAL_SECONDS = 120.0
TRIAL = """
import json, sys
import sherpa_onnx as sherpa
kind, files = json.loads(sys.argv[1])
model = getattr(sherpa, f"OfflineTts{kind}ModelConfig")(**files)
config = sherpa.OfflineTtsConfig(model=sherpa.OfflineTtsModelConfig(**{kind.lower(): model}))
assert config.validate(), "files are missing"
sherpa.OfflineTts(config)
"""
"""Program that tries a model: over a damaged file sherpa-onnx ends the process, so better not the service's."""


class SherpaOptions(Options, frozen=True, kw_only=True):
    """The engine `sherpa`: voices through sherpa-onnx (Matcha, Kokoro, Piper …)."""

    prefix = "SHERPA_"
    model: str = "matcha-zh-en"
    """Model: a name from tts's README, `owner/name` at the hub, or a folder."""
    language: str | None = None
    """Language of a model whose files do not name it: `en-US`; `mul` for a model that reads several."""
    voices: tuple[str, ...] = ()
    """Speakers of the model that are preferred, by number: `3,7`."""
    threads: int = 2
    """Threads of one model."""


class NamedVoice(Place, frozen=True):
    """Model that is fetched by its name.

    Args:
        language: Language of the model, if its files do not name it.
        vocoder: Place and file of the second half of a Matcha model.
    """

    language: str | None = None
    vocoder: tuple[Place, str] | None = None


_VOCOS_16K = (
    Place("csukuangfj/sherpa-onnx-vocoders", "dengcunqin/matcha_tts_zh_en_20251010"),
    "vocos-16khz-univ.onnx",
)
_HIFIGAN = (Place("csukuangfj/sherpa-onnx-hifigan"), "hifigan_v2.onnx")
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
        words = "".join(path.read_text("utf-8", "replace")[:LETTERS_READ] for path in self.lexicons)
        if holds_han(words):
            return MANY if len(self.lexicons) > 1 or LATIN.search(words) else "zh-CN"
        return "en-US"

    def _first(self, *patterns: str) -> Path | None:
        return self._first_in(self.folder, *patterns)

    @staticmethod
    def _first_in(folder: Path, *patterns: str) -> Path | None:
        return next((path for pattern in patterns for path in sorted(folder.glob(pattern))), None)


class Sherpa(Engine):
    """Engine whose voices are numbered as the model's speakers are: `0`, `1` …"""

    first_byte_seconds = 1.0
    speeds = (0.5, 2.0)
    lengths = Lengths(first=40)
    ahead = 1
    reads_figures = False

    def __init__(self, options: SherpaOptions, found: Found) -> None:
        self._sherpa, self._numpy = _packages()
        self._model = VoiceFolder(found.folder, options.language or found.language, found.vocoder)
        if why := failure(TRIAL, json.dumps(self._model.parts()), seconds=TRIAL_SECONDS):
            raise EngineUnavailable(f"SHERPA_MODEL: {found.folder} cannot be used by sherpa-onnx ({why}).")
        self._tts = self._sherpa.OfflineTts(self._model.config(self._sherpa, options.threads))
        self.sound = pcm(self._tts.sample_rate)
        self._only_thread = ThreadPoolExecutor(1, "sherpa")
        many, language = self._model.language == MANY, self._model.language
        known = [Voice(str(number), language, polyglot=many) for number in range(max(1, self._tts.num_speakers))]
        self._known = {voice.name: voice for voice in known}
        self.voices = prefer(options.voices, known, self.voice)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(SherpaOptions)
        _packages()  # before a large download in vain
        found = find(options.model, report)
        report("loading the model", None)
        return cls(options, found)

    @classmethod
    def fetch(cls, name: str, model: str, report: Report) -> tuple[Path, ...]:
        """Fetch the files that `load` needs, and return their folder; `model` wins over the settings.

        Raises:
            EngineUnavailable: The model cannot be fetched.
        """
        return (find(model or read(SherpaOptions).model, report).folder,)

    @property
    def likeness(self) -> str:
        return str(self._model.folder)

    def voice(self, name: str) -> Voice | None:
        return self._known.get(name)

    async def refresh_voices(self) -> None:
        """Do nothing: all voices are in the model."""

    def accept(self, text: str, voice: Voice) -> None:
        if voice.language != MANY and foreign(text, voice.language):
            raise Declined(f"This model reads {voice.language} only.", param="input")

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the sound sentence by sentence, as the model makes them."""
        async with aclosing(handed_over(self._only_thread, partial(self._say, text, voice, speed))) as sentences:
            async for samples in sentences:
                yield samples

    async def aclose(self) -> None:
        self._only_thread.shutdown(wait=False, cancel_futures=True)

    def _say(self, text: str, voice: Voice, speed: float, put: Callable[[bytes], None], stop: Stop) -> None:
        """Speak one clause; runs in the only thread."""
        most = int(LONGEST_SECONDS * self._tts.sample_rate)
        sent = 0

        def sounded(samples: Any, progress: float) -> int:
            nonlocal sent
            sent += len(samples)
            put(self._as_pcm(samples))
            return int(not stop and sent < most)  # 0 ends the synthesis

        wanted = self._sherpa.GenerationConfig()
        wanted.sid, wanted.speed = int(voice.name), speed
        if self._model.piper is not None:
            said = phonemes(text, self._model.piper.espeak.get("voice", "en-us"))
            wanted.phoneme_codepoints = [[ord(char) for char in sentence] for sentence in said]
        try:
            made = self._tts.generate(text, wanted, callback=sounded)
        except (RuntimeError, ValueError) as exc:
            raise EngineFailed(f"sherpa broke off ({type(exc).__name__}).") from exc
        if not sent and len(made.samples):  # some models never call `sounded`
            put(self._as_pcm(made.samples))

    def _as_pcm(self, samples: Any) -> bytes:
        floats = self._numpy.asarray(samples, dtype=self._numpy.float32)
        return bytes((floats.clip(-1.0, 1.0) * 32_767).astype("<i2").tobytes())


def find(wanted: str, report: Report) -> Found:
    """Return the folder of a model, which is fetched if it is missing.

    Raises:
        EngineUnavailable: The model is unknown, or cannot be fetched.
    """
    if (local := hub.folder_named(wanted)) is not None:
        return Found(local)
    place = hub.look_up(wanted, NAMED, NamedVoice, "SHERPA_MODEL")
    vocoder = None
    if place.vocoder is not None:
        where, file = place.vocoder
        vocoder = _fetched(where, (file,), (), report) / file
    return Found(_fetched(place, ("tokens.txt", WEIGHTS), BESIDE, report), place.language, vocoder)


def _fetched(place: Place, needed: tuple[str, ...], wanted: tuple[str, ...], report: Report) -> Path:
    weights = Weights(
        place=place,
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


def _packages() -> tuple[Any, Any]:
    """Return the modules sherpa_onnx and numpy.

    Raises:
        EngineUnavailable: They are not installed.
    """
    try:
        import numpy
        import sherpa_onnx
    except (ImportError, OSError) as exc:
        raise EngineUnavailable(f"sherpa-onnx is not installed: {PACKAGES}.") from exc
    return sherpa_onnx, numpy
