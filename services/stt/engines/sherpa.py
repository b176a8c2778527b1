"""sherpa-onnx in this process, without torch: SenseVoice, Paraformer, Zipformer and others.

An extra: `pip install sherpa-onnx`. The engine's name says which kind of model it hears with, `SENSEVOICE_MODEL` which
of that kind: one that is fetched by its name, or a folder as it comes out of one of the project's archives.
"""

import json
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Self

from msgspec import Meta

from chassis.chain.seat import Report
from chassis.chain.trial import failure
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.settings import Options, SettingError, read
from chassis.threads import Stop, pieces, workers
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Place, Weights
from stt.engines import Engine
from stt.hearing import RATE, Heard, Hints, Pcm, Segment, Word
from stt.machine import cores
from stt.sound import speech, vad
from stt.text.languages import UnknownLanguage, code_of
from stt.text.tags import cleaned, guessed, language_of

PART_SECONDS = 20.0
"""The longest piece that is heard at a time; these models know no windows, and their memory grows with it."""
GAP_SECONDS = 1.0
TRIAL_SECONDS = 120.0
LETTERS = 200_000
"""Of a model's tokens, to know its languages."""

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
"""sherpa-onnx ends the whole process over a file that it does not like: better one that nobody needs."""

SENTENCE_PIECE = "\u2581"
CONTINUES = "@@"
"""Ends a piece of a word that goes on, in Paraformer's English."""


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


@dataclass(frozen=True)
class Kind:
    """What one kind of model is made of.

    Args:
        made: The recognizer's constructor.
        files: Its arguments, and which file each is; the first pattern that a file has.
        languages: What such a model hears; none named: its files tell.
    """

    made: str
    files: dict[str, tuple[str, ...]]
    languages: tuple[str, ...] = ()


# The int8 weights come first: half the size, faster on a CPU, and no worse to the ear.
_WHOLE = ("model.int8.onnx", "model*.int8.onnx", "*ctc*.onnx", "model*.onnx")
_ENCODER, _DECODER = ("*encoder*.int8.onnx", "*encoder*.onnx"), ("*decoder*.int8.onnx", "*decoder*.onnx")
_TRANSDUCER: dict[str, tuple[str, ...]] = {
    "encoder": _ENCODER,
    "decoder": ("*decoder*[!8].onnx", "*decoder*.onnx"),  # tiny, and worse in int8
    "joiner": ("*joiner*.int8.onnx", "*joiner*.onnx"),
}
KINDS: dict[str, tuple[Kind, ...]] = {
    "sensevoice": (Kind("from_sense_voice", {"model": _WHOLE}, ("zh", "yue", "en", "ja", "ko")),),
    "paraformer": (Kind("from_paraformer", {"paraformer": _WHOLE}),),
    "zipformer": (Kind("from_transducer", _TRANSDUCER), Kind("from_zipformer_ctc", {"model": _WHOLE})),
    "moonshine": (
        Kind(
            "from_moonshine",
            {
                "preprocessor": ("preprocess*.onnx",),
                "encoder": ("encode*.int8.onnx", "encode*.onnx"),
                "uncached_decoder": ("uncached_decode*.int8.onnx", "uncached_decode*.onnx"),
                "cached_decoder": ("cached_decode*.int8.onnx", "cached_decode*.onnx"),
            },
            ("en",),
        ),
    ),
    "whisper-onnx": (Kind("from_whisper", {"encoder": _ENCODER, "decoder": _DECODER}),),
}


class Named(Place, frozen=True):
    """A model that is fetched by its name.

    Args:
        languages: What it hears, where neither its kind nor its files tell.
    """

    languages: tuple[str, ...] = ()


_WHISPERS = ("base", "tiny", "tiny.en", "base.en", "small", "small.en", "medium", "turbo")
NAMED: dict[str, dict[str, Named]] = {
    "sensevoice": {
        "small": Named(
            "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
            "pengzhendong/sherpa-onnx-sense-voice-zh-en-ja-ko-yue",
        ),
    },
    "paraformer": {
        "zh": Named(
            "csukuangfj/sherpa-onnx-paraformer-zh-2024-03-09", "pengzhendong/sherpa-onnx-paraformer-zh", ("zh", "en")
        ),
        "zh-small": Named(
            "csukuangfj/sherpa-onnx-paraformer-zh-small-2024-03-09",
            "pengzhendong/sherpa-onnx-paraformer-zh-small",
            ("zh", "en"),
        ),
    },
    "zipformer": {
        "zh": Named("zrjin/sherpa-onnx-zipformer-multi-zh-hans-2023-9-2", languages=("zh",)),
        "en": Named("k2-fsa/sherpa-onnx-zipformer-gigaspeech-2023-12-12", languages=("en",)),
    },
    "moonshine": {
        "base": Named("csukuangfj/sherpa-onnx-moonshine-base-en-int8"),
        "tiny": Named("csukuangfj/sherpa-onnx-moonshine-tiny-en-int8"),
    },
    "whisper-onnx": {
        name: Named(
            f"csukuangfj/sherpa-onnx-whisper-{name}",
            f"pengzhendong/sherpa-onnx-whisper-{name}",
            ("en",) if name.endswith(".en") else (),
        )
        for name in _WHISPERS
    },
}
"""The first of each kind is meant where nobody says which."""


class Model:
    """What is in a folder.

    Raises:
        EngineUnavailable: Nothing of that kind.
    """

    def __init__(self, name: str, folder: Path, variable: str) -> None:
        self.folder = folder
        tokens = next(iter(sorted(folder.glob("*tokens.txt"))), None)
        found = next(((kind, files) for kind in KINDS[name] if (files := _files(folder, kind)) is not None), None)
        if tokens is None or found is None:
            wanted = " or ".join(", ".join(patterns[-1] for patterns in kind.files.values()) for kind in KINDS[name])
            raise EngineUnavailable(f"{variable}: {folder} holds no {name} model: tokens.txt, and {wanted}.")
        self.kind, files = found
        self.tokens = tokens
        self.arguments = {"tokens": str(tokens), **{argument: str(path) for argument, path in files.items()}}

    def languages(self) -> tuple[str, ...]:
        """What it hears, as far as can be told; none: anything."""
        if self.kind.languages:
            return self.kind.languages
        named = [part.lower() for part in self.folder.resolve().name.replace("_", "-").replace(".", "-").split("-")]
        found = tuple(dict.fromkeys(code for part in named if len(part) in (2, 3) and (code := language_of(part))))
        if found:
            return found
        if self.kind.made == "from_whisper":
            return ()
        with self.tokens.open(encoding="utf-8", errors="replace") as file:
            letters = file.read(LETTERS)
        other = guessed(letters)
        latin = sum(line[:1].isascii() and line.partition(" ")[0].isalpha() for line in letters.splitlines()) > 40
        return (other, "en") if latin and other != "en" else (other,)


def _files(folder: Path, kind: Kind) -> dict[str, Path] | None:
    """Which file is which; None: some are missing."""
    found = {}
    for argument, patterns in kind.files.items():
        paths = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
        if (path := next(paths, None)) is None:
            return None
        found[argument] = path
    return found


class Sherpa(Engine):
    """One model.

    Args:
        recognizer: sherpa-onnx's `OfflineRecognizer`; several threads may use it at a time.
        languages: What it hears; none named: anything.
    """

    first_byte_seconds = 1.0

    def __init__(self, name: str, recognizer: Any, *models: str, languages: tuple[str, ...] = ()) -> None:
        self.name, self.recognizer, self.models, self.languages = name, recognizer, models, languages
        self.only = languages[0] if len(languages) == 1 else None
        self._executor = workers(cores(), name)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        prefix = f"{_variable(name)}_"
        options = read(SherpaHearingOptions, prefix=prefix)
        try:
            languages = tuple(code for listed in options.languages if (code := code_of(listed)))
        except UnknownLanguage as exc:
            raise SettingError(f"{prefix}LANGUAGES: {exc}") from exc
        if find_spec("sherpa_onnx") is None:
            raise EngineUnavailable(f"{name} needs an extra: `pip install sherpa-onnx`.")
        folder, known = find(name, options.model, report)
        model = Model(name, folder, f"{prefix}MODEL")
        arguments: dict[str, Any] = model.arguments | {"num_threads": options.threads}
        if model.kind.made == "from_sense_voice":
            arguments |= {"use_itn": options.itn, "language": languages[0] if len(languages) == 1 else "auto"}
        elif model.kind.made == "from_whisper":
            arguments |= {"language": languages[0] if len(languages) == 1 else ""}
        rules = sorted(folder.glob("*itn*.fst")) if options.itn else []
        if rules:
            arguments["rule_fsts"] = ",".join(map(str, rules))
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
        folder, _ = find(name, model or read(SherpaHearingOptions, prefix=f"{_variable(name)}_").model, report)
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
            result = stream.result
            text, _ = cleaned(result.text)
            text = written(text)
            if not text:
                continue
            language = hints.language or language_of(result.lang.strip("<|>")) or guessed(text)
            found = list(words(result.tokens, result.timestamps, begin / RATE, end / RATE))
            segment = Segment(
                start=found[0].start if found else round(begin / RATE, 2),
                end=found[-1].end if found else round(end / RATE, 2),
                text=text if language in ("zh", "yue", "ja") else f" {text}",
                words=tuple(found) if hints.words else (),
            )
            yield Heard(language=language, segments=(segment,))
        yield Heard(language=language or (self.languages[0] if self.languages else "en"))

    async def aclose(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


def find(name: str, wanted: str, report: Report) -> tuple[Path, tuple[str, ...]]:
    """The folder of a model of this kind, fetched if need be, and the languages that it is known to hear.

    Raises:
        EngineUnavailable: It cannot be had.
    """
    if wanted and (local := hub.folder_named(wanted)) is not None:
        return local, ()
    variable = f"{_variable(name)}_MODEL"
    place = hub.look_up(wanted or next(iter(NAMED[name])), NAMED[name], Named, variable)
    kind = KINDS[name][0]
    weights = Weights(
        place=place,
        needed=("*tokens.txt", *map("|".join, kind.files.values())),
        wanted=("*itn*.fst",),
        kind=f"{name} model for sherpa-onnx",
        shelf=name,
        variable=variable,
    )
    return hub.fetch(weights, report, read(HubOptions)), place.languages


def _variable(name: str) -> str:
    return name.replace("-", "_").upper()


def written(text: str) -> str:
    """As people write: some models know capitals only."""
    text = text.strip()
    return text.lower() if text.isupper() else text


def words(tokens: list[str], times: list[float], begin: float, end: float) -> Iterator[Word]:
    """Tokens put together to words; each lasts until the next one.

    Args:
        times: When each token begins, after `begin`; models that cannot tell give none.
        begin: Of the sound that was heard, in seconds of the recording; `end` likewise.
    """
    if len(times) != len(tokens):
        return
    found: list[tuple[str, float]] = []
    joins = False
    for token, time in zip(tokens, times, strict=True):
        piece = cleaned(token)[0].replace(SENTENCE_PIECE, " ")
        bare = piece.strip().removesuffix(CONTINUES)
        if not bare:
            joins = False
            continue
        starts = piece.startswith(" ") or not found or not (bare[0].isascii() and found[-1][0][-1].isascii())
        punctuation = not any(char.isalnum() for char in bare)
        if found and (joins or not starts or punctuation):
            found[-1] = found[-1][0] + bare, found[-1][1]
        else:
            found.append((bare, min(begin + time, end)))
        joins = piece.strip().endswith(CONTINUES)
    shout = "".join(word for word, _ in found).isupper()
    ends = [*(time for _, time in found[1:]), end]
    for (word, time), last in zip(found, ends, strict=True):
        yield Word(word.lower() if shout else word, round(time, 2), round(last, 2))
