"""Whisper's weights by name."""

from pathlib import Path

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Place, Weights

NEEDED = ("config.json", "model.bin", "tokenizer.json", "vocabulary.*")
SHORT_NAMES = {
    "large": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
AT_MODELSCOPE = {
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo": "pengzhendong/faster-whisper-large-v3-turbo",
}


def find(name: str, report: Report, options: HubOptions) -> Path:
    """The folder of a model: `name` itself if it is one, else the one it was or is now fetched to.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    local = hub.folder_named(name)
    if local is None:
        return hub.fetched(weights(name), report, options)
    if hub.missing(local, NEEDED):
        raise EngineUnavailable(f"WHISPER_MODEL is a folder without a model: {', '.join(NEEDED)} belong there.")
    return local


def weights(name: str) -> Weights:
    """`Systran/faster-whisper-base` for `base`. Under that name both hubs have it, with few exceptions."""
    repository = name if "/" in name else SHORT_NAMES.get(name, f"Systran/faster-whisper-{name}")
    return Weights(
        place=Place(repository, AT_MODELSCOPE.get(repository, repository)),
        needed=NEEDED,
        wanted=("preprocessor_config.json",),
        kind="CTranslate2 Whisper model",
        shelf="whisper",
        variable="WHISPER_MODEL",
    )
