"""Models for sherpa-onnx: their kinds, their names at the hubs, and the files in their folders."""

from dataclasses import dataclass
from pathlib import Path

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import read
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Repository, Weights
from stt.text.languages import guessed, known_code

_LETTERS = 200_000
"""Length of a model's tokens that is read to know its languages."""


@dataclass(frozen=True)
class ModelKind:
    """The make of one kind of model.

    Args:
        made: Name of the recognizer's constructor.
        files: Arguments of the constructor, and patterns of the file that each is; the first that a file fits.
        languages: Languages of such a model; empty: its files tell.
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
KINDS: dict[str, tuple[ModelKind, ...]] = {
    "sensevoice": (ModelKind("from_sense_voice", {"model": _WHOLE}, ("zh", "yue", "en", "ja", "ko")),),
    "paraformer": (ModelKind("from_paraformer", {"paraformer": _WHOLE}),),
    "zipformer": (ModelKind("from_transducer", _TRANSDUCER), ModelKind("from_zipformer_ctc", {"model": _WHOLE})),
    "moonshine": (
        ModelKind(
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
    "whisper-onnx": (ModelKind("from_whisper", {"encoder": _ENCODER, "decoder": _DECODER}),),
}


class NamedModel(Repository, frozen=True):
    """A model that is fetched by its name.

    Args:
        languages: Languages of the model, where neither its kind nor its files tell.
    """

    languages: tuple[str, ...] = ()


_WHISPERS = ("base", "tiny", "tiny.en", "base.en", "small", "small.en", "medium", "turbo")
NAMED: dict[str, dict[str, NamedModel]] = {
    "sensevoice": {
        "small": NamedModel(
            "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
            "pengzhendong/sherpa-onnx-sense-voice-zh-en-ja-ko-yue",
        ),
    },
    "paraformer": {
        "zh": NamedModel(
            "csukuangfj/sherpa-onnx-paraformer-zh-2024-03-09", "pengzhendong/sherpa-onnx-paraformer-zh", ("zh", "en")
        ),
        "zh-small": NamedModel(
            "csukuangfj/sherpa-onnx-paraformer-zh-small-2024-03-09",
            "pengzhendong/sherpa-onnx-paraformer-zh-small",
            ("zh", "en"),
        ),
    },
    "zipformer": {
        "zh": NamedModel("zrjin/sherpa-onnx-zipformer-multi-zh-hans-2023-9-2", languages=("zh",)),
        "en": NamedModel("k2-fsa/sherpa-onnx-zipformer-gigaspeech-2023-12-12", languages=("en",)),
    },
    "moonshine": {
        "base": NamedModel("csukuangfj/sherpa-onnx-moonshine-base-en-int8"),
        "tiny": NamedModel("csukuangfj/sherpa-onnx-moonshine-tiny-en-int8"),
    },
    "whisper-onnx": {
        name: NamedModel(
            f"csukuangfj/sherpa-onnx-whisper-{name}",
            f"pengzhendong/sherpa-onnx-whisper-{name}",
            ("en",) if name.endswith(".en") else (),
        )
        for name in _WHISPERS
    },
}
"""Models by their short names; the first of each kind is the default."""


class ModelFolder:
    """The files of a model.

    Raises:
        EngineUnavailable: The folder holds no model of that kind.
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
        """Return the languages of the model, as far as its files tell; empty: any."""
        if self.kind.languages:
            return self.kind.languages
        named = [part.lower() for part in self.folder.resolve().name.replace("_", "-").replace(".", "-").split("-")]
        found = tuple(dict.fromkeys(code for part in named if len(part) in (2, 3) and (code := known_code(part))))
        if found:
            return found
        if self.kind.made == "from_whisper":
            return ()
        return self._languages_of_tokens()

    def _languages_of_tokens(self) -> tuple[str, ...]:
        with self.tokens.open(encoding="utf-8", errors="replace") as file:
            letters = file.read(_LETTERS)
        other = guessed(letters)
        latin = sum(line[:1].isascii() and line.partition(" ")[0].isalpha() for line in letters.splitlines()) > 40
        return (other, "en") if latin and other != "en" else (other,)


def _files(folder: Path, kind: ModelKind) -> dict[str, Path] | None:
    """Return the file of each argument; None where some are missing."""
    found = {}
    for argument, patterns in kind.files.items():
        paths = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
        if (path := next(paths, None)) is None:
            return None
        found[argument] = path
    return found


def find(name: str, wanted: str, report: Report) -> tuple[Path, tuple[str, ...]]:
    """Return the folder of a model of this kind, fetched if need be, and the languages that it is known to hear.

    Raises:
        EngineUnavailable: It cannot be had.
    """
    if wanted and (local := hub.folder_named(wanted)) is not None:
        return local, ()
    variable = f"{variable_of(name)}_MODEL"
    repository = hub.look_up(wanted or next(iter(NAMED[name])), NAMED[name], NamedModel, variable)
    kind = KINDS[name][0]
    weights = Weights(
        repository=repository,
        needed=("*tokens.txt", *map("|".join, kind.files.values())),
        wanted=("*itn*.fst",),
        kind=f"{name} model for sherpa-onnx",
        shelf=name,
        variable=variable,
    )
    return hub.fetch(weights, report, read(HubOptions)), repository.languages


def variable_of(name: str) -> str:
    """Return how the settings of an engine begin: `WHISPER_ONNX`."""
    return name.replace("-", "_").upper()
