"""Speak with models in this process through sherpa-onnx, without torch: Matcha, Kokoro, Piper's and other VITS.

sherpa-onnx is an extra. `SHERPA_MODEL` names the model: one that is fetched by its
name, or a folder as it comes out of one of the project's archives.
"""

import json
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from chassis.chain.seat import Report
from chassis.chain.subprocess_trial import failure
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.extras import require
from chassis.script_language import foreign
from chassis.settings import Options, read
from chassis.threads import Stop, handed_over
from tts.audio.pcm import pcm
from tts.engines import Engine
from tts.engines.espeak import phonemes
from tts.engines.sherpa.models import Found, VoiceFolder, find
from tts.text.clauses import Lengths
from tts.voices.choose import MANY, Voice, prefer

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


class SherpaVoice(Engine):
    """Engine whose voices are numbered as the model's speakers are: `0`, `1` …"""

    first_byte_seconds = 1.0
    speeds = (0.5, 2.0)
    lengths = Lengths(first=40)
    ahead = 1
    works_here = True
    reads_figures = False

    def __init__(self, options: SherpaOptions, found: Found) -> None:
        self._sherpa, self._numpy = import_module("sherpa_onnx"), import_module("numpy")
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
        require(name, "sherpa_onnx", "numpy")  # before a large download in vain
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
