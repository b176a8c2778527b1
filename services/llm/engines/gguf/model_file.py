"""The file of a model: on this machine, or fetched from a hub by its name there."""

import re
from pathlib import Path

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Repository, Weights

_AT_HUB = re.compile(r"([^/:]+/[^/:]+)(?:/(.+\.gguf)|:([\w.-]+))")


def find(name: str, report: Report, options: HubOptions) -> Path:
    """Return the file that `name` is, or else the one at a hub, fetched now if need be.

    Args:
        name: A path, or `owner/name/file.gguf`, or `owner/name:Q8_0`.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    if not name:
        raise EngineUnavailable("Set GGUF_MODEL to a file, or to one at a hub: Qwen/Qwen3-0.6B-GGUF:Q8_0.")
    local = Path(name).expanduser()
    if local.is_file():
        return local
    at_hub = _AT_HUB.fullmatch(name)
    if local.is_absolute() or at_hub is None:
        raise EngineUnavailable(f"GGUF_MODEL: there is no file {name}. At a hub it is owner/name/file.gguf.")
    pattern = at_hub[2] or f"*{_any_case(at_hub[3])}*.gguf"
    repository = Repository(at_hub[1], at_hub[1])
    weights = Weights(repository=repository, needed=(pattern,), kind="GGUF model", shelf="gguf", variable="GGUF_MODEL")
    return sorted(hub.fetch(weights, report, options).glob(pattern))[0]


def _any_case(text: str) -> str:
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in text)
