"""SenseVoice, Paraformer, Zipformer and others by sherpa-onnx, without torch.

sherpa-onnx is an extra. The engine's name says which kind of model it hears with, `SENSEVOICE_MODEL` which of that
kind: a name by which it is fetched, or a folder as it comes out of one of the project's archives.
"""

import json
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Self

from msgspec import Meta

from chassis.chain.seat import Report
from chassis.chain.subprocess_trial import failure
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.extras import require
from chassis.settings import Options, SettingError, read
from chassis.threads import Stop, cores, pieces, workers
from stt.engines import Engine
from stt.engines.sherpa.models import NAMED, ModelFolder, find, variable_of
from stt.engines.sherpa.words import words, written
from stt.hearing import RATE, Heard, Hints, Pcm, Segment
from stt.sound import speech, vad
from stt.text.languages import UnknownLanguage, code_of, guessed, known_code
from stt.text.tags import cleaned

PART_SECONDS = 20.0
"""Longest piece that is heard at a time: these models know no windows, and their memory grows with it."""
GAP_SECONDS = 1.0
TRIAL_SECONDS = 120.0

TRIAL = """
import json, sys
import sherpa_onnx
kind, arguments = json.loads(sys.argv[1])
recognizer = getattr(sherpa_onnx.OfflineRecognizer, kind)(**arguments)
stream = recognizer.create_stream()
stream.accept_waveform(16000, [0.001, -0.001] * 8000)
recognizer.decode_stream(stream)
stream.result.text
"""
"""Program that tries a model: over a damaged file sherpa-onnx ends the process, so better not the service's."""


class SherpaHearingOptions(Options, frozen=True, kw_only=True):
    """The engines of sherpa-onnx. `paraformer`, `zipformer`, `moonshine` and `whisper-onnx` have the same under their
    own names: `PARAFORMER_MODEL`, `ZIPFORMER_MODEL`, `MOONSHINE_MODEL`, `WHISPER_ONNX_MODEL` and so on."""

    prefix = "SENSEVOICE_"
    model: str = ""
    """Model: a name from stt's README, `owner/name` at the hub, or a folder. Unset: the first name of its kind
    (`small`; paraformer and zipformer `zh`, moonshine and whisper-onnx `base`)."""
    languages: tuple[str, ...] = ()
    """Languages the model understands; empty: taken from its kind, its name and its tokens."""
    threads: Annotated[int, Meta(ge=1)] = 1
    """Threads for each recording; as many recordings are transcribed at a time as there are cores."""
    itn: bool = True
    """`on`: numbers and punctuation as people write them, where the model can."""


class SherpaRecogniser(Engine):
    """One model of sherpa-onnx.

    Args:
        recognizer: sherpa-onnx's `OfflineRecognizer`; several threads may use it at a time.
        languages: Languages that it hears; empty: any.
    """

    first_byte_seconds = 1.0

    def __init__(self, name: str, recognizer: Any, *models: str, languages: tuple[str, ...] = ()) -> None:
        self.name, self.recognizer, self.models, self.languages = name, recognizer, models, languages
        self.only = languages[0] if len(languages) == 1 else None
        self._executor = workers(cores(), name)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        prefix = f"{variable_of(name)}_"
        options = read(SherpaHearingOptions, prefix=prefix)
        try:
            languages = tuple(code for listed in options.languages if (code := code_of(listed)))
        except UnknownLanguage as exc:
            raise SettingError(f"{prefix}LANGUAGES: {exc}") from exc
        require(name, "sherpa_onnx")
        folder, known = find(name, options.model, report)
        model = ModelFolder(name, folder, f"{prefix}MODEL")
        arguments = _arguments(model, options, languages)
        report("trying the model", None)
        if why := failure(TRIAL, json.dumps([model.kind.made, arguments]), seconds=TRIAL_SECONDS):
            raise EngineUnavailable(f"{prefix}MODEL: {folder} cannot be used by sherpa-onnx ({why}).")
        report("loading the weights", None)
        import sherpa_onnx

        recognizer = getattr(sherpa_onnx.OfflineRecognizer, model.kind.made)(**arguments)
        speech.warm_up()
        shown = Path(options.model or next(iter(NAMED[name]))).resolve().name
        return cls(name, recognizer, shown, languages=languages or known or model.languages())

    @classmethod
    def fetch(cls, name: str, model: str, report: Report) -> tuple[Path, ...]:
        """Fetch ahead what `load` would; `model` wins over the settings.

        Raises:
            EngineUnavailable: It cannot be had.
        """
        folder, _ = find(name, model or read(SherpaHearingOptions, prefix=f"{variable_of(name)}_").model, report)
        return (folder,)

    def hears(self, language: str | None) -> bool:
        return language is None or not self.languages or language in self.languages

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        if not self.hears(hints.language):
            known = ", ".join(self.languages)
            raise Declined(f"This {self.name} model hears {known}, not {hints.language!r}.", param="language")
        async with aclosing(pieces(self._executor, lambda stop: self._listen(pcm, hints, stop))) as heard:
            try:
                async for piece in heard:
                    yield piece
            except (RuntimeError, ValueError) as exc:  # sherpa-onnx raises nothing finer
                raise EngineFailed(f"{self.name} broke off") from exc

    def _listen(self, pcm: Pcm, hints: Hints, stop: Stop) -> Generator[Heard, None, None]:
        language = hints.language
        for begin, end in vad.parts(pcm, stop, longest_seconds=PART_SECONDS, gap_seconds=GAP_SECONDS):
            if stop:
                return
            stream = self.recognizer.create_stream()
            stream.accept_waveform(RATE, pcm[begin:end])
            self.recognizer.decode_stream(stream)
            if heard := _heard(stream.result, hints, begin / RATE, end / RATE):
                language = heard.language
                yield heard
        yield Heard(language=language or (self.languages[0] if self.languages else "en"))

    async def aclose(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


def _arguments(model: ModelFolder, options: SherpaHearingOptions, languages: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments of the recognizer's constructor."""
    only = languages[0] if len(languages) == 1 else None
    arguments: dict[str, Any] = model.arguments | {"num_threads": options.threads}
    if model.kind.made == "from_sense_voice":
        arguments |= {"use_itn": options.itn, "language": only or "auto"}
    elif model.kind.made == "from_whisper":
        arguments |= {"language": only or ""}
    if options.itn and (rules := sorted(model.folder.glob("*itn*.fst"))):
        arguments["rule_fsts"] = ",".join(map(str, rules))
    return arguments


def _heard(result: Any, hints: Hints, begin: float, end: float) -> Heard | None:
    """Return the transcript of one piece of sound; None where there are no words."""
    text = written(cleaned(result.text)[0])
    if not text:
        return None
    language = hints.language or known_code(result.lang.strip("<|>")) or guessed(text)
    found = list(words(result.tokens, result.timestamps, begin, end))
    segment = Segment(
        start=found[0].start if found else round(begin, 2),
        end=found[-1].end if found else round(end, 2),
        text=text if language in ("zh", "yue", "ja") else f" {text}",
        words=tuple(found) if hints.words else (),
    )
    return Heard(language=language, segments=(segment,))
